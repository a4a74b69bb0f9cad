"""Requests and tasks on the metrics page."""

import pytest
from celery.app.task import Context
from celery.signals import task_revoked
from django.test import Client

from genvid.celery import app
from genvid.jobs import Job, enqueue
from genvid.tests.factories import JsonClient, make_video
from genvid.tests.test_metrics import series
from genvid.tests.workers import inline_worker

pytestmark = pytest.mark.django_db
WORK = Job("tests.counted_work")


def counted() -> dict[tuple[str, tuple[str, ...]], float]:
    return series(Client().get("/metrics"))


def grown(action, prefix: str) -> dict[tuple[str, ...], float]:
    """The counters and counts of a name that an action let grow, by their labels in the order of the labels' names."""
    before = counted()
    action()
    after = counted()
    return {
        key[1]: value - before.get(key, 0)
        for key, value in after.items()
        if key[0] == f"genvid_{prefix}" and value != before.get(key, 0)
    }


# ── Requests


def test_a_request_is_counted_by_method_route_and_status(owner):
    video = make_video(owner, "draft")
    assert grown(lambda: owner.client.get(f"/api/v1/videos/{video.pk}"), "http_requests_total") == {
        ("GET", "video-detail", "200"): 1
    }


def test_a_request_is_timed_by_route_and_method(owner):
    assert grown(lambda: owner.client.get("/api/v1/profile"), "http_request_seconds_count") == {("GET", "profile"): 1}


@pytest.mark.parametrize("path", ["/api/v1/nope/1", "/api/v1/nope/2", "/api/nope"])
def test_all_paths_below_the_api_that_do_not_exist_are_one_series(anonymous, path):
    route = "genvid.api.exceptions.not_found_view"
    assert grown(lambda: anonymous.get(path), "http_requests_total") == {("GET", route, "404"): 1}


@pytest.mark.parametrize("path", ["/nope/1", "/nope/2"])
def test_a_path_without_a_route_is_counted_as_none(anonymous, path):
    assert grown(lambda: anonymous.get(path), "http_requests_total") == {("GET", "none", "404"): 1}


def test_a_method_that_nobody_knows_is_counted_as_other(anonymous):
    assert grown(lambda: anonymous.generic("BREW", "/nope"), "http_requests_total") == {("other", "none", "404"): 1}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_neither_counted_nor_logged(anonymous, caplog, path):
    caplog.set_level("INFO")
    assert grown(lambda: anonymous.get(path), "http_requests_total") == {}
    assert [record for record in caplog.records if "request" in record.msg["event"]] == []


def test_an_unhandled_error_is_counted_and_its_log_line_has_a_duration(settings, caplog):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    client, route = JsonClient(raise_request_exception=False), "genvid.tests.broken_urls.broken_page"
    with caplog.at_level("INFO"):
        client.get("/broken-page")
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (line,) = [line for line in lines if line["event"] == "request_failed"]
    seen = {name: line[name] for name in ("code", "request")}
    assert (seen, line["duration_ms"] >= 0) == ({"code": 500, "request": "GET /broken-page"}, True)
    settings.ROOT_URLCONF = "genvid.urls"
    assert counted()["genvid_http_requests_total", ("GET", route, "500")] >= 1


# ── Tasks


@pytest.fixture
def work():
    """A task that runs what a test gives it."""
    action = []

    @app.task(name=WORK.name, ignore_result=True)
    def run():
        action[0]()

    def work_off(what) -> None:
        action[:] = [what]
        with inline_worker() as worker:
            enqueue(WORK)
            worker.work()

    yield work_off
    app.tasks.unregister(WORK.name)


def test_a_task_is_counted_and_timed_by_its_name(work):
    assert grown(lambda: work(lambda: None), "tasks_total") == {("success", WORK.name): 1}
    assert grown(lambda: work(lambda: None), "task_seconds_count") == {(WORK.name,): 1}


def test_a_task_that_fails_is_counted_as_a_failure(work):
    def fail() -> None:
        raise ZeroDivisionError

    assert grown(lambda: work(fail), "tasks_total") == {("failure", WORK.name): 1}


def test_a_message_that_expired_is_counted_as_expired():
    def expire() -> None:
        task_revoked.send(None, request=Context(task=WORK.name), terminated=False, signum=None, expired=True)

    assert grown(expire, "tasks_total") == {("expired", WORK.name): 1}
