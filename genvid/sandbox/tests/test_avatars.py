import base64
import time
from typing import Any

import pytest

from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for


@pytest.fixture
def photo(png: bytes) -> dict[str, Any]:
    file = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    return {"type": "photo", "name": "Me", "file": file}


def create(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v3/avatars", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def test_every_persona_is_a_look(client: Client) -> None:
    looks = client.data("/v3/avatars/looks", limit=50)

    assert [look["name"].partition(",")[0] for look in looks] == [one.name for one in PERSONAS.values()]


def test_a_look_says_what_a_client_needs(client: Client) -> None:
    look = client.look("digital_twin")

    assert look["supported_api_engines"] == ["avatar_v", "avatar_iv", "avatar_iii"]
    assert client.data(f"/v3/voices/{look['default_voice_id']}")["voice_id"] == look["default_voice_id"]
    assert client.data(f"/v3/avatars/looks/{look['id']}") == look


def test_ids_of_looks_survive_a_restart(client: Client) -> None:
    before = [look["id"] for look in client.data("/v3/avatars/looks")]
    client.sandbox.restart()

    assert [look["id"] for look in client.data("/v3/avatars/looks")] == before


def test_looks_are_paged(client: Client) -> None:
    one = client.get("/v3/avatars/looks", params={"limit": 5}).json()
    two = client.get("/v3/avatars/looks", params={"limit": 5, "token": one["next_token"]}).json()

    assert one["data"] + two["data"] == client.data("/v3/avatars/looks")


def test_looks_are_found_by_group(client: Client) -> None:
    look = client.look()

    assert client.data("/v3/avatars/looks", group_id=look["group_id"]) == [look]
    assert client.data(f"/v3/avatars/{look['group_id']}")["looks_count"] == 1


def test_groups_are_listed_by_owner(client: Client) -> None:
    assert len(client.data("/v3/avatars", ownership="public")) == len(PERSONAS)
    assert client.data("/v3/avatars", ownership="private") == []


def test_a_photo_becomes_an_avatar_that_speaks(client: Client, photo: dict[str, Any]) -> None:
    look = create(client, photo)["avatar_item"]

    assert (look["avatar_type"], look["status"]) == ("photo_avatar", "completed")
    assert (look["image_width"], look["image_height"]) == (64, 96)
    assert client.finish(avatar_id=look["id"])["status"] == "completed"
    assert client.get(look["preview_image_url"]).headers["content-type"] == "image/png"


def test_creating_an_avatar_costs_a_dollar_and_sends_an_event(client: Client, photo: dict[str, Any]) -> None:
    look = create(client, photo)["avatar_item"]

    events = wait_for(lambda: client.data("/v3/webhooks/events"))
    assert [event["event_data"]["avatar_id"] for event in events] == [look["id"]]
    assert client.sandbox.records()["wallet"] == 999


def test_a_new_avatar_is_processing_until_it_is_ready(client: Client, photo: dict[str, Any]) -> None:
    client.sandbox.configure(avatar_seconds=3600)
    look = create(client, photo)["avatar_item"]

    assert (look["status"], look["preview_image_url"]) == ("processing", None)
    assert client.refusal(avatar_id=look["id"]) == (409, "resource_not_ready", "avatar_id")


def test_a_new_avatar_is_ready_by_itself_when_its_time_has_come(client: Client, photo: dict[str, Any]) -> None:
    client.sandbox.configure(avatar_seconds=0.5)
    begun = time.monotonic()
    look = create(client, photo)["avatar_item"]

    wait_for(lambda: client.data(f"/v3/avatars/looks/{look['id']}")["status"] == "completed")
    assert time.monotonic() - begun >= 0.5


def test_a_description_becomes_an_avatar(client: Client) -> None:
    body = {"type": "prompt", "name": "Ann", "prompt": "A woman with red hair"}

    assert create(client, body)["avatar_item"]["gender"] == "female"


def test_a_twin_needs_consent(client: Client) -> None:
    footage = base64.b64encode(b"\0\0\0\x18ftypmp42" + bytes(64)).decode()
    file = {"type": "base64", "media_type": "video/mp4", "data": footage}
    look = create(client, {"type": "digital_twin", "name": "Tom", "file": file})["avatar_item"]
    assert client.refusal(avatar_id=look["id"]) == (400, "avatar_consent_required", "avatar_id")

    answer = client.post(f"/v3/avatars/{look['group_id']}/consent", json={})

    assert answer.json()["data"]["avatar_group"]["consent_status"] == "approved"
    assert client.submit(avatar_id=look["id"]).status_code == 200


def test_an_own_look_is_renamed(client: Client, photo: dict[str, Any]) -> None:
    look = create(client, photo)["avatar_item"]

    answer = client.patch(f"/v3/avatars/looks/{look['id']}", json={"name": "You"})

    assert answer.json()["data"] == {**look, "name": "You"}


def test_deleting_the_last_look_deletes_the_group(client: Client, photo: dict[str, Any]) -> None:
    look = create(client, photo)["avatar_item"]

    assert client.delete(f"/v3/avatars/looks/{look['id']}").json() == {"data": {"id": look["id"]}}
    missing = client.get(f"/v3/avatars/{look['group_id']}")
    assert refusal_of(missing) == (404, "avatar_group_not_found", None)


def test_a_group_is_deleted_with_its_looks(client: Client, photo: dict[str, Any]) -> None:
    first = create(client, photo)["avatar_item"]
    second = create(client, {**photo, "avatar_group_id": first["group_id"]})["avatar_item"]
    assert second["group_id"] == first["group_id"]

    client.delete(f"/v3/avatars/{first['group_id']}")

    assert client.data("/v3/avatars/looks", ownership="private") == []


def test_public_avatars_cannot_be_touched(client: Client) -> None:
    look = client.look()

    for answer in (
        client.patch(f"/v3/avatars/looks/{look['id']}", json={"name": "X"}),
        client.delete(f"/v3/avatars/looks/{look['id']}"),
        client.delete(f"/v3/avatars/{look['group_id']}"),
    ):
        assert refusal_of(answer) == (403, "resource_access_denied", None)


def test_a_setting_makes_new_avatars_fail_with_a_code(client: Client, photo: dict[str, Any]) -> None:
    client.sandbox.configure(making_failure="training_failed")
    look = create(client, photo)["avatar_item"]

    error = {"code": "training_failed", "message": "Footage is too short or too long"}
    assert (look["status"], look["error"], look["preview_image_url"]) == ("failed", error, None)
    assert client.data(f"/v3/avatars/{look['group_id']}")["error"] == error
    event = wait_for(lambda: client.data("/v3/webhooks/events"))[0]
    assert event["event_type"] == "photo_avatar_generation.fail"


def test_a_failed_avatar_stays_failed_when_the_setting_is_taken_back(client: Client, photo: dict[str, Any]) -> None:
    client.sandbox.configure(making_failure="training_failed")
    look = create(client, photo)["avatar_item"]
    client.sandbox.configure(making_failure=None)

    assert client.data(f"/v3/avatars/looks/{look['id']}")["status"] == "failed"


def test_a_full_account_makes_no_more(client: Client, photo: dict[str, Any]) -> None:
    client.sandbox.configure(most_own=1)
    look = create(client, photo)["avatar_item"]
    assert refusal_of(client.post("/v3/avatars", json=photo))[:2] == (400, "resource_limit_reached")

    client.delete(f"/v3/avatars/looks/{look['id']}")
    create(client, photo)


def test_consent_may_be_left_to_the_person(client: Client) -> None:
    client.sandbox.configure(consent_by_itself=False)
    footage = base64.b64encode(b"\0\0\0\x18ftypmp42" + bytes(64)).decode()
    file = {"type": "base64", "media_type": "video/mp4", "data": footage}
    look = create(client, {"type": "digital_twin", "name": "Tom", "file": file})["avatar_item"]
    client.post(f"/v3/avatars/{look['group_id']}/consent", json={})
    assert client.data(f"/v3/avatars/looks/{look['id']}")["status"] == "pending_consent"

    client.sandbox.consent(look["group_id"])
    assert client.data(f"/v3/avatars/looks/{look['id']}")["status"] == "completed"
