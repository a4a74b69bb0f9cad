"""Serializers of the catalogue endpoints."""

from typing import Any

from avatars.enums import AvatarKind, ConsentStatus, EntryStatus, OwnAvatarKind, Owner, OwnVoiceKind
from avatars.own import consent
from genvid.api import serializers as api
from genvid.api.serializers import StrictBooleanField, StrictCharField, StrictChoiceField, StrictUUIDField

OWN = "Null for a shared one."
NAME_LENGTH = 200
CONFIRMED = 'Must be `true`: you confirm the text in the guide "Own avatars and voices".'

FILES = "https://files.heygen.ai"


class EntryErrorOutput(api.OutputSerializer):
    code = api.TextField(example="footage_refused")
    message = api.TextField(example="The picture or recording cannot be used. Please choose another one.")


class ConsentOutput(api.OutputSerializer):
    status = api.EnumField(
        ConsentStatus.choices,
        help_text="`waiting`: the person must agree on the page at `url`; a fresh one: POST `avatars/{id}/consent`.",
    )
    url = api.TextField(allow_null=True, help_text="Valid for a day; null where nobody is asked.", example=None)


class EntryCreditsOutput(api.OutputSerializer):
    held = api.CreditsField(example=0)
    charged = api.CreditsField(example=20)


class OwnedOutput(api.OutputSerializer):
    """What own and shared avatars and voices have in common."""

    owner = api.EnumField(Owner.choices, help_text="`me`: for your account alone.", example=Owner.SHARED)
    status = api.EnumField(EntryStatus.choices, help_text="Only `ready` ones can be used.", example=EntryStatus.READY)
    is_test = api.FlagField(help_text="Made with a test key: for test videos alone.", example=False)
    error = EntryErrorOutput(allow_null=True, help_text="Why it failed or was refused.")
    consent = ConsentOutput(allow_null=True, help_text=OWN)
    credits = EntryCreditsOutput(allow_null=True, help_text=OWN)


class ConsentInput(api.StrictSerializer):
    """All of it is needed: what is missing is refused as `consent_required`."""

    is_me = StrictBooleanField(required=False, help_text="Whether it is your own face or voice.", example=True)
    subject_name = StrictCharField(
        max_length=NAME_LENGTH, required=False, help_text="Whose it is; needed where it is not yours.", example="Ada"
    )
    confirmed = StrictBooleanField(required=False, help_text=CONFIRMED, example=True)


class OwnEntryInput(api.StrictSerializer):
    name = StrictCharField(max_length=NAME_LENGTH, example="Ada at her desk")
    upload_id = StrictUUIDField("upload")
    # Left out or without a confirmation it is refused as `consent_required`.
    consent = ConsentInput(required=False, allow_null=True)


class OwnAvatarInput(OwnEntryInput):
    kind = StrictChoiceField(OwnAvatarKind.choices, help_text="Of a picture, or of a film.")


class OwnVoiceInput(OwnEntryInput):
    kind = StrictChoiceField(OwnVoiceKind.choices, example=OwnVoiceKind.CLONE)
    language = StrictCharField(max_length=100, help_text="Its English name.", example="English")


class NameInput(api.StrictSerializer):
    name = StrictCharField(max_length=NAME_LENGTH, example="Ada at her desk")


class AvatarOutput(OwnedOutput):
    id = api.IdField("avatar")
    name = api.TextField(example="Grace in the studio")
    gender = api.TextField(example="female")
    kind = api.EnumField(AvatarKind.choices)
    is_premium = api.FlagField(example=False)
    tags = api.TextListField(example=["business"])
    default_voice_id = api.IdField("voice", allow_null=True)
    preview_image_url = api.TextField(example=f"{FILES}/avatar/grace.webp")
    preview_video_url = api.TextField(example=f"{FILES}/avatar/grace.mp4")
    engines = api.TextListField(example=["avatar_iv", "avatar_iii"])
    orientation = api.TextField(example="landscape")
    is_available = api.FlagField(help_text="False once HeyGen has retired it: a new video is refused.")


class VoiceOutput(OwnedOutput):
    id = api.IdField("voice")
    name = api.TextField(example="Ada")
    language = api.TextField(example="English")
    locale = api.TextField(allow_null=True, example="en-US")
    gender = api.TextField(example="female")
    preview_audio_url = api.TextField(example=f"{FILES}/voice/ada.mp3")
    supports_pause = api.FlagField()
    is_available = api.FlagField()


def avatar_data(avatar: Any) -> dict[str, Any]:
    """`avatar` comes from `with_offered_voice()`."""
    return AvatarOutput.of(avatar, default_voice_id=avatar.offered_voice_id, **_owned(avatar))


def voice_data(voice: Any) -> dict[str, Any]:
    return VoiceOutput.of(voice, locale=voice.locale or None, **_owned(voice))


def _owned(entry: Any) -> dict[str, Any]:
    owner = Owner.SHARED if entry.account_id is None else Owner.ME
    if not entry.is_own:
        return {"owner": owner, "status": entry.status, "error": None, "consent": None, "credits": None}
    made = entry.creation
    error = {"code": made.error_code, "message": made.error_message} if made.error_code else None
    return {
        "owner": owner,
        "status": entry.status,
        "error": error,
        "consent": {"status": consent.status_of(made), "url": consent.shown_url(made)},
        "credits": {"held": made.credits_held, "charged": made.credits_charged},
    }
