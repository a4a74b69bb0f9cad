"""Every operation of HeyGen's that the sandbox serves is carried out, and its answer held against the schema."""

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from genvid.sandbox import contract
from genvid.sandbox.app import HEYGEN
from genvid.sandbox.tests.client import Client, wait_for
from genvid.sandbox.tests.receiver import Receiver

SERVED = [operation.name for module in HEYGEN for operation in module.OPERATIONS]
ASSETS, AVATARS, VIDEOS, VOICES = "/v3/assets", "/v3/avatars", "/v3/videos", "/v3/voices"
LOOKS, BATCHES, UPLOADS = AVATARS + "/looks", VIDEOS + "/batches", ASSETS + "/direct-uploads"
ENDPOINTS = "/v3/webhooks/endpoints"


class Walk(NamedTuple):
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

    def batch(self) -> httpx.Response:
        return self.client.post(BATCHES, json={"videos": [self.client.body()], "title": "One"})

    def endpoint(self) -> str:
        return str(self.post(ENDPOINTS, {"url": self.receiver.url + "/hook"})["endpoint_id"])

    def twin_group(self) -> str:
        footage = b"\0\0\0\x18ftypmp42" + bytes(64)
        body = {"type": "digital_twin", "name": "Tom", "file": self.file(footage, "video/mp4")}
        return str(self.post(AVATARS, body)["avatar_item"]["group_id"])

    def owner(self) -> str:
        return str(self.client.data(f"{ASSETS}/{self.asset()}")["owner"])

    def told(self) -> httpx.Response:
        """The history, once there is something in it."""
        self.client.finish()
        wait_for(lambda: self.client.data("/v3/webhooks/events"))
        return self.client.get("/v3/webhooks/events")


def read(path: str, **query: Any) -> Callable[[Walk], httpx.Response]:
    return lambda walk: walk.client.get(path, params=query)


def speech(walk: Walk) -> httpx.Response:
    body = {"text": "Hello", "voice_id": walk.client.look()["default_voice_id"]}
    return walk.client.post(VOICES + "/speech", json=body)


WALK: dict[str, Callable[[Walk], httpx.Response]] = {
    "POST /v3/videos/batches": Walk.batch,
    "GET /v3/videos/batches/{batch_id}": lambda walk: walk.client.get(
        f"{BATCHES}/{walk.batch().json()['data']['batch_id']}"
    ),
    "POST /v3/videos": lambda walk: walk.client.submit(),
    "GET /v3/videos": lambda walk: (walk.client.finish(), walk.client.get(VIDEOS))[1],
    "GET /v3/videos/statuses": lambda walk: walk.client.get(
        VIDEOS + "/statuses", params={"video_ids": f"{walk.client.make()},nope"}
    ),
    "GET /v3/videos/{video_id}": lambda walk: walk.client.get(f"{VIDEOS}/{walk.client.finish()['id']}"),
    "DELETE /v3/videos/{video_id}": lambda walk: walk.client.delete(f"{VIDEOS}/{walk.client.finish()['id']}"),
    "POST /v3/avatars": lambda walk: walk.client.post(AVATARS, json=walk.photo),
    "GET /v3/avatars": read(AVATARS),
    "GET /v3/avatars/looks": read(LOOKS),
    "GET /v3/avatars/looks/{look_id}": lambda walk: walk.client.get(f"{LOOKS}/{walk.client.look()['id']}"),
    "PATCH /v3/avatars/looks/{look_id}": lambda walk: walk.client.patch(
        f"{LOOKS}/{walk.own_look()['id']}", json={"name": "You"}
    ),
    "DELETE /v3/avatars/looks/{look_id}": lambda walk: walk.client.delete(f"{LOOKS}/{walk.own_look()['id']}"),
    "GET /v3/avatars/{group_id}": lambda walk: walk.client.get(f"{AVATARS}/{walk.client.look()['group_id']}"),
    "DELETE /v3/avatars/{group_id}": lambda walk: walk.client.delete(f"{AVATARS}/{walk.own_look()['group_id']}"),
    "POST /v3/avatars/{group_id}/consent": lambda walk: walk.client.post(
        f"{AVATARS}/{walk.twin_group()}/consent", json={}
    ),
    "GET /v3/voices": read(VOICES),
    "POST /v3/voices": lambda walk: walk.client.post(VOICES, json={"prompt": "a warm voice"}),
    "POST /v3/voices/clone": lambda walk: walk.client.post(VOICES + "/clone", json=walk.clone),
    "POST /v3/voices/speech": speech,
    "GET /v3/voices/{voice_id}": lambda walk: walk.client.get(f"{VOICES}/{walk.own_voice()}"),
    "DELETE /v3/voices/{voice_id}": lambda walk: walk.client.delete(f"{VOICES}/{walk.own_voice()}"),
    "POST /v3/assets": Walk.upload,
    "GET /v3/assets": lambda walk: walk.client.get(ASSETS, params={"username": walk.owner()}),
    "GET /v3/assets/search": read(ASSETS + "/search", query="cat", type="image"),
    "GET /v3/assets/statuses": lambda walk: walk.client.get(ASSETS + "/statuses", params={"asset_ids": walk.asset()}),
    "GET /v3/assets/batches/{batch_id}": lambda walk: walk.client.get(f"{ASSETS}/batches/{walk.upload_batch()}"),
    "POST /v3/assets/direct-uploads": lambda walk: walk.client.post(UPLOADS, json=walk.ticket),
    "POST /v3/assets/direct-uploads/batches": lambda walk: walk.client.post(
        UPLOADS + "/batches", json={"files": [walk.ticket]}
    ),
    "POST /v3/assets/complete/batches": lambda walk: walk.client.post(
        ASSETS + "/complete/batches", json={"batch_id": walk.upload_batch()}
    ),
    "POST /v3/assets/{asset_id}/complete": lambda walk: walk.client.post(f"{ASSETS}/{walk.direct_upload()}/complete"),
    "GET /v3/assets/{asset_id}": lambda walk: walk.client.get(f"{ASSETS}/{walk.asset()}"),
    "DELETE /v3/assets/{asset_id}": lambda walk: walk.client.delete(f"{ASSETS}/{walk.asset()}"),
    "POST /v3/webhooks/endpoints": lambda walk: walk.client.post(ENDPOINTS, json={"url": walk.receiver.url + "/hook"}),
    "GET /v3/webhooks/endpoints": lambda walk: (walk.endpoint(), walk.client.get(ENDPOINTS))[1],
    "PATCH /v3/webhooks/endpoints/{endpoint_id}": lambda walk: walk.client.patch(
        f"{ENDPOINTS}/{walk.endpoint()}", json={"url": walk.receiver.url + "/other"}
    ),
    "DELETE /v3/webhooks/endpoints/{endpoint_id}": lambda walk: walk.client.delete(f"{ENDPOINTS}/{walk.endpoint()}"),
    "POST /v3/webhooks/endpoints/{endpoint_id}/rotate-secret": lambda walk: walk.client.post(
        f"{ENDPOINTS}/{walk.endpoint()}/rotate-secret"
    ),
    "GET /v3/webhooks/event-types": read("/v3/webhooks/event-types"),
    "GET /v3/webhooks/events": Walk.told,
    "GET /v3/users/me": read("/v3/users/me"),
}


@pytest.fixture
def walk(client: Client, receiver: Receiver, png: bytes, wav: bytes) -> Walk:
    return Walk(client, receiver, png, wav)


def test_every_served_operation_is_walked() -> None:
    assert sorted(WALK) == sorted(SERVED)


def test_everything_that_heygen_has_of_a_served_group_is_served() -> None:
    """As in HeyGen's own command line, whose groups are the document's tags."""
    paths = contract.document()["paths"]
    known = {f"{verb.upper()} {path}": one.get("tags", [""])[0] for path in paths for verb, one in paths[path].items()}
    groups = {known[name] for name in SERVED}

    assert {name for name, group in known.items() if group in groups} == set(SERVED)


@pytest.mark.parametrize("operation", SERVED)
def test_its_answer_is_what_the_schema_says(operation: str, walk: Walk) -> None:
    method, _, path = operation.partition(" ")

    answer = WALK[operation](walk)

    assert answer.is_success, answer.text
    assert str(answer.status_code) in contract.operation(path, method)["responses"]
    assert contract.answer_violation(path, method, answer.status_code, answer.json()) is None
