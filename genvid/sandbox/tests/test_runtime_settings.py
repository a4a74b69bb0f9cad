import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.heygen.call_rates import CallRates
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store
from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for


def test_settings_are_read_changed_and_reset(client: Client) -> None:
    client.sandbox.reset()
    usual = client.sandbox.configure()

    changed = client.sandbox.configure(render_seconds=9)

    assert changed == {**usual, "render_seconds": 9}
    assert client.delete("/_sandbox/settings").json() == usual


@pytest.mark.parametrize("setting", [{"nonsense": 1}, {"stuck": "yes"}, {"webhooks": "loud"}, {"concurrency": None}])
def test_a_wrong_setting_is_refused(setting: dict[str, object], client: Client) -> None:
    answer = client.patch("/_sandbox/settings", json=setting)

    assert refusal_of(answer) == (400, "invalid_parameter", next(iter(setting)))


def test_render_seconds_is_the_least_a_render_takes(client: Client) -> None:
    client.sandbox.configure(render_seconds=0.5)
    begun = time.monotonic()

    client.finish()

    assert time.monotonic() - begun >= 0.5


def test_a_stuck_video_waits_to_be_completed(client: Client) -> None:
    client.sandbox.configure(stuck=True)
    video_id = client.make()
    wait_for(lambda: client.status(video_id) == "processing")

    client.sandbox.complete(video_id)

    wait_for(lambda: client.status(video_id) == "completed")


def test_a_slow_video_can_be_completed_at_once(client: Client) -> None:
    client.sandbox.configure(render_seconds=600)
    video_id = client.make()
    wait_for(lambda: client.status(video_id) == "processing")

    client.sandbox.complete(video_id)

    wait_for(lambda: client.status(video_id) == "completed")


def test_a_stuck_video_can_be_failed(client: Client) -> None:
    client.sandbox.configure(stuck=True)
    video_id = client.make()

    client.sandbox.fail(video_id, code="content_policy_violation", message="No.")

    video = client.data(f"/v3/videos/{video_id}")
    assert (video["status"], video["failure_code"], video["failure_message"]) == (
        "failed",
        "content_policy_violation",
        "No.",
    )


def test_fail_with_refuses_at_submission(client: Client) -> None:
    client.sandbox.configure(fail_with="insufficient_credit")

    assert client.refusal() == (402, "insufficient_credit", None)


def test_failure_code_fails_when_polled(client: Client) -> None:
    client.sandbox.configure(failure_code="MOVIO_PAYMENT_INSUFFICIENT_CREDIT")

    video = client.finish()

    assert (video["failure_code"], video["failure_message"]) == (
        "MOVIO_PAYMENT_INSUFFICIENT_CREDIT",
        "Insufficient credit. This operation requires 'plan_credit' or 'api' credits.",
    )


def test_completed_without_url_lasts_n_reads(client: Client) -> None:
    client.sandbox.configure(completed_without_url=2)
    first = client.finish()

    later = [client.data(f"/v3/videos/{first['id']}")["video_url"] for _ in range(2)]

    assert (first["status"], first["video_url"], later[0]) == ("completed", None, None)
    assert client.get(later[1]).status_code == 200


def test_submit_seconds_delays_the_answer(client: Client) -> None:
    client.sandbox.configure(submit_seconds=0.3)
    begun = time.monotonic()

    client.make()

    assert time.monotonic() - begun >= 0.3


def test_lowering_submit_seconds_ends_the_wait(client: Client) -> None:
    client.sandbox.configure(submit_seconds=3600)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.make)
        wait_for(lambda: client.sandbox.records()["requests"].get("POST /v3/videos"))
        assert not waiting.done()

        client.sandbox.configure(submit_seconds=0)

        assert waiting.result(60)


def test_latency_delays_every_answer(client: Client) -> None:
    client.sandbox.configure(latency_seconds=0.2)
    begun = time.monotonic()

    client.get("/v3/users/me")

    assert time.monotonic() - begun >= 0.2


def test_a_new_video_is_invisible_for_a_while(client: Client) -> None:
    client.sandbox.configure(visible_after=3600)
    video_id = client.make()

    assert refusal_of(client.get(f"/v3/videos/{video_id}")) == (404, "video_not_found", None)
    assert client.status(video_id) == "not_found"
    client.sandbox.configure(visible_after=0.1)
    wait_for(lambda: client.get(f"/v3/videos/{video_id}").status_code == 200)


def test_drop_answer_rate_loses_answers_after_accepting(client: Client) -> None:
    client.sandbox.configure(drop_answer_rate=1)

    with pytest.raises(httpx.TransportError):
        client.submit()

    assert len(client.sandbox.records()["videos"]) == 1


def test_error_rate_answers_five_hundreds(client: Client) -> None:
    client.look()
    client.sandbox.configure(error_rate=1)

    assert client.submit().status_code in (500, 502, 503)
    assert client.sandbox.records()["videos"] == []


def test_error_rate_mixes_in_html_pages(client: Client) -> None:
    client.sandbox.configure(error_rate=1, seed=1)

    kinds = {client.get("/v3/users/me").headers["content-type"].partition(";")[0] for _ in range(20)}

    assert kinds == {"application/json", "text/html"}


def test_garbage_rate_answers_half_a_json(client: Client) -> None:
    client.sandbox.configure(garbage_rate=1)

    assert client.get("/v3/users/me").text == '{"data": {"video_id": '


def test_rate_limit_rate_answers_429(client: Client) -> None:
    client.sandbox.configure(rate_limit_rate=1, retry_after=7)

    answer = client.get("/v3/users/me")

    assert (refusal_of(answer)[:2], answer.headers["retry-after"]) == ((429, "rate_limit_exceeded"), "7")


def first_refusal(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Of a sandbox that answers one call in a second, however slow this machine is."""
    return next(answer for answer in (ask() for _ in range(1000)) if answer.status_code == 429)


def test_calls_per_second_answers_429_to_those_beyond(client: Client) -> None:
    client.sandbox.configure(calls_per_second=1, retry_after=7)

    refused = first_refusal(lambda: client.get("/v3/users/me"))

    assert (refusal_of(refused)[:2], refused.headers["retry-after"]) == ((429, "rate_limit_exceeded"), "7")
    assert client.sandbox.records()["drawn_faults"] == {"calls_per_second": 1}


def test_an_order_beyond_the_calls_per_second_is_not_made_and_its_key_stays_free(client: Client) -> None:
    body, keys = client.body(), []
    client.sandbox.configure(calls_per_second=1)

    def order() -> httpx.Response:
        keys.append(f"key-{len(keys)}")
        return client.post("/v3/videos", json=body, headers={"Idempotency-Key": keys[-1]})

    first_refusal(order)
    made = len(keys) - 1
    client.sandbox.configure(calls_per_second=0)

    assert len(client.sandbox.records()["videos"]) == made
    assert client.post("/v3/videos", json=body, headers={"Idempotency-Key": keys[-1]}).status_code == 200


def test_each_operation_has_a_rate_of_its_own_that_recovers_after_a_second(tmp_path: Path) -> None:
    store = Store(tmp_path)
    settings = StoredSettings(store)
    settings.update({"calls_per_second": 2})
    rates = CallRates(store, settings)
    for operation, now in (("one", 0.0), ("one", 0.5), ("other", 0.6), ("one", 1.0)):
        rates.check(operation, now)
    with pytest.raises(ApiError, match="rate_limit_exceeded"):
        rates.check("one", 1.4)
    rates.check("one", 1.5)


def test_late_error_rate_spoils_the_answer_after_accepting(client: Client) -> None:
    body = client.body()
    client.sandbox.configure(late_error_rate=1)

    assert client.post("/v3/videos", json=body).status_code in (500, 502, 503)
    assert len(client.sandbox.records()["videos"]) == 1


def test_stall_rate_delays_answers(client: Client) -> None:
    client.sandbox.configure(stall_rate=1, stall_seconds=0.3)
    begun = time.monotonic()

    client.get("/v3/users/me")

    assert time.monotonic() - begun >= 0.3


def test_expired_link_rate_hands_out_dead_links(client: Client) -> None:
    client.sandbox.configure(expired_link_rate=1)

    assert client.get(client.finish()["video_url"]).status_code == 403


def test_truncate_rate_breaks_downloads_off(client: Client) -> None:
    url = client.finish()["video_url"]
    client.sandbox.configure(truncate_rate=1)

    with pytest.raises(httpx.TransportError):
        client.get(url)


def test_the_same_seed_draws_the_same_faults(client: Client) -> None:
    def drawn() -> list[int]:
        client.sandbox.configure(seed=None)
        client.sandbox.configure(seed=5, error_rate=0.5)
        return [client.get("/v3/users/me").status_code for _ in range(12)]

    assert drawn() == drawn()


def test_the_records_count_the_faults_that_were_drawn(client: Client) -> None:
    client.sandbox.configure(rate_limit_rate=1)
    client.get("/v3/users/me")

    assert client.sandbox.records()["drawn_faults"] == {"rate_limit_rate": 1}


def test_settings_survive_a_restart(client: Client) -> None:
    client.sandbox.configure(render_seconds=3)

    client.sandbox.restart()

    assert client.sandbox.configure()["render_seconds"] == 3


def test_the_wallet_can_be_set(client: Client) -> None:
    client.sandbox.wallet(12.5)

    assert client.data("/v3/users/me")["wallet"]["remaining_balance"] == 12.5


def test_the_records_count_requests_by_route(client: Client) -> None:
    for _ in range(3):
        client.get("/v3/users/me")

    assert client.sandbox.records()["requests"] == {"GET /v3/users/me": 3}


def test_the_records_show_what_was_submitted(client: Client) -> None:
    client.finish(title="T")
    client.submit(key="key-1", callback_id="job-1")

    video = client.sandbox.records()["videos"][1]

    assert (video["idempotency_key"], video["callback_id"], video["creates"]) == ("key-1", "job-1", 1)


def test_the_renders_are_the_records_without_the_deliveries(client: Client) -> None:
    made = client.finish(callback_id="job-1")

    (render,) = client.sandbox.renders()["renders"]

    assert (render["callback_id"], render["status"], render["creates"]) == ("job-1", "completed", 1)
    assert render["sha256"] == {"video": hashlib.sha256(client.get(made["video_url"]).content).hexdigest()}


def test_the_renders_show_no_hash_of_a_deleted_video(client: Client) -> None:
    client.delete(f"/v3/videos/{client.finish()['id']}")

    (render,) = client.sandbox.renders()["renders"]

    assert (render["deleted"], render["sha256"]) == (1, {})


@pytest.mark.parametrize("setting", ["stripe_webhooks", "stripe_final_failure", "webhooks", "renderer"])
def test_a_setting_with_words_takes_no_other(setting: str, client: Client) -> None:
    answer = client.patch("/_sandbox/settings", json={setting: "sideways"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, setting)
