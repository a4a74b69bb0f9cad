"""The request context: in log lines, in envelopes, and on its way to the workers."""

import pytest
from django.db import transaction

from genvid import request_context
from genvid.celery import app
from genvid.jobs import Job, enqueue, enqueue_on_commit
from genvid.request_context import RequestContext
from genvid.tests.factories import make_key
from genvid.tests.workers import inline_worker

ONE = RequestContext("one", account_id="a", user_id="u", key_id="k", video_id="v", address="192.0.2.1", user_agent="me")
IDS = {"request_id": "one", "account_id": "a", "user_id": "u", "key_id": "k", "video_id": "v"}
NOTE = Job("tests.note_context")


@pytest.fixture
def worker():
    with inline_worker() as made:
        yield made


@pytest.fixture
def seen():
    """The contexts in which a task ran."""
    found = []

    @app.task(name=NOTE.name, ignore_result=True)
    def note(*ids):
        found.append(request_context.current())

    yield found
    app.tasks.unregister(NOTE.name)


def test_a_job_carries_the_ids_of_its_request_to_the_worker_and_no_address(worker, seen):
    with request_context.use(ONE):
        enqueue(NOTE, "an-id")
    worker.work()
    assert seen == [RequestContext.of(**IDS)]


def test_a_job_without_ids_belongs_to_no_request(worker, seen):
    with request_context.use(ONE):
        enqueue(NOTE)
    worker.work()
    assert seen == [request_context.NO_REQUEST]


def test_a_job_may_belong_to_another_request_than_the_present_one(worker, seen):
    with request_context.use(ONE):
        enqueue(NOTE, "an-id", context=RequestContext("two"))
        assert request_context.current() == ONE
    worker.work()
    assert seen == [RequestContext("two")]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_sent_on_commit_belongs_to_the_request_that_enqueued_it(worker, seen):
    with transaction.atomic():
        with request_context.use(ONE):
            enqueue_on_commit(NOTE, "an-id")
        request_context.set_current(RequestContext("another"))
    worker.work()
    assert seen == [RequestContext.of(**IDS)]


def test_a_task_without_a_request_inherits_none_from_the_task_before(worker, seen):
    request_context.set_current(ONE)
    worker.run(NOTE)
    assert seen == [request_context.NO_REQUEST]


def test_ids_that_this_release_does_not_know_are_left_out():
    assert RequestContext.of(request_id="one", planet_id="mars", address="192.0.2.1") == RequestContext("one")


def test_a_log_line_has_the_ids_of_its_request_and_its_own_values_win():
    with request_context.use(ONE):
        line = request_context.add_to_log_line(None, "info", {"event": "told", "account_id": "another"})
    assert line == IDS | {"event": "told", "account_id": "another"}


def test_the_previous_request_context_is_restored():
    request_context.set_current(ONE)
    with pytest.raises(RuntimeError), request_context.use(RequestContext("two")):
        raise RuntimeError
    assert request_context.current() == ONE


@pytest.mark.django_db
def test_the_lines_of_a_call_with_a_key_name_the_key(owner, caplog):
    program = make_key(owner, "catalogue:read")
    caplog.set_level("INFO")
    caplog.clear()
    program.client.get("/api/v1/avatars")
    assert caplog.records[-1].msg["key_id"] == str(program.key.pk)
