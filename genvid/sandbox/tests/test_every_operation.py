"""Every operation of HeyGen's that the sandbox serves is carried out, and its answer held against the schema."""

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from genvid.sandbox import heygen_schema
from genvid.sandbox.app import HEYGEN
from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.sandbox_client import Client, wait_for

SERVED = [operation.name for module in HEYGEN for operation in module.OPERATIONS]
ASSETS, AVATARS, VIDEOS, VOICES = "/v3/assets", "/v3/avatars", "/v3/videos", "/v3/voices"
LOOKS, UPLOADS = AVATARS + "/looks", ASSETS + "/direct-uploads"
ENDPOINTS = "/v3/webhooks/endpoints"


class Steps(NamedTuple):
    """What the steps need."""

    client: Client
    receiver: Receiver
    png: bytes
    wav: bytes

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.client.post(path, json={} if body is None else body)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def file(self, content: bytes, kind: str) -> dict[str, str]:
        return {"type": "base64", "media_type": kind, "data": base64.b64encode(content).decode()}

    @property
    def photo(self) -> dict[str, Any]:
        return {"type": "photo", "name": "Me", "file": self.file(self.png, "image/png")}

    def own_look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.post(AVATARS, self.photo)["avatar_item"]
        return found

    @property
    def clone(self) -> dict[str, Any]:
        return {"audio": self.file(self.wav, "audio/wav"), "voice_name": "Mine"}

    def own_voice(self) -> str:
        voice_id = str(self.post(VOICES + "/clone", self.clone)["voice_clone_id"])
        wait_for(lambda: self.client.data(f"{VOICES}/{voice_id}")["status"] == "complete")
        return voice_id

    def upload(self) -> httpx.Response:
        return self.client.post(ASSETS, files={"file": ("face.png", self.png, "image/png")})

    def asset(self) -> str:
        return str(self.upload().json()["data"]["asset_id"])

    @property
    def ticket(self) -> dict[str, Any]:
        return {"filename": "face.png", "content_type": "image/png", "size_bytes": len(self.png)}

    def put(self, begun: dict[str, Any]) -> None:
        assert self.client.put(begun["upload_url"], content=self.png, headers=begun["upload_headers"]).is_success

    def direct_upload(self) -> str:
        begun = self.post(UPLOADS, self.ticket)
        self.put(begun)
        return str(begun["asset_id"])

    def upload_batch(self) -> str:
        begun = self.post(UPLOADS + "/batches", {"files": [self.ticket]})
        self.put(begun["items"][0])
        return str(begun["batch_id"])

    def endpoint(self) -> str:
        return str(self.post(ENDPOINTS, {"url": self.receiver.url + "/hook"})["endpoint_id"])

    def twin_group(self) -> str:
        footage = b"\0\0\0\x18ftypmp42" + bytes(64)
        body = {"type": "digital_twin", "name": "Tom", "file": self.file(footage, "video/mp4")}
        return str(self.post(AVATARS, body)["avatar_item"]["group_id"])

    def owner(self) -> str:
        return str(self.client.data(f"{ASSETS}/{self.asset()}")["owner"])

    def history(self) -> httpx.Response:
        """The history, once there is something in it."""
        self.client.finish()
        wait_for(lambda: self.client.data("/v3/webhooks/events"))
        return self.client.get("/v3/webhooks/events")


def read(path: str, **query: Any) -> Callable[[Steps], httpx.Response]:
    return lambda steps: steps.client.get(path, params=query)


def speech(steps: Steps) -> httpx.Response:
    body = {"text": "Hello", "voice_id": steps.client.look()["default_voice_id"]}
    return steps.client.post(VOICES + "/speech", json=body)


REQUESTS: dict[str, Callable[[Steps], httpx.Response]] = {
    "POST /v3/videos": lambda steps: steps.client.submit(),
    "GET /v3/videos": lambda steps: (steps.client.finish(), steps.client.get(VIDEOS))[1],
    "GET /v3/videos/statuses": lambda steps: steps.client.get(
        VIDEOS + "/statuses", params={"video_ids": f"{steps.client.make()},nope"}
    ),
    "GET /v3/videos/{video_id}": lambda steps: steps.client.get(f"{VIDEOS}/{steps.client.finish()['id']}"),
    "DELETE /v3/videos/{video_id}": lambda steps: steps.client.delete(f"{VIDEOS}/{steps.client.finish()['id']}"),
    "POST /v3/avatars": lambda steps: steps.client.post(AVATARS, json=steps.photo),
    "GET /v3/avatars": read(AVATARS),
    "GET /v3/avatars/looks": read(LOOKS),
    "GET /v3/avatars/looks/{look_id}": lambda steps: steps.client.get(f"{LOOKS}/{steps.client.look()['id']}"),
    "PATCH /v3/avatars/looks/{look_id}": lambda steps: steps.client.patch(
        f"{LOOKS}/{steps.own_look()['id']}", json={"name": "You"}
    ),
    "DELETE /v3/avatars/looks/{look_id}": lambda steps: steps.client.delete(f"{LOOKS}/{steps.own_look()['id']}"),
    "GET /v3/avatars/{group_id}": lambda steps: steps.client.get(f"{AVATARS}/{steps.client.look()['group_id']}"),
    "DELETE /v3/avatars/{group_id}": lambda steps: steps.client.delete(f"{AVATARS}/{steps.own_look()['group_id']}"),
    "POST /v3/avatars/{group_id}/consent": lambda steps: steps.client.post(
        f"{AVATARS}/{steps.twin_group()}/consent", json={}
    ),
    "GET /v3/voices": read(VOICES),
    "POST /v3/voices": lambda steps: steps.client.post(VOICES, json={"prompt": "a warm voice"}),
    "POST /v3/voices/clone": lambda steps: steps.client.post(VOICES + "/clone", json=steps.clone),
    "POST /v3/voices/speech": speech,
    "GET /v3/voices/{voice_id}": lambda steps: steps.client.get(f"{VOICES}/{steps.own_voice()}"),
    "DELETE /v3/voices/{voice_id}": lambda steps: steps.client.delete(f"{VOICES}/{steps.own_voice()}"),
    "POST /v3/assets": Steps.upload,
    "GET /v3/assets": lambda steps: steps.client.get(ASSETS, params={"username": steps.owner()}),
    "GET /v3/assets/search": read(ASSETS + "/search", query="cat", type="image"),
    "GET /v3/assets/statuses": lambda steps: steps.client.get(
        ASSETS + "/statuses", params={"asset_ids": steps.asset()}
    ),
    "GET /v3/assets/batches/{batch_id}": lambda steps: steps.client.get(f"{ASSETS}/batches/{steps.upload_batch()}"),
    "POST /v3/assets/direct-uploads": lambda steps: steps.client.post(UPLOADS, json=steps.ticket),
    "POST /v3/assets/direct-uploads/batches": lambda steps: steps.client.post(
        UPLOADS + "/batches", json={"files": [steps.ticket]}
    ),
    "POST /v3/assets/complete/batches": lambda steps: steps.client.post(
        ASSETS + "/complete/batches", json={"batch_id": steps.upload_batch()}
    ),
    "POST /v3/assets/{asset_id}/complete": lambda steps: steps.client.post(
        f"{ASSETS}/{steps.direct_upload()}/complete"
    ),
    "GET /v3/assets/{asset_id}": lambda steps: steps.client.get(f"{ASSETS}/{steps.asset()}"),
    "DELETE /v3/assets/{asset_id}": lambda steps: steps.client.delete(f"{ASSETS}/{steps.asset()}"),
    "POST /v3/webhooks/endpoints": lambda steps: steps.client.post(
        ENDPOINTS, json={"url": steps.receiver.url + "/hook"}
    ),
    "GET /v3/webhooks/endpoints": lambda steps: (steps.endpoint(), steps.client.get(ENDPOINTS))[1],
    "POST /v3/webhooks/endpoints/{endpoint_id}/rotate-secret": lambda steps: steps.client.post(
        f"{ENDPOINTS}/{steps.endpoint()}/rotate-secret"
    ),
    "GET /v3/webhooks/events": Steps.history,
    "GET /v3/users/me": read("/v3/users/me"),
}


@pytest.fixture
def steps(client: Client, receiver: Receiver, png: bytes, wav: bytes) -> Steps:
    return Steps(client, receiver, png, wav)


def test_every_served_operation_is_requested_here() -> None:
    assert sorted(REQUESTS) == sorted(SERVED)


@pytest.mark.parametrize("operation", SERVED)
def test_the_answer_of_an_operation_fits_the_schema(operation: str, steps: Steps) -> None:
    method, _, path = operation.partition(" ")

    answer = REQUESTS[operation](steps)

    assert answer.is_success, answer.text
    assert str(answer.status_code) in heygen_schema.operation(path, method)["responses"]
    assert heygen_schema.answer_violation(path, method, answer.status_code, answer.json()) is None
