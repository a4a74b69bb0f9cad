"""The record of what was ever made, and that an order and its answer are kept together."""

import base64
from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.sandbox_client import Client

SPEECH = {"text": "Hello there, friend."}
FILM = base64.b64encode(b"\0\0\0\x18ftypisom").decode()


@pytest.fixture
def twin_group(client: Client) -> str:
    client.sandbox.configure(consent_by_itself=False, avatar_seconds=0)
    film = {"type": "base64", "media_type": "video/mp4", "data": FILM}
    answer = client.post("/v3/avatars", json={"type": "digital_twin", "name": "Twin", "file": film})
    return str(answer.json()["data"]["avatar_group"]["id"])


def facts(client: Client) -> list[tuple[Any, ...]]:
    names = ("kind", "name", "idempotency_key", "failure", "charged", "is_present")
    return [tuple(row[name] for name in names) for row in client.sandbox.made_objects()]


def send_asset(client: Client, png: bytes, key: str) -> str:
    answer = client.post("/v3/assets", files={"file": ("a.png", png, "image/png")}, headers={"Idempotency-Key": key})
    return str(answer.json()["data"]["asset_id"])


def make_look(client: Client, asset_id: str, key: str) -> httpx.Response:
    body = {"type": "photo", "name": "Me", "file": {"type": "asset_id", "asset_id": asset_id}}
    return client.post("/v3/avatars", json=body, headers={"Idempotency-Key": key})


def test_a_repeated_key_makes_one_object_of_each_kind(client: Client, png: bytes) -> None:
    for _ in range(2):
        asset_id = send_asset(client, png, "a")
        make_look(client, asset_id, "l")

    assert facts(client) == [("asset", "a.png", "a", None, 0, True), ("look", "Me", "l", None, 1, True)]


def test_what_was_deleted_stays_on_record(client: Client, png: bytes) -> None:
    client.delete(f"/v3/assets/{send_asset(client, png, 'a')}")

    assert facts(client) == [("asset", "a.png", "a", None, 0, False)]


def test_a_look_whose_making_fails_is_free(client: Client, png: bytes) -> None:
    client.sandbox.configure(making_failure_rate=1.0, seed=1)
    make_look(client, send_asset(client, png, "a"), "l")

    look = facts(client)[1]
    assert (look[0], look[4]) == ("look", 0)
    assert look[3] in ("training_failed", "insufficient_credit")


def test_speech_is_recorded_with_its_charge(client: Client) -> None:
    voice_id = client.look()["default_voice_id"]
    client.post("/v3/voices/speech", json=SPEECH | {"voice_id": voice_id}, headers={"Idempotency-Key": "s"})

    [speech] = client.sandbox.made_objects()
    assert (speech["kind"], speech["idempotency_key"], speech["charged"] > 0) == ("speech", "s", True)


def test_the_person_agrees_on_the_consent_page(client: Client, twin_group: str) -> None:
    page = client.post(f"/v3/avatars/{twin_group}/consent", json={}).json()["data"]["url"]

    assert "I agree" in httpx.get(page, trust_env=False).text
    assert client.data(f"/v3/avatars/{twin_group}")["consent_status"] == "pending"
    assert httpx.post(page, trust_env=False).status_code == 200
    assert client.data(f"/v3/avatars/{twin_group}")["consent_status"] == "approved"


def test_the_consent_page_of_a_deleted_avatar_is_gone(client: Client, twin_group: str) -> None:
    page = client.post(f"/v3/avatars/{twin_group}/consent", json={}).json()["data"]["url"]
    client.delete(f"/v3/avatars/{twin_group}")

    assert httpx.post(page, trust_env=False).status_code == 404
