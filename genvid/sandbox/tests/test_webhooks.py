import hashlib
import hmac
import time
from typing import Any

import pytest

from genvid.sandbox.tests.receiver import Received, Receiver
from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for

ENDPOINTS = "/v3/webhooks/endpoints"


def register(client: Client, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    answer = client.post(ENDPOINTS, json={"url": receiver.url + "/hook", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def first(receiver: Receiver, count: int = 1) -> Received:
    wait_for(lambda: len(receiver.posts) >= count)
    return receiver.posts[0]


def mark(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_delivery_is_signed_over_its_raw_bytes(client: Client, receiver: Receiver) -> None:
    secret = register(client, receiver)["secret"]

    begun = int(time.time())

    client.finish()

    post = first(receiver)
    assert post.headers["heygen-signature"] == mark(secret, post.body)
    assert begun <= int(post.headers["heygen-timestamp"]) <= time.time()
    assert post.headers["heygen-event-id"] == post.json["event_id"]


def test_the_event_of_success_describes_the_video(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    video = client.finish(callback_id="job-1", folder_id="f1")

    event = first(receiver).json

    assert event["event_type"] == "avatar_video.success"
    assert list(event["event_data"]) == [
        "video_id",
        "url",
        "gif_download_url",
        "video_page_url",
        "video_share_page_url",
        "folder_id",
        "callback_id",
    ]
    assert (event["event_data"]["video_id"], event["event_data"]["callback_id"]) == (video["id"], "job-1")
    assert client.get(event["event_data"]["url"]).status_code == 200


def test_the_event_of_failure_gives_the_reason(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    video = client.finish(script="Hi. [[fail]]", callback_id="job-1")

    event = first(receiver).json

    assert (event["event_type"], event["event_data"]) == (
        "avatar_video.fail",
        {"video_id": video["id"], "msg": "Avatar rendering timed out", "callback_id": "job-1"},
    )


def test_captions_have_an_event_of_their_own(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.finish(caption={"style": "default"})

    first(receiver, 2)

    kinds = {post.json["event_type"] for post in receiver.posts}
    assert kinds == {"avatar_video.success", "avatar_video_caption.success"}


def test_a_callback_url_is_called_without_a_signature_beside_the_endpoint(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.finish(callback_url=receiver.url + "/once")

    first(receiver, 2)

    signed = {post.path: "heygen-signature" in post.headers for post in receiver.posts}
    assert signed == {"/hook": True, "/once": False}


def test_an_endpoint_gets_only_the_events_it_wants(client: Client, receiver: Receiver) -> None:
    register(client, receiver, events=["avatar_video.fail"])
    client.finish()
    client.finish(script="Hi. [[fail]]")

    assert first(receiver).json["event_type"] == "avatar_video.fail"


def test_a_delivery_is_repeated_until_it_succeeds(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    receiver.answers = [500, 404]
    client.finish()

    wait_for(lambda: client.sandbox.records()["deliveries"][0]["status"] == "delivered")

    assert len({post.headers["heygen-event-id"] for post in receiver.posts}) == 1
    delivery = client.sandbox.records()["deliveries"][0]
    assert [attempt["answer"] for attempt in delivery["attempts"]] == [500, 404, 200]


def test_a_delivery_is_given_up_in_the_end(client: Client, receiver: Receiver) -> None:
    client.sandbox.configure(webhook_retry_scale=0.000001)
    register(client, receiver)
    receiver.answers = [500] * 1000
    client.finish()

    wait_for(lambda: client.sandbox.records()["deliveries"][0]["status"] == "abandoned")


def test_the_mode_off_delivers_nothing_but_keeps_the_history(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="off")
    client.finish()

    assert client.sandbox.records()["deliveries"] == []
    assert len(client.data("/v3/webhooks/events")) == 1


def test_the_mode_doubled_delivers_one_event_twice(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="doubled")
    client.finish()

    first(receiver, 2)

    assert receiver.posts[0].body == receiver.posts[1].body


def test_the_mode_late_delays_the_delivery(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="late", webhook_late_seconds=0.4)
    begun = time.monotonic()

    client.finish()

    first(receiver)
    assert time.monotonic() - begun >= 0.4


def delivered_one(client: Client) -> list[dict[str, Any]]:
    """All deliveries, once one of them is written down as made."""
    found: list[dict[str, Any]] = client.sandbox.records()["deliveries"]
    return found if any(one["status"] == "delivered" for one in found) else []


def test_the_mode_reordered_lets_the_second_event_overtake(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="reordered", webhook_late_seconds=3600)
    _, second = client.finish()["id"], client.finish()["id"]

    assert first(receiver).json["event_data"]["video_id"] == second
    deliveries = wait_for(lambda: delivered_one(client))
    assert [(one["status"], one["mode"]) for one in deliveries] == [
        ("waiting", "reordered"),
        ("delivered", "reordered"),
    ]


def test_the_mode_reordered_counts_anew_when_it_is_set(client: Client, receiver: Receiver) -> None:
    client.finish()
    register(client, receiver)
    client.sandbox.configure(webhooks="reordered", webhook_late_seconds=3600)
    _, second = client.finish()["id"], client.finish()["id"]

    assert first(receiver).json["event_data"]["video_id"] == second


def test_the_mode_unsigned_sends_no_signature(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="unsigned")
    client.finish()

    assert "heygen-signature" not in first(receiver).headers


def test_the_mode_forged_sends_a_wrong_signature(client: Client, receiver: Receiver) -> None:
    secret = register(client, receiver)["secret"]
    client.sandbox.configure(webhooks="forged")
    client.finish()

    post = first(receiver)
    assert post.headers["heygen-signature"] != mark(secret, post.body)


def test_the_mode_bare_sends_a_signature_header_and_no_other(client: Client, receiver: Receiver) -> None:
    secret = register(client, receiver)["secret"]
    client.sandbox.configure(webhooks="bare")
    client.finish()

    post = first(receiver)
    assert post.headers["signature"] == mark(secret, post.body)
    assert [name for name in post.headers if name.startswith("heygen")] == []


def test_the_mode_chaos_draws_a_mode_for_each_delivery(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhooks="chaos", seed=3, webhook_late_seconds=0)
    wanted, drawn = {"normal", "doubled", "late", "reordered", "unsigned", "forgery"}, set()

    # Rarest is one in twelve: that it is never drawn in three hundred has a chance of 1 in 10^10.
    for _ in range(300):
        client.finish()
        drawn = {delivery["mode"] for delivery in client.sandbox.records()["deliveries"]}
        if drawn >= wanted:
            break

    assert drawn == wanted


def test_a_forgery_contradicts_an_event_once(client: Client, receiver: Receiver) -> None:
    secret = register(client, receiver)["secret"]
    client.sandbox.configure(webhooks="chaos")
    receiver.answers = [401] * 1000
    videos: list[str] = []
    # Three in ten are forged: that none of a hundred is has a chance of 1 in 10^15.
    while len(videos) < 100 and not any(one["mode"] == "forgery" for one in client.sandbox.records()["deliveries"]):
        videos.append(client.finish()["id"])
    wait_for(lambda: [post for post in receiver.posts if post.json["event_type"] == "avatar_video.fail"])

    forged = [post for post in receiver.posts if post.json["event_type"] == "avatar_video.fail"]

    assert {post.json["event_data"]["video_id"] for post in forged} <= set(videos)
    assert all(post.headers["heygen-signature"] != mark(secret, post.body) for post in forged)
    assert len({post.json["event_id"] for post in forged}) == len(forged)


def test_event_id_and_timestamp_can_be_left_out(client: Client, receiver: Receiver) -> None:
    register(client, receiver)
    client.sandbox.configure(webhook_event_id=False, webhook_timestamp=False)
    client.finish()

    post = first(receiver)
    assert [name for name in post.headers if name.startswith("heygen")] == ["heygen-signature"]
    assert list(post.json) == ["event_type", "event_data"]


def test_registration_probes_with_options(client: Client, receiver: Receiver) -> None:
    register(client, receiver)

    wait_for(lambda: receiver.all)
    assert [(one.method, one.path) for one in receiver.all] == [("OPTIONS", "/hook")]


def test_an_endpoint_that_does_not_answer_the_probe_is_registered(client: Client) -> None:
    assert client.post(ENDPOINTS, json={"url": "http://127.0.0.1:9/hook"}).status_code == 200


def test_a_webhook_url_is_registered_once(client: Client, receiver: Receiver) -> None:
    register(client, receiver)

    again = client.post(ENDPOINTS, json={"url": receiver.url + "/hook"})

    assert refusal_of(again) == (409, "conflict", "url")


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://127.0.0.1/", "nonsense"])
def test_a_webhook_url_must_be_https_or_local(url: str, client: Client) -> None:
    assert refusal_of(client.post(ENDPOINTS, json={"url": url})) == (400, "invalid_parameter", "url")


def test_the_secret_of_an_endpoint_is_shown_once(client: Client, receiver: Receiver) -> None:
    created = register(client, receiver)

    assert created["secret"].startswith("whsec_")
    assert client.data(ENDPOINTS) == [{**created, "secret": None}]


def test_rotation_replaces_the_secret_at_once(client: Client, receiver: Receiver) -> None:
    created = register(client, receiver)
    answer = client.post(f"{ENDPOINTS}/{created['endpoint_id']}/rotate-secret")
    client.finish()

    post = first(receiver)
    assert post.headers["heygen-signature"] == mark(answer.json()["data"]["secret"], post.body)


def test_the_history_of_events_can_be_searched(client: Client) -> None:
    client.finish()
    failed = client.finish(script="Hi. [[fail]]")["id"]

    by_type = client.data("/v3/webhooks/events", event_type="avatar_video.fail")
    by_entity = client.data("/v3/webhooks/events", entity_id=failed)

    assert by_type == by_entity
    assert [event["event_data"]["video_id"] for event in by_type] == [failed]


def test_a_waiting_delivery_survives_a_kill(client: Client, receiver: Receiver) -> None:
    client.sandbox.configure(webhook_retry_scale=0.05)
    receiver.answers = [500]
    client.finish(callback_url=receiver.url)
    wait_for(lambda: receiver.posts)
    client.sandbox.kill()
    client.sandbox.start()

    wait_for(lambda: len(receiver.posts) == 2)

    assert receiver.posts[0].body == receiver.posts[1].body
