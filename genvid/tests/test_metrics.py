"""`/metrics`: who may read it, and counts that are summed over processes, dead ones included."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from genvid import metrics
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.transport import Call, Transport
from genvid.metrics import Tally, Timing
from genvid.metrics.views import is_private
from genvid.tests.asserts import refusal_of
from genvid.tests.scripted import Answer, ScriptedServer

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-long-enough-metrics-token"
counted = Tally("genvid_test_counted_total", "For a test.", ["word"])
timed = Timing("genvid_test_timed_seconds", "For a test.", buckets=(1, 2))


def series(response) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample of the page by its name and the values of its labels, in the order of the labels' names."""
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, "text/plain")
    families = text_string_to_metric_families(response.content.decode())
    samples = [each for family in families for each in family.samples]
    return {(each.name, tuple(value for _, value in sorted(each.labels.items()))): each.value for each in samples}


@pytest.fixture
def page(db):
    """What the page shows now, by name and labels; 0 for what was never counted."""

    def read(name: str, *labels: str) -> float:
        return series(Client().get("/metrics")).get((name, labels), 0.0)

    return read


# ── Who may read it


def status(address: str = "127.0.0.1", **headers: str) -> int:
    return Client().get("/metrics", REMOTE_ADDR=address, **headers).status_code


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "172.18.0.4", "192.168.1.9", "::1", "fd00::7"])
def test_without_a_token_the_private_network_may_read_metrics(address):
    assert status(address) == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450::1", "", "unknown", "::ffff:8.8.8.8"])
def test_without_a_token_a_public_address_may_not_read_metrics(address):
    assert refusal_of(Client().get("/metrics", REMOTE_ADDR=address)) == (403, "permission_denied")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_REAL_IP"]
)
def test_a_request_through_a_proxy_is_not_the_private_network(header):
    assert status(**{header: "10.0.0.1"}) == 403


@pytest.mark.django_db
def test_with_a_token_its_holders_may_read_metrics(settings):
    settings.METRICS_TOKEN = TOKEN
    assert status("8.8.8.8", HTTP_AUTHORIZATION=f"Bearer {TOKEN}", HTTP_X_FORWARDED_FOR="9.9.9.9") == 200


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", TOKEN, "Bearer ", "Bearer other", f"Basic {TOKEN}", "Bearer ünicode"])
def test_with_a_token_the_private_network_needs_it_too(settings, given):
    settings.METRICS_TOKEN = TOKEN
    assert status(HTTP_AUTHORIZATION=given) == 403


def test_a_mapped_address_is_judged_by_its_ipv4_address():
    assert (is_private("::ffff:10.0.0.1"), is_private("::ffff:8.8.8.8")) == (True, False)


@pytest.mark.django_db
def test_metrics_answer_get_only():
    answer = Client().post("/metrics")
    assert (refusal_of(answer), answer["Allow"]) == ((405, "method_not_allowed"), "GET, HEAD")


# ── What is counted


def test_a_tally_shows_in_metrics(page):
    before = page("genvid_test_counted_total", "a")
    counted.add("a")
    counted.add("a", count=2)
    assert page("genvid_test_counted_total", "a") == before + 3


def test_a_timing_shows_in_metrics(page):
    before = [page("genvid_test_timed_seconds_bucket", le) for le in ("1.0", "2.0", "+Inf")]
    timed.note(1.5)
    after = [page("genvid_test_timed_seconds_bucket", le) for le in ("1.0", "2.0", "+Inf")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [0, 1, 1]


def test_an_error_of_counting_is_not_raised():
    counted.add("one", "too many")
    counted.add("less", count=-1)
    timed.note("no number")


def test_a_call_to_heygen_is_timed_by_its_outcome(page):
    names = ("ok", "insufficient_credit")
    before = [page("genvid_provider_call_seconds_count", name, "look") for name in names]
    refusal = Answer(402, b'{"error": {"code": "insufficient_credit", "message": ""}}')
    with ScriptedServer() as server:
        server.script += [Answer(200, b'{"data": {}}'), refusal]
        call = Call("look", "POST", "/v3/looks", 5)
        Transport(server.url, "key").call(call)
        with pytest.raises(HeyGenError):
            Transport(server.url, "key").call(call)
    after = [page("genvid_provider_call_seconds_count", name, "look") for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]
    assert page("genvid_provider_errors_total", "insufficient_credit") >= 1


def test_codes_that_heygen_makes_up_do_not_fill_the_page(monkeypatch, page):
    monkeypatch.setattr(metrics, "_codes", {f"code{number}" for number in range(metrics.MAX_CODES)})
    before = page("genvid_provider_errors_total", "other")
    metrics.observe_call("look", "never_seen", 0.1)
    assert page("genvid_provider_errors_total", "other") == before + 1


# ── Over processes

COUNT_AND_STAY = """
from genvid.metrics import REGISTRY, Tally
tally = Tally("genvid_shared_total", "For a test.")
tally.add()
print(sum(s.value for m in REGISTRY.collect() for s in m.samples if s.name == "genvid_shared_total"), flush=True)
input()
"""


@pytest.fixture
def counting(tmp_path):
    """Starts a process that counts one, says the sum over all, and stays."""
    started = []
    environment = os.environ | {"METRICS_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "genvid.settings"}

    def start() -> tuple[subprocess.Popen[str], float]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        child = subprocess.Popen([sys.executable, "-c", COUNT_AND_STAY], env=environment, cwd=ROOT, text=True, **pipes)
        started.append(child)
        return child, float(child.stdout.readline())

    yield start
    for child in started:
        child.kill()
        child.communicate()


def test_counts_of_all_processes_are_summed(counting):
    assert [counting()[1] for _ in range(3)] == [1, 2, 3]


def test_a_killed_process_is_counted_on_by_the_next_and_leaves_no_file(counting, tmp_path):
    counting()
    child, _ = counting()
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert counting()[1] == 3
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_0.db", "counter_1.db"]


def test_a_folder_that_cannot_be_written_stops_no_process(tmp_path):
    (tmp_path / "file").write_text("")
    environment = os.environ | {"METRICS_DIR": str(tmp_path / "file"), "DJANGO_SETTINGS_MODULE": "genvid.settings"}
    said = subprocess.run(
        [sys.executable, "-c", COUNT_AND_STAY], env=environment, cwd=ROOT, text=True, input="\n", capture_output=True
    )
    assert (said.returncode, said.stdout) == (0, "1.0\n")


def test_a_forked_process_takes_a_number_of_its_own(tmp_path):
    slots = metrics.Slots(tmp_path)
    parent = slots.mine()
    child = os.fork()
    if child == 0:
        os._exit(slots.mine())
    assert (parent, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), slots.mine()) == (0, 1, 0)
