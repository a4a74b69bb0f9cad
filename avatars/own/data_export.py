"""The part of own avatars and voices in a data export, with who has agreed to what."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.privacy.data_export import BATCH_SIZE, plain_rows
from avatars.models import Avatar, Creation, CreationEvent, Voice
from avatars.own import consent_texts

FOR_STAFF = ("provider_error", "waiting_reason", "idempotency_key")


def parts_of(account_ids: list[UUID]) -> dict[str, Iterator[dict[str, Any]]]:
    events = CreationEvent.objects.filter(creation__account__in=account_ids).order_by("id")
    own = {"account__in": account_ids, "is_own": True}
    return {
        "own_avatars": plain_rows(Avatar.objects.filter(**own)),
        "own_voices": plain_rows(Voice.objects.filter(**own)),
        "consents": _consents(account_ids),
        "own_avatar_events": plain_rows(events, without=("detail",)),
    }


def _consents(account_ids: list[UUID]) -> Iterator[dict[str, Any]]:
    creations = Creation.objects.filter(account__in=account_ids).order_by("created_at")
    names = [field.attname for field in Creation._meta.concrete_fields if field.attname not in FOR_STAFF]
    for row in creations.values(*names).iterator(chunk_size=BATCH_SIZE):
        yield row | {"consent_text": consent_texts.text_of(row["consent_version"], row["consent_language"])}
