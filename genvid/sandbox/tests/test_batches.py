from typing import Any

from genvid.sandbox.tests.client import Client, refusal_of, wait_for
from genvid.sandbox.tests.receiver import Receiver

BATCHES = "/v3/videos/batches"


def submit(client: Client, *videos: dict[str, Any], **fields: Any) -> str:
    answer = client.post(BATCHES, json={"videos": list(videos), **fields})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["batch_id"])


def test_a_batch_is_made_item_by_item(client: Client) -> None:
    batch_id = submit(client, client.body(), client.body(script="Hi. [[fail]]"), title="Two")

    wait_for(lambda: client.data(f"{BATCHES}/{batch_id}")["status"] == "completed")

    batch = client.data(f"{BATCHES}/{batch_id}")
    assert (batch["title"], batch["counts_by_status"]) == ("Two", {"completed": 1, "failed": 1})
    assert [(item["item_index"], item["status"]) for item in batch["items"]] == [
        (0, "completed"),
        (1, "failed"),
    ]


def test_items_over_the_gate_wait_in_the_queue(client: Client) -> None:
    client.sandbox.knobs(concurrency=1, stuck=True)
    batch_id = submit(client, client.body(), client.body())

    wait_for(lambda: client.data(f"{BATCHES}/{batch_id}")["counts_by_status"] == {"processing": 1, "queued": 1})

    client.sandbox.knobs(stuck=False, concurrency=2)
    wait_for(lambda: client.data(f"{BATCHES}/{batch_id}")["items"][1]["status"] == "completed")


def test_one_bad_item_refuses_the_batch(client: Client) -> None:
    videos = [client.body(), client.body(avatar_id="nope")]

    answer = client.post(BATCHES, json={"videos": videos})

    assert refusal_of(answer) == (404, "avatar_not_found", "videos.1")
    assert client.sandbox.books()["videos"] == []


def test_a_batch_has_one_item_at_least(client: Client) -> None:
    assert refusal_of(client.post(BATCHES, json={"videos": []})) == (400, "invalid_parameter", "videos")


def test_the_end_of_a_batch_is_told_once(client: Client, receiver: Receiver) -> None:
    batch_id = submit(client, client.body(), client.body(), callback_url=receiver.url)

    told = wait_for(lambda: receiver.posts)[0].json

    assert (told["event_type"], told["event_data"]["batch_id"]) == ("batch.finished", batch_id)
    assert len(client.data("/v3/webhooks/events", event_type="batch.finished")) == 1


def test_items_are_paged_inside_data(client: Client) -> None:
    path = f"{BATCHES}/{submit(client, *[client.body()] * 3)}"

    first = client.data(path, limit=2)
    second = client.data(path, limit=2, token=first["next_token"])

    assert [item["item_index"] for item in first["items"] + second["items"]] == [0, 1, 2]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_statuses_follow_whole_batches(client: Client) -> None:
    batch_id = submit(client, client.body(), client.body())

    shown = client.data("/v3/videos/statuses", batch_ids=batch_id)

    assert [(one["batch_id"], one["item_index"]) for one in shown] == [(batch_id, 0), (batch_id, 1)]


def test_an_unknown_batch_is_not_found(client: Client) -> None:
    assert refusal_of(client.get(f"{BATCHES}/nope")) == (404, "batch_not_found", None)
