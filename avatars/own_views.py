"""Endpoints of own avatars and voices: make, rename, delete, and ask for consent anew."""

from collections.abc import Mapping
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars.enums import CreationKind
from avatars.models import Creation
from avatars.own import changes, consent, orders
from avatars.own.orders import CreationRequest
from avatars.own.representations import entry_data
from avatars.serializers import AvatarOutput, NameInput, OwnAvatarInput, OwnVoiceInput, VoiceOutput
from genvid.api.endpoints import Endpoint, Idempotency, Serializer
from genvid.api.serializers import example_id
from genvid.errors import InvalidState

SPENDS = ("insufficient_credits", "key_limit_reached")
REFUSALS = ("content_refused", "consent_required", "slots_full", "provider_unavailable", *SPENDS)
OF_OPERATOR = "The operator has made it for you: ask them."
PENDING = {
    "owner": "me",
    "status": "queued",
    "error": None,
    "consent": {"status": "given", "url": None},
    "credits": {"held": 20, "charged": 0},
}
"""What the example of one that is being made changes in that of a ready one."""


def changes_of(noun: str, output: Serializer) -> dict[str, Endpoint]:
    """The endpoints that rename and delete an own avatar or voice."""
    return {
        "partial_update": Endpoint(
            f"update_{noun}",
            f"Rename an own {noun}",
            scope=Scope.AVATARS_WRITE,
            request=NameInput,
            partial=True,
            response=output,
            errors=("content_refused", "invalid_state"),
        ),
        "destroy": Endpoint(
            f"delete_{noun}",
            f"Delete an own {noun}",
            scope=Scope.AVATARS_WRITE,
            errors=("invalid_state",),
            description="Withdraws the consent: nobody may use it from now on, and its copy at HeyGen is deleted. "
            "Queued videos of it fail and give their credits back.",
        ),
    }


class OwnEntryMixin(AccountViewSet):
    """Expects the viewset to show only rows that the caller may see."""

    def texts_to_check(self) -> Mapping[str, str]:
        names_it = self.action in ("create", "partial_update")
        return {"name": self.body["name"]} if names_it and "name" in self.body else {}

    def _order(self, kind: CreationKind, body: dict[str, Any]) -> Response:
        request = CreationRequest(
            kind=kind,
            name=body["name"],
            upload_id=body["upload_id"],
            consent=orders.consent_of(body.get("consent")),
            language=body.get("language", ""),
        )
        return Response(entry_data(orders.order(self.caller, request)), status=202)

    def _own(self) -> Creation:
        """The creation of the row in the URL. Raises NotFound, and InvalidState for what the account did not make."""
        entry = self.get_object()
        if not entry.is_own:
            raise InvalidState(OF_OPERATOR if entry.account_id else "It is shared by all accounts.")
        creation: Creation = entry.creation
        return creation

    def partial_update(self, request: Request, **lookup: Any) -> Response:
        body, creation = self.body, self._own()
        if "name" in body:
            changes.rename(creation, body["name"])
        return Response(entry_data(creation))

    def destroy(self, request: Request, **lookup: Any) -> Response:
        changes.delete(self.caller, self._own())
        return Response(status=204)


class OwnAvatarMixin(OwnEntryMixin):
    endpoints = {
        **changes_of("avatar", AvatarOutput),
        "create": Endpoint(
            "create_avatar",
            scope=Scope.AVATARS_WRITE,
            verified_email=True,
            request=OwnAvatarInput,
            response=AvatarOutput,
            example=PENDING | {"kind": "photo_avatar", "engines": [], "preview_image_url": "", "preview_video_url": ""},
            status=202,
            idempotency=Idempotency.ATOMIC,
            errors=REFUSALS,
        ),
        "consent": Endpoint(
            "renew_avatar_consent",
            scope=Scope.AVATARS_WRITE,
            response=AvatarOutput,
            example=PENDING
            | {
                "status": "waiting_for_consent",
                "consent": {"status": "waiting", "url": f"https://app.heygen.com/consent/{example_id('consent')}"},
            },
            errors=("invalid_state", "provider_unavailable"),
        ),
    }

    def create(self, request: Request) -> Response:
        """Make an avatar of your own

        Of a picture (`photo_avatar`) or of a film of at least 15 seconds (`digital_twin`). The fee is held now, charged
        once the avatar is ready, and given back where it cannot be made.
        """
        return self._order(CreationKind(self.body["kind"]), self.body)

    @action(detail=True, methods=["post"])
    def consent(self, request: Request, **lookup: Any) -> Response:
        """Ask for a fresh consent page

        While the avatar is `waiting_for_consent`: its person agrees on the page at `consent.url`.
        """
        return Response(entry_data(consent.renew(self.caller, self._own())))


class OwnVoiceMixin(OwnEntryMixin):
    endpoints = {
        **changes_of("voice", VoiceOutput),
        "create": Endpoint(
            "create_voice",
            scope=Scope.AVATARS_WRITE,
            verified_email=True,
            request=OwnVoiceInput,
            response=VoiceOutput,
            example=PENDING | {"preview_audio_url": "", "credits": {"held": 10, "charged": 0}},
            status=202,
            idempotency=Idempotency.ATOMIC,
            errors=REFUSALS,
        ),
    }

    def create(self, request: Request) -> Response:
        """Clone a voice of your own

        Of a recording of one person who speaks. The fee is held now, charged once the voice is ready, and given back
        where it cannot be made.
        """
        return self._order(CreationKind.VOICE_CLONE, self.body)
