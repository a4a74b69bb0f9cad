import time

import httpx
import pytest

from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for


def test_directives_are_not_captioned(client: Client) -> None:
    video = client.finish(script="Good [[slow:0]] morning all.")

    captions = client.get(video["subtitle_url"]).text
    assert [line for line in captions.splitlines() if line[:1].isalpha()] == ["Good morning all."]


def test_a_script_of_directives_alone_still_says_something(client: Client) -> None:
    assert client.finish(script="[[slow:0]]")["status"] == "completed"


def test_the_directive_slow_takes_its_seconds(client: Client) -> None:
    begun = time.monotonic()

    client.finish(script="Hi. [[slow:0.6]]")

    assert time.monotonic() - begun >= 0.6


def test_the_directive_slow_takes_twenty_seconds_without_a_number(client: Client) -> None:
    begun = time.monotonic()
    video_id = client.make(script="Hi. [[slow]]")

    client.finish()

    assert client.status(video_id) != "completed" or time.monotonic() - begun >= 20


def test_the_directive_stuck_never_ends(client: Client) -> None:
    video_id = client.make(script="Hi. [[stuck]]")
    wait_for(lambda: client.status(video_id) == "processing")

    client.finish()

    assert client.status(video_id) == "processing"


@pytest.mark.parametrize(
    ("word", "code"),
    [("fail", "rendering_failed"), ("fail:content_policy_violation", "content_policy_violation")],
)
def test_the_directive_fail_fails_the_video(word: str, code: str, client: Client) -> None:
    video = client.finish(script=f"Hi. [[{word}]]")

    assert (video["status"], video["failure_code"], video["video_url"]) == ("failed", code, None)


SUBMITS = {
    "ratelimit": (429, "application/json"),
    "error:500": (500, "application/json"),
    "error:503": (503, "application/json"),
    "html": (502, "text/html; charset=utf-8"),
    "garbage": (200, "application/json"),
}


@pytest.mark.parametrize("word", SUBMITS)
def test_a_directive_fails_the_first_submission(word: str, client: Client) -> None:
    first = client.submit(script=f"Hi. [[{word}]]", key="k1")
    assert client.sandbox.records()["videos"] == []

    second = client.submit(script=f"Hi. [[{word}]]", key="k1")

    assert (first.status_code, first.headers["content-type"]) == SUBMITS[word]
    assert second.json()["data"]["status"] == "waiting"


def test_a_directive_fails_as_many_submissions_as_its_number(client: Client) -> None:
    statuses = [client.submit(script="Hi. [[error:504:2]]").status_code for _ in range(3)]

    assert statuses == [504, 504, 200]


def test_a_directive_fails_every_submission_with_always(client: Client) -> None:
    statuses = [client.submit(script="Hi. [[ratelimit:always]]").status_code for _ in range(3)]

    assert statuses == [429] * 3


def test_the_directive_garbage_answers_no_json(client: Client) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        client.submit(script="Hi. [[garbage]]").json()


def test_the_directive_lost_accepts_and_hangs_up_once(client: Client) -> None:
    with pytest.raises(httpx.TransportError):
        client.submit(script="Hi. [[lost]]", key="k1")

    again = client.submit(script="Hi. [[lost]]", key="k1")

    assert [video["id"] for video in client.sandbox.records()["videos"]] == [again.json()["data"]["video_id"]]


def test_the_directive_nourl_completes_without_a_url(client: Client) -> None:
    first = client.finish(script="Hi. [[nourl]]")

    assert (first["status"], first["video_url"]) == ("completed", None)
    assert client.get(client.data(f"/v3/videos/{first['id']}")["video_url"]).status_code == 200


def test_the_directive_expired_gives_fresh_links_on_the_next_read(client: Client) -> None:
    first = client.finish(script="Hi. [[expired]]")

    assert client.get(first["video_url"]).status_code == 403
    assert client.get(client.data(f"/v3/videos/{first['id']}")["video_url"]).status_code == 200


@pytest.mark.parametrize(("word", "count"), [("double", 2), ("none", 0), ("unsigned", 1)])
def test_the_directive_webhook_applies_to_the_callback(
    word: str, count: int, client: Client, receiver: Receiver
) -> None:
    client.finish(script=f"Hi. [[webhook:{word}]]", callback_url=receiver.url)
    client.finish(script="After.", callback_url=receiver.url)

    wait_for(lambda: len(receiver.posts) == count + 1)


@pytest.mark.parametrize("word", ["slow:soon", "webhook:loud", "ratelimit:often", "nourl:x"])
def test_a_directive_with_a_bad_argument_is_refused(word: str, client: Client) -> None:
    assert refusal_of(client.submit(script=f"Hi. [[{word}]]")) == (400, "invalid_parameter", "script")
