"""Client of HeyGen's API v3, the only way to HeyGen. Every method may raise any `HeyGenError`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, urlsplit

import structlog
from django.conf import settings

from genvid import metrics
from genvid.heygen import assets, wire
from genvid.heygen.heygen_errors import NotFound, Unknown
from genvid.heygen.heygen_types import (
    Look,
    ProviderAccount,
    RemoteVideo,
    RemoteVoice,
    RenderSpec,
    RenderState,
    Submission,
    WebhookEndpoint,
    WebhookNotice,
)
from genvid.heygen.media import fetch_media
from genvid.heygen.speech_wire import SpeechSpec, Spoken, read_speech, write_speech
from genvid.heygen.transport import Call, Transport
from genvid.heygen.webhook_signature import read_event
from genvid.http import Download, Head

logger = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_STATUS_IDS = 100
MAX_PAGES = 1000
SPEECH_TIMEOUT = 45.0
"""Seconds. Nobody waits for longer; a repeated key gets the answer once there is one."""
# HeyGen v3, create video page: 1 to 255 of these, remembered for 24 hours.
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")


@dataclass(frozen=True)
class HeyGenClient:
    """`media_hosts`: host names, or suffixes with a leading dot, of permitted downloads. Timeouts in seconds."""

    base_url: str
    api_key: str
    read_timeout: float = 30.0
    write_timeout: float = 120.0
    media_hosts: Sequence[str] = (".heygen.ai", ".heygen.com")
    allow_private_media: bool = False

    def create_video(self, spec: RenderSpec, *, idempotency_key: str, callback_id: str) -> Submission:
        """Order a video. Within 24 hours HeyGen answers a repeated key with its first answer.

        Raises `Refused` for an avatar or voice that HeyGen no longer has: the input must change.
        """
        _require_key(idempotency_key)
        body = wire.write_spec(spec, callback_id)
        try:
            data = self._write("create_video", "POST", "/v3/videos", body, idempotency_key)
        except NotFound as error:
            raise error.as_refusal() from error
        return Submission(_require(data, "video_id"), wire.read_text(data, "status"))

    def get_video(self, video_id: str, *, captioned: bool = False) -> RemoteVideo:
        data = _object(self._read("get_video", f"/v3/videos/{_segment(video_id)}"))
        _require(data, "status")
        if wire.read_text(data, "id", "video_id") not in ("", video_id):
            raise Unknown("unreadable", "answered with another video")
        return wire.read_video({**data, "id": video_id}, captioned=captioned)

    def get_statuses(self, video_ids: Sequence[str]) -> dict[str, RenderState]:
        """The states of up to 100 videos in one call; ids missing in HeyGen's answer are left out."""
        if len(video_ids) > MAX_STATUS_IDS:
            raise ValueError(f"at most {MAX_STATUS_IDS} ids")
        if not video_ids:
            return {}
        metrics.count_poll(len(video_ids))
        envelope = self._read("get_statuses", "/v3/videos/statuses", {"video_ids": ",".join(video_ids)})
        rows = ((wire.read_text(row, "video_id"), wire.read_text(row, "status")) for row in _rows(envelope))
        return {video_id: wire.read_state(word) for video_id, word in rows if word and video_id in video_ids}

    def find_videos(self, title: str) -> Iterator[RemoteVideo]:
        """Videos whose title contains `title`. Finds an order whose answer was lost."""
        params = {"title": title, "limit": "100"}
        return self._pages("find_videos", "/v3/videos", params, wire.read_video)

    def delete_video(self, video_id: str) -> bool:
        """False if already deleted. Deleting neither stops a render nor refunds it."""
        try:
            self._write("delete_video", "DELETE", f"/v3/videos/{_segment(video_id)}")
        except NotFound:
            return False
        return True

    def iter_looks(self) -> Iterator[Look]:
        """All looks, public and private. A failed page raises, so the result is always complete.

        Whether a look is private follows from the list that holds it. Private ones come last, so they win for a look in
        both lists.
        """
        for ownership in ("public", "private"):
            params = {"ownership": ownership, "limit": "50"}
            read = partial(wire.read_look, is_private=ownership == "private")
            yield from self._pages("iter_looks", "/v3/avatars/looks", params, read)

    def iter_voices(self) -> Iterator[RemoteVoice]:
        for kind in ("public", "private"):
            params = {"type": kind, "limit": "100"}
            read = partial(wire.read_voice, is_private=kind == "private")
            yield from self._pages("iter_voices", "/v3/voices", params, read)

    def speak(self, spec: SpeechSpec, *, idempotency_key: str) -> Spoken:
        """Have a text spoken, which HeyGen answers once it is done. A repeated key gets the first answer for 24 hours.

        Raises `Refused` for a voice that HeyGen no longer has.
        """
        _require_key(idempotency_key)
        timeout = min(SPEECH_TIMEOUT, self.write_timeout)
        call = Call(
            "speak", "POST", "/v3/voices/speech", timeout, json=write_speech(spec), idempotency_key=idempotency_key
        )
        try:
            data = _object(self._transport.call(call))
        except NotFound as error:
            raise error.as_refusal() from error
        return read_speech(data)

    def get_account(self) -> ProviderAccount:
        return wire.read_account(_object(self._read("get_account", "/v3/users/me")))

    def register_webhook(self, url: str, events: Sequence[str]) -> WebhookEndpoint:
        """HeyGen shows the answer's secret only once. An empty `events` subscribes to all."""
        body = {"url": url, "events": list(events) or None}
        data = self._write("register_webhook", "POST", "/v3/webhooks/endpoints", body)
        _require(data, "endpoint_id")
        return wire.read_webhook_endpoint(data)

    def iter_webhooks(self) -> Iterator[WebhookEndpoint]:
        params = {"limit": "100"}
        return self._pages("iter_webhooks", "/v3/webhooks/endpoints", params, wire.read_webhook_endpoint)

    def rotate_webhook_secret(self, endpoint_id: str) -> str:
        """Returns the new secret. HeyGen stops signing with the old one at once."""
        path = f"/v3/webhooks/endpoints/{_segment(endpoint_id)}/rotate-secret"
        return _require(self._write("rotate_webhook_secret", "POST", path), "secret")

    def iter_events(self, event_type: str) -> Iterator[WebhookNotice]:
        """HeyGen's history of one event type, newest first (observed; not documented)."""
        params = {"limit": "100", "event_type": event_type}
        return self._pages("iter_events", "/v3/webhooks/events", params, read_event)

    def download_media(
        self,
        url: str,
        sink: BinaryIO,
        *,
        max_bytes: int,
        timeout: float = 600.0,
        expected_types: Sequence[str] | None = None,
        start: int = 0,
        etag: str | None = None,
        begin: Callable[[Head], None] | None = None,
    ) -> Download:
        """Copy a file of HeyGen's into `sink`, without our API key. Arguments as for `genvid.http.download`.

        Raises `LinkExpired` (read the video again) and `Unknown` with code "rangerefused" (start from the beginning).
        """
        return fetch_media(
            url,
            sink,
            max_bytes=max_bytes,
            timeout=timeout,
            allowed_hosts=self.media_hosts,
            allow_private=self.allow_private_media,
            expected_types=expected_types,
            start=start,
            etag=etag,
            begin=begin,
        )

    def create_asset(self, file: BinaryIO, *, name: str, content_type: str, size: int, idempotency_key: str) -> str:
        """Copy a file to HeyGen and return the id of the asset. `file`: at its beginning, `size` bytes long.

        Within 24 hours HeyGen answers a repeated key with its first answer.
        """
        new = assets.NewAsset(file, name, content_type, size, idempotency_key)
        return assets.create(self._transport, new, self.write_timeout, allow_private=self.allow_private_media)

    def delete_asset(self, asset_id: str) -> bool:
        """False if already deleted."""
        try:
            self._write("delete_asset", "DELETE", f"/v3/assets/{_segment(asset_id)}")
        except NotFound:
            return False
        return True

    @property
    def _transport(self) -> Transport:
        return Transport(self.base_url, self.api_key)

    def _read(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> wire.Json:
        return self._transport.call(Call(operation, "GET", path, self.read_timeout, params))

    def _write(
        self, operation: str, method: str, path: str, body: wire.Json | None = None, key: str | None = None
    ) -> wire.Json:
        call = Call(operation, method, path, self.write_timeout, json=body, idempotency_key=key)
        return _object(self._transport.call(call))

    def _pages(
        self, operation: str, path: str, params: Mapping[str, str], read: Callable[[wire.Json], T]
    ) -> Iterator[T]:
        seen: set[str] = set()
        token = ""
        while len(seen) < MAX_PAGES:
            envelope = self._read(operation, path, {**params, "token": token} if token else params)
            yield from (read(row) for row in _rows(envelope))
            if not _has_more(envelope):
                return
            token = wire.read_text(envelope, "next_token")
            if not token or token in seen:
                break
            seen.add(token)
        raise Unknown("pagination_loop", "the list does not come to an end")


def get_client() -> HeyGenClient:
    return HeyGenClient(
        base_url=settings.HEYGEN_BASE_URL,
        api_key=settings.HEYGEN_API_KEY.strip(),
        read_timeout=settings.HEYGEN_READ_TIMEOUT,
        write_timeout=settings.HEYGEN_WRITE_TIMEOUT,
        media_hosts=tuple(settings.HEYGEN_MEDIA_HOSTS),
        allow_private_media=settings.ALLOW_PRIVATE_MEDIA_HOSTS,
    )


def get_test_client() -> HeyGenClient:
    """The client for test keys: a sandbox that speaks HeyGen's protocol, watermarks its videos and charges nothing."""
    address = urlsplit(settings.TEST_RENDERER_URL)
    return HeyGenClient(
        base_url=settings.TEST_RENDERER_URL,
        api_key=settings.TEST_RENDERER_KEY,
        read_timeout=settings.HEYGEN_READ_TIMEOUT,
        write_timeout=settings.HEYGEN_WRITE_TIMEOUT,
        media_hosts=(address.hostname or "",),
        # The operator's own machine: it may well stand in a private network.
        allow_private_media=True,
    )


def _require_key(idempotency_key: str) -> None:
    if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise ValueError("not a valid idempotency key")


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


def _rows(envelope: wire.Json) -> list[dict[str, Any]]:
    if not isinstance(envelope["data"], list):
        raise Unknown("unreadable", "data is not a list")
    rows = [row for row in envelope["data"] if isinstance(row, dict) and _has_id(row)]
    if len(rows) < len(envelope["data"]):
        logger.warning("heygen_rows_skipped", count=len(envelope["data"]) - len(rows))
    return rows


def _has_id(row: wire.Json) -> bool:
    return bool(wire.read_text(row, "id", "video_id", "voice_id", "endpoint_id", "event_id"))


def _has_more(envelope: wire.Json) -> bool:
    more = envelope.get("has_more")
    return more if isinstance(more, bool) else bool(wire.read_text(envelope, "next_token"))


def _require(data: wire.Json, name: str) -> str:
    text = wire.read_text(data, name)
    if not text:
        raise Unknown("unreadable", f"{name} is missing")
    return text
