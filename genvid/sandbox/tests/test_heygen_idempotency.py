import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from threading import Event

import httpx

from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for

UNKEPT = """SELECT COUNT(*) FROM videos LEFT JOIN replays ON replays.video_id = videos.id
            WHERE idempotency_key IS NOT NULL AND replays.scope IS NULL"""
MADE = "SELECT COUNT(*) FROM videos"


def while_submitting(client: Client, action: Callable[[], None]) -> list[str]:
    """Three clients submit under new keys, one after the other, until `action` is done. The keys they used."""
    done, numbers, used = Event(), count(), []

    def submit() -> None:
        while not done.is_set():
            used.append(f"k{next(numbers)}")
            try:
                client.submit(key=used[-1])
            except httpx.TransportError:
                return

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(submit)
        try:
            action()
        finally:
            done.set()
    return used


def test_the_same_key_gets_the_first_answer_again(client: Client) -> None:
    first = client.submit(key="k1")

    again = client.submit(key="k1", script="Something else entirely.")

    assert (again.status_code, again.json()) == (200, first.json())
    assert [video["creates"] for video in client.sandbox.records()["videos"]] == [2]


def test_the_replay_is_of_the_moment_of_creation(client: Client) -> None:
    first = client.submit(key="k1").json()
    wait_for(lambda: client.status(first["data"]["video_id"]) == "completed")

    assert client.submit(key="k1").json() == first


def test_other_keys_make_other_videos(client: Client) -> None:
    ids = {client.submit(key=key).json()["data"]["video_id"] for key in ("a", "b")}

    assert len(ids) == 2


def test_a_key_belongs_to_its_route(client: Client) -> None:
    client.submit(key="k1")

    body = {"prompt": "a calm voice"}
    assert client.post("/v3/voices", json=body, headers={"Idempotency-Key": "k1"}).json()["data"]["seed"] == 0


def test_a_refusal_is_not_kept(client: Client) -> None:
    assert client.submit(key="k1", script="...").status_code == 400

    assert client.submit(key="k1").status_code == 200


def test_a_key_in_use_is_a_conflict(client: Client) -> None:
    client.sandbox.configure(submit_seconds=60)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(client.submit, key="k1") for _ in range(4)]
        wait_for(lambda: sum(each.done() for each in asked) == 3)
        client.sandbox.configure(submit_seconds=0)
        answers = [each.result() for each in asked]

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {refusal_of(one)[1] for one in answers if one.status_code == 409} == {"request_in_progress"}
    assert len(client.sandbox.records()["videos"]) == 1


def test_a_malformed_key_is_refused(client: Client) -> None:
    assert refusal_of(client.submit(key="no spaces")) == (400, "invalid_parameter", "Idempotency-Key")


def test_a_replay_is_answered_over_the_limit_of_jobs(client: Client) -> None:
    client.sandbox.configure(concurrency=1, stuck=True)
    client.submit(key="k1")

    assert client.submit(key="k1").status_code == 200


def test_keys_survive_a_kill(client: Client) -> None:
    first = client.submit(key="k1").json()
    client.sandbox.kill()
    client.sandbox.start()

    assert client.submit(key="k1").json() == first


def test_no_reader_ever_sees_a_video_without_its_kept_answer(client: Client) -> None:
    """What another connection sees is what a kill at that moment would leave."""
    client.sandbox.configure(concurrency=10_000, stuck=True)

    def watch() -> None:
        begun = time.monotonic()
        with closing(sqlite3.connect(client.sandbox.folder / "sandbox" / "sandbox.sqlite3")) as database:
            while time.monotonic() < begun + 1.5 or database.execute(MADE).fetchone()[0] <= 20:
                assert database.execute(UNKEPT).fetchone() == (0,)
                assert time.monotonic() < begun + 60

    assert len(while_submitting(client, watch)) > 20


def test_a_kill_while_orders_come_in_makes_no_key_two_videos(client: Client) -> None:
    client.sandbox.configure(concurrency=10_000, stuck=True)

    def kill_soon() -> None:
        wait_for(lambda: len(client.sandbox.renders()["renders"]) > 10)
        client.sandbox.kill()

    used = while_submitting(client, kill_soon)
    client.sandbox.start()
    again = [client.submit(key=key).json()["data"]["video_id"] for key in used]

    made = {render["idempotency_key"]: render["id"] for render in client.sandbox.renders()["renders"]}
    assert len(client.sandbox.renders()["renders"]) == len(used)
    assert again == [made[key] for key in used]
