"""The client under test, pointed at a scripted server, and the order that most tests place."""

import pytest

from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import RenderSpec, Submission
from genvid.tests.scripted import ScriptedServer

SPEC = RenderSpec(avatar_id="look-1", script="Hello.", title="genvid 42")
CREATED = {"data": {"video_id": "vid-1", "status": "waiting", "output_format": "mp4"}}


def client_of(server: ScriptedServer, **options) -> HeyGenClient:
    options = {"media_hosts": ["127.0.0.1"], "allow_private_media": True, "read_timeout": 120.0} | options
    return HeyGenClient(server.url, "the-key", **options)


def create(client: HeyGenClient, spec: RenderSpec = SPEC) -> Submission:
    return client.create_video(spec, idempotency_key="key-1", callback_id="ours-1")


def create_against(server: ScriptedServer, status: int, code: str | None, **options) -> HeyGenError:
    server.says(status, {"error": {"code": code, "message": "text"}} if code else b"<html>", **options)
    with pytest.raises(HeyGenError) as caught:
        create(client_of(server))
    return caught.value
