import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from genvid.sandbox.tests.client import Client, refusal_of, wait_for


def test_knobs_are_read_turned_put_and_reset(client: Client) -> None:
    client.sandbox.reset()
    usual = client.sandbox.knobs()

    turned = client.sandbox.knobs(render_seconds=9)
    put = client.put("/_sandbox/knobs", json={"stuck": True}).json()

    assert turned == {**usual, "render_seconds": 9}
    assert put == {**usual, "stuck": True}
    assert client.delete("/_sandbox/knobs").json() == usual


@pytest.mark.parametrize("knob", [{"nonsense": 1}, {"stuck": "yes"}, {"webhooks": "loud"}, {"concurrency": None}])
def test_a_wrong_knob_is_refused(knob: dict[str, object], client: Client) -> None:
    answer = client.patch("/_sandbox/knobs", json=knob)

    assert refusal_of(answer) == (400, "invalid_parameter", next(iter(knob)))


def test_render_seconds_is_the_least_a_render_takes(client: Client) -> None:
    client.sandbox.knobs(render_seconds=0.5)
    begun = time.monotonic()

    client.finish()

    assert time.monotonic() - begun >= 0.5


def test_a_stuck_video_waits_to_be_completed(client: Client) -> None:
    client.sandbox.knobs(stuck=True)
    video_id = client.make()
    wait_for(lambda: client.status(video_id) == "processing")

    client.sandbox.complete(video_id)

    wait_for(lambda: client.status(video_id) == "completed")


def test_a_slow_video_can_be_completed_at_once(client: Client) -> None:
    client.sandbox.knobs(render_seconds=600)
    video_id = client.make()
    wait_for(lambda: client.status(video_id) == "processing")

    client.sandbox.complete(video_id)

    wait_for(lambda: client.status(video_id) == "completed")


def test_a_stuck_video_can_be_failed(client: Client) -> None:
    client.sandbox.knobs(stuck=True)
    video_id = client.make()

    client.sandbox.fail(video_id, code="content_policy_violation", message="No.")

    video = client.data(f"/v3/videos/{video_id}")
    assert (video["status"], video["failure_code"], video["failure_message"]) == (
        "failed",
        "content_policy_violation",
        "No.",
    )


def test_fail_with_refuses_at_submission(client: Client) -> None:
    client.sandbox.knobs(fail_with="insufficient_credit")

    assert client.refusal() == (402, "insufficient_credit", None)


def test_failure_code_fails_when_polled(client: Client) -> None:
    client.sandbox.knobs(failure_code="MOVIO_PAYMENT_INSUFFICIENT_CREDIT")

    video = client.finish()

    assert (video["failure_code"], video["failure_message"]) == (
        "MOVIO_PAYMENT_INSUFFICIENT_CREDIT",
        "Insufficient credit. This operation requires 'plan_credit' or 'api' credits.",
    )


def test_completed_without_url_lasts_n_reads(client: Client) -> None:
    client.sandbox.knobs(completed_without_url=2)
    first = client.finish()

    later = [client.data(f"/v3/videos/{first['id']}")["video_url"] for _ in range(2)]

    assert (first["status"], first["video_url"], later[0]) == ("completed", None, None)
    assert client.get(later[1]).status_code == 200


def test_submit_seconds_delays_the_answer(client: Client) -> None:
    client.sandbox.knobs(submit_seconds=0.3)
    begun = time.monotonic()

    client.make()

    assert time.monotonic() - begun >= 0.3


def test_submit_seconds_turned_back_lets_go_of_who_waits(client: Client) -> None:
    client.sandbox.knobs(submit_seconds=3600)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.make)
        wait_for(lambda: client.sandbox.books()["requests"].get("POST /v3/videos"))
        assert not waiting.done()

        client.sandbox.knobs(submit_seconds=0)

        assert waiting.result(60)


def test_latency_delays_every_answer(client: Client) -> None:
    client.sandbox.knobs(latency_seconds=0.2)
    begun = time.monotonic()

    client.get("/v3/users/me")

    assert time.monotonic() - begun >= 0.2


def test_a_new_video_is_invisible_for_a_while(client: Client) -> None:
    client.sandbox.knobs(visible_after=3600)
    video_id = client.make()

    assert refusal_of(client.get(f"/v3/videos/{video_id}")) == (404, "video_not_found", None)
    assert client.status(video_id) == "not_found"
    client.sandbox.knobs(visible_after=0.1)
    wait_for(lambda: client.get(f"/v3/videos/{video_id}").status_code == 200)


def test_drop_answer_rate_loses_answers_after_accepting(client: Client) -> None:
    client.sandbox.knobs(drop_answer_rate=1)

    with pytest.raises(httpx.TransportError):
        client.submit()

    assert len(client.sandbox.books()["videos"]) == 1


def test_error_rate_answers_five_hundreds(client: Client) -> None:
    client.look()
    client.sandbox.knobs(error_rate=1)

    assert client.submit().status_code in (500, 502, 503)
    assert client.sandbox.books()["videos"] == []


def test_error_rate_mixes_in_html_pages(client: Client) -> None:
    client.sandbox.knobs(error_rate=1, seed=1)

    kinds = {client.get("/v3/users/me").headers["content-type"].partition(";")[0] for _ in range(20)}

    assert kinds == {"application/json", "text/html"}


def test_garbage_rate_answers_half_a_json(client: Client) -> None:
    client.sandbox.knobs(garbage_rate=1)

    assert client.get("/v3/users/me").text == '{"data": {"video_id": '


def test_rate_limit_rate_answers_429(client: Client) -> None:
    client.sandbox.knobs(rate_limit_rate=1, retry_after=7)

    answer = client.get("/v3/users/me")

    assert (refusal_of(answer)[:2], answer.headers["retry-after"]) == ((429, "rate_limit_exceeded"), "7")


def test_late_error_rate_spoils_the_answer_after_accepting(client: Client) -> None:
    body = client.body()
    client.sandbox.knobs(late_error_rate=1)

    assert client.post("/v3/videos", json=body).status_code in (500, 502, 503)
    assert len(client.sandbox.books()["videos"]) == 1


def test_stall_rate_delays_answers(client: Client) -> None:
    client.sandbox.knobs(stall_rate=1, stall_seconds=0.3)
    begun = time.monotonic()

    client.get("/v3/users/me")

    assert time.monotonic() - begun >= 0.3


def test_expired_link_rate_hands_out_dead_links(client: Client) -> None:
    client.sandbox.knobs(expired_link_rate=1)

    assert client.get(client.finish()["video_url"]).status_code == 403


def test_truncate_rate_breaks_downloads_off(client: Client) -> None:
    url = client.finish()["video_url"]
    client.sandbox.knobs(truncate_rate=1)

    with pytest.raises(httpx.TransportError):
        client.get(url)


def test_the_same_seed_draws_the_same_misfortunes(client: Client) -> None:
    def drawn() -> list[int]:
        client.sandbox.knobs(seed=None)
        client.sandbox.knobs(seed=5, error_rate=0.5)
        return [client.get("/v3/users/me").status_code for _ in range(12)]

    assert drawn() == drawn()


def test_the_books_count_what_struck(client: Client) -> None:
    client.sandbox.knobs(rate_limit_rate=1)
    client.get("/v3/users/me")

    assert client.sandbox.books()["strikes"] == {"rate_limit_rate": 1}


def test_knobs_survive_a_restart(client: Client) -> None:
    client.sandbox.knobs(render_seconds=3)

    client.sandbox.restart()

    assert client.sandbox.knobs()["render_seconds"] == 3


def test_the_wallet_can_be_set(client: Client) -> None:
    client.sandbox.wallet(12.5)

    assert client.data("/v3/users/me")["wallet"]["remaining_balance"] == 12.5


def test_the_books_count_requests_by_route(client: Client) -> None:
    for _ in range(3):
        client.get("/v3/users/me")

    assert client.sandbox.books()["requests"] == {"GET /v3/users/me": 3}


def test_the_books_show_what_was_submitted(client: Client) -> None:
    client.finish(title="T")
    client.submit(key="key-1", callback_id="job-1")

    video = client.sandbox.books()["videos"][1]

    assert (video["idempotency_key"], video["callback_id"], video["creates"]) == ("key-1", "job-1", 1)


def test_the_renders_are_the_books_without_the_deliveries(client: Client) -> None:
    made = client.finish(callback_id="job-1")

    (render,) = client.sandbox.renders()["renders"]

    assert (render["callback_id"], render["status"], render["creates"]) == ("job-1", "completed", 1)
    assert render["sha256"] == {"video": hashlib.sha256(client.get(made["video_url"]).content).hexdigest()}


def test_the_renders_show_no_hash_of_a_deleted_video(client: Client) -> None:
    client.delete(f"/v3/videos/{client.finish()['id']}")

    (render,) = client.sandbox.renders()["renders"]

    assert (render["deleted"], render["sha256"]) == (1, {})


@pytest.mark.parametrize("knob", ["stripe_webhooks", "stripe_final_failure", "webhooks", "renderer"])
def test_a_knob_with_words_takes_no_other(knob: str, client: Client) -> None:
    answer = client.patch("/_sandbox/knobs", json={knob: "sideways"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, knob)
