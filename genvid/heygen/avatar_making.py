"""Own faces and voices at HeyGen: makes them from a file, asks for consent, reads and deletes them.

Every method may raise any `HeyGenError`. Fields and values: HeyGen v3, API reference (avatars, looks, voices).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote

import structlog

from genvid.heygen import wire
from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_client import MAX_PAGES, HeyGenClient
from genvid.heygen.heygen_errors import NotFound, Unknown
from genvid.heygen.heygen_types import Failure, Look, RemoteVoice
from genvid.heygen.transport import Call, Transport

logger = structlog.get_logger(__name__)
T = TypeVar("T")


class MakingState(Enum):
    PROCESSING = "processing"
    PENDING_CONSENT = "pending_consent"
    COMPLETED = "completed"
    FAILED = "failed"


# Groups and looks say "completed", cloned voices "complete".
STATES: Mapping[str, MakingState] = {
    "": MakingState.PROCESSING,
    "waiting": MakingState.PROCESSING,
    "pending": MakingState.PROCESSING,
    "queued": MakingState.PROCESSING,
    "processing": MakingState.PROCESSING,
    "training": MakingState.PROCESSING,
    "pending_consent": MakingState.PENDING_CONSENT,
    "completed": MakingState.COMPLETED,
    "complete": MakingState.COMPLETED,
    "failed": MakingState.FAILED,
}
# The values of `consent_status` are not documented. One that is in neither says nothing for certain.
AGREED = frozenset({"accepted", "agreed", "approved", "completed", "confirmed", "given", "granted", "verified"})
NOT_AGREED = frozenset({"declined", "denied", "expired", "failed", "pending", "pending_consent", "refused", "rejected",
                        "required", "revoked"})  # fmt: skip
NOTHING_SAID = frozenset({"", "none", "not_required"})


@dataclass(frozen=True)
class MadeLook:
    """A look that HeyGen makes of a customer's file. `is_usable`: videos may name it."""

    look: Look
    state: MakingState
    is_usable: bool
    failure: Failure | None


@dataclass(frozen=True)
class MadeGroup:
    id: str
    name: str
    state: MakingState
    needs_consent: bool
    is_confirmed: bool = False
    """HeyGen says, in its consent status or in how far the group is, that the filmed person has agreed."""


@dataclass(frozen=True)
class MadeVoice:
    voice: RemoteVoice
    state: MakingState
    failure: Failure | None


@dataclass(frozen=True)
class AvatarMaker:
    client: HeyGenClient

    def create_avatar(self, kind: str, *, name: str, asset_id: str, idempotency_key: str) -> tuple[str, str]:
        """`kind`: "photo" or "digital_twin". Returns the ids of the look and of its group. HeyGen bills the call."""
        body = {"type": kind, "name": name, "file": {"type": "asset_id", "asset_id": asset_id}}
        data = self._write("create_avatar", "POST", "/v3/avatars", body, idempotency_key)
        look = wire.read_object(data, "avatar_item")
        group_id = wire.read_text(wire.read_object(data, "avatar_group"), "id") or wire.read_text(look, "group_id")
        return _required(look, "id"), group_id

    def clone_voice(self, *, name: str, asset_id: str, language: str, idempotency_key: str) -> str:
        body = {"voice_name": name, "audio": {"type": "asset_id", "asset_id": asset_id}}
        if language:
            body["language"] = language
        data = self._write("clone_voice", "POST", "/v3/voices/clone", body, idempotency_key)
        return _required(data, "voice_clone_id")

    def ask_for_consent(self, group_id: str) -> str:
        """Returns the address of the page on which the person consents; "" where HeyGen needs no consent."""
        path = f"/v3/avatars/{_segment(group_id)}/consent"
        return wire.read_link(self._write("ask_for_consent", "POST", path, {}), "url") or ""

    def get_look(self, look_id: str) -> MadeLook:
        data = self._read("get_look", f"/v3/avatars/looks/{_segment(look_id)}")
        return read_made_look({**data, "id": _same(data, "id", look_id)})

    def get_group(self, group_id: str) -> MadeGroup:
        data = self._read("get_group", f"/v3/avatars/{_segment(group_id)}")
        return read_made_group({**data, "id": _same(data, "id", group_id)})

    def get_voice(self, voice_id: str) -> MadeVoice:
        data = self._read("get_voice", f"/v3/voices/{_segment(voice_id)}")
        return read_made_voice({**data, "voice_id": _same(data, "voice_id", voice_id)})

    def iter_private_looks(self) -> Iterator[MadeLook]:
        params = {"ownership": "private", "limit": "50"}
        return self._pages("iter_private_looks", "/v3/avatars/looks", params, read_made_look)

    def iter_private_groups(self) -> Iterator[MadeGroup]:
        params = {"ownership": "private", "limit": "50"}
        return self._pages("iter_private_groups", "/v3/avatars", params, read_made_group)

    def iter_private_voices(self) -> Iterator[MadeVoice]:
        params = {"type": "private", "limit": "100"}
        return self._pages("iter_private_voices", "/v3/voices", params, read_made_voice)

    def delete_look(self, look_id: str) -> bool:
        """False if already deleted. With its last look HeyGen deletes the group."""
        return self._delete("delete_look", f"/v3/avatars/looks/{_segment(look_id)}")

    def delete_group(self, group_id: str) -> bool:
        return self._delete("delete_group", f"/v3/avatars/{_segment(group_id)}")

    def delete_voice(self, voice_id: str) -> bool:
        return self._delete("delete_voice", f"/v3/voices/{_segment(voice_id)}")

    @property
    def _transport(self) -> Transport:
        return Transport(self.client.base_url, self.client.api_key)

    def _envelope(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> wire.Json:
        return self._transport.call(Call(operation, "GET", path, self.client.read_timeout, params))

    def _read(self, operation: str, path: str) -> wire.Json:
        return _object(self._envelope(operation, path))

    def _write(self, operation: str, method: str, path: str, body: Any = None, key: str | None = None) -> wire.Json:
        call = Call(operation, method, path, self.client.write_timeout, json=body, idempotency_key=key)
        return _object(self._transport.call(call))

    def _delete(self, operation: str, path: str) -> bool:
        try:
            self._write(operation, "DELETE", path)
        except NotFound:
            return False
        return True

    def _pages(
        self, operation: str, path: str, params: Mapping[str, str], read: Callable[[wire.Json], T]
    ) -> Iterator[T]:
        """A failed page raises, so that the list is always complete."""
        seen: set[str] = set()
        token = ""
        while len(seen) < MAX_PAGES:
            envelope = self._envelope(operation, path, {**params, "token": token} if token else params)
            if not isinstance(envelope["data"], list):
                raise Unknown("unreadable", "data is not a list")
            yield from (read(row) for row in envelope["data"] if isinstance(row, dict))
            token = wire.read_text(envelope, "next_token")
            if envelope.get("has_more") is False or not token:
                return
            if token in seen:
                break
            seen.add(token)
        raise Unknown("pagination_loop", "the list does not come to an end")


def read_state(word: str) -> MakingState:
    """An unknown word is never an end: a new intermediate status must not fail or finish anything."""
    state = STATES.get(word.lower())
    if state is None:
        logger.warning("heygen_unknown_status", status=word)
    return state or MakingState.PROCESSING


def read_made_look(raw: wire.Json) -> MadeLook:
    """Completed counts once there is a picture with a size: HeyGen may say it earlier (skills, avatar creation)."""
    look, state = wire.read_look(raw, is_private=True), read_state(wire.read_text(raw, "status"))
    has_picture = look.preview_image_url and wire.read_number(raw, "image_width")
    is_usable = state is MakingState.COMPLETED and bool(has_picture and wire.read_number(raw, "image_height"))
    return MadeLook(look, state, is_usable, _failure_of(raw, state))


def read_made_group(raw: wire.Json) -> MadeGroup:
    state = read_state(wire.read_text(raw, "status"))
    consent = wire.read_text(raw, "consent_status").lower()
    is_known = consent in AGREED | NOT_AGREED | NOTHING_SAID
    if not is_known:
        logger.warning("heygen_unknown_status", status=consent)
    # A group that is complete is no longer kept waiting for a word that nobody knows; HeyGen itself films it or not.
    is_open = consent in NOT_AGREED or not (is_known or state is MakingState.COMPLETED)
    needs_consent = state is MakingState.PENDING_CONSENT or is_open
    is_confirmed = is_known and not needs_consent
    return MadeGroup(wire.read_text(raw, "id"), wire.read_text(raw, "name"), state, needs_consent, is_confirmed)


def read_made_voice(raw: wire.Json) -> MadeVoice:
    state = read_state(wire.read_text(raw, "status"))
    return MadeVoice(wire.read_voice(raw, is_private=True), state, _failure_of(raw, state))


def ids_in_event(payload: wire.Json) -> tuple[str, str]:
    """The look and the group that a webhook names, "" where it names none. Their fields are not documented."""
    data = wire.read_object(payload, "event_data")
    look_id = wire.read_text(data, "avatar_id", "look_id", "avatar_look_id", "photo_avatar_id", "id")
    return look_id, wire.read_text(data, "avatar_group_id", "group_id")


def _failure_of(raw: wire.Json, state: MakingState) -> Failure | None:
    """Looks carry an `error` object, cloned voices a `failure_message`."""
    if state is not MakingState.FAILED:
        return None
    error = wire.read_object(raw, "error")
    code = wire.read_text(error, "code") or wire.read_text(raw, "failure_code")
    return failure_of_video(code, wire.read_text(error, "message") or wire.read_text(raw, "failure_message"))


def _segment(identifier: str) -> str:
    """Raises ValueError for an empty or dots-only id, which would name another resource."""
    if not identifier.strip("."):
        raise ValueError("not an id")
    return quote(identifier, safe="")


def _object(envelope: wire.Json) -> wire.Json:
    data = envelope["data"]
    if not isinstance(data, dict):
        raise Unknown("unreadable", "data is not an object")
    return data


def _required(data: wire.Json, name: str) -> str:
    text = wire.read_text(data, name)
    if not text:
        raise Unknown("unreadable", f"{name} is missing")
    return text


def _same(data: wire.Json, name: str, wanted: str) -> str:
    if wire.read_text(data, name) not in ("", wanted):
        raise Unknown("unreadable", "answered with another object")
    return wanted
