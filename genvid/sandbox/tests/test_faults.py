import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from genvid.sandbox.tests.sandbox_client import WAIT, Client, refusal_of, wait_for


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (502, "bad_gateway"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
    ],
)
def test_a_status_fault_answers_in_the_envelope(status: int, code: str, client: Client) -> None:
    client.sandbox.fault(path="/v3/videos", method="POST", status=status, retry_after=3)

    answer = client.submit()

    assert refusal_of(answer) == (status, code, None)
    assert answer.headers["retry-after"] == "3"
    assert client.submit().status_code == 200


def test_a_fault_happens_as_often_as_it_is_asked_for(client: Client) -> None:
    client.sandbox.fault(path="/v3/users/*", times=2)

    assert [client.get("/v3/users/me").status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_spares_what_does_not_match(client: Client) -> None:
    client.sandbox.fault(path="/v3/videos", method="POST")

    assert client.get("/v3/videos").status_code == 200


def test_an_html_fault_is_a_gateway_page(client: Client) -> None:
    client.sandbox.fault(path="/v3/users/me", kind="html", status=502)

    answer = client.get("/v3/users/me")

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")


def test_a_garbage_fault_is_half_a_json(client: Client) -> None:
    client.sandbox.fault(path="/v3/users/me", kind="garbage", status=200)

    assert client.get("/v3/users/me").text == '{"data": {"video_id": '


def test_a_drop_fault_happens_before_anything_is_done(client: Client) -> None:
    client.sandbox.fault(path="/v3/videos", method="POST", kind="drop")

    with pytest.raises(httpx.TransportError):
        client.submit()

    assert client.sandbox.records()["videos"] == []


def test_a_lost_answer_happens_after_the_request_is_carried_out(client: Client) -> None:
    client.sandbox.fault(path="/v3/videos", method="POST", kind="lost")

    with pytest.raises(httpx.TransportError):
        client.submit()

    assert len(client.sandbox.records()["videos"]) == 1


def test_a_delay_fault_only_delays(client: Client) -> None:
    client.sandbox.fault(path="/v3/users/me", kind="delay", seconds=0.3)
    begun = time.monotonic()

    assert client.get("/v3/users/me").status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_clearing_the_faults_ends_the_delay_of_waiting_requests(client: Client) -> None:
    client.sandbox.fault(path="/v3/users/me", kind="delay", seconds=3600)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, "/v3/users/me")
        wait_for(lambda: client.sandbox.records()["requests"].get("GET /v3/users/me"))
        assert not waiting.done()

        client.sandbox.clear_faults()

        assert waiting.result(WAIT).status_code == 200


def test_faults_happen_in_the_order_of_their_queue(client: Client) -> None:
    client.sandbox.fault(path="*", status=503)
    client.sandbox.fault(path="*", status=429)

    assert [client.get("/v3/users/me").status_code for _ in range(3)] == [503, 429, 200]


def test_faults_can_be_cleared(client: Client) -> None:
    client.sandbox.fault(path="*")

    assert client.delete("/_sandbox/faults").json() == {"cleared": 1}
    assert client.get("/v3/users/me").status_code == 200


def test_an_unknown_fault_is_refused(client: Client) -> None:
    answer = client.post("/_sandbox/faults", json={"kind": "earthquake"})

    assert refusal_of(answer) == (400, "invalid_parameter", "fault")
