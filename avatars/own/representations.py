"""Own avatars and voices as the API shows them."""

from typing import Any

from avatars.enums import CreationKind
from avatars.models import Creation
from avatars.serializers import avatar_data, voice_data


def entry_data(creation: Creation) -> dict[str, Any]:
    """What `GET avatars/{id}` or `GET voices/{id}` would show, read anew."""
    entry = creation.entry
    entry.refresh_from_db()
    # It is read already.
    vars(entry)["_state"].fields_cache["creation"] = creation
    if creation.kind == CreationKind.VOICE_CLONE:
        return voice_data(entry)
    vars(entry)["offered_voice_id"] = vars(entry)["default_voice_id"]
    return avatar_data(entry)
