"""Requests leave no cycles of references: a garbage collection stops every thread of a web process."""

import gc
import uuid
from collections import Counter

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from bench.requests.wsgi_calls import Request, call
from genvid.tests.factories import make_avatar, make_video

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-0000-0000-000000000000"
ORDER = {"title": "Hello", "script": "Hello and welcome.", "metadata": {"order": "1"}, "resolution": "720p"}


@pytest.fixture(autouse=True)
def limits_on(settings):
    settings.RATE_LIMITS = True
    settings.RATE_LIMIT_CALLERS = 10_000


@pytest.fixture(autouse=True)
def kept_connection():
    """The connection of the test's transaction, which requests would close."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def left_by(request: Request) -> tuple[int, dict[str, int]]:
    """The status, and kinds of the objects that only a garbage collection frees."""
    environ = request.environ()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        status = call(environ).status
        del environ
        gc.collect()
        return status, dict(Counter(type(each).__name__ for each in gc.garbage))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize(
    ("status", "method", "path", "query", "body"),
    [
        (200, "GET", "avatars", "", None),
        (200, "GET", "avatars", "gender=female&limit=5", None),
        (200, "GET", "voices", "", None),
        (200, "GET", "videos", "", None),
        (200, "GET", "videos/{video}", "", None),
        (200, "GET", "videos/{video}/events", "", None),
        (404, "GET", f"videos/{NOBODY}", "", None),
        (400, "GET", "videos", "limit=none", None),
        (200, "GET", "batches", "", None),
        (200, "GET", "billing/wallet", "", None),
        (200, "GET", "billing/ledger", "", None),
        (404, "GET", "no-such-path", "", None),
        (405, "DELETE", "videos", "", None),
        (200, "POST", "videos/quote", "", ORDER),
        (201, "POST", "videos", "", ORDER),
        (400, "POST", "videos", "", {"script": 1}),
    ],
)
def test_a_request_leaves_no_garbage(owner, status, method, path, query, body):
    avatar, video = make_avatar(), make_video(owner, "completed")
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}

    def request() -> Request:
        sent = body if body is None or "script" not in body else body | {"avatar_id": str(avatar.pk)}
        key = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        return Request(method, f"/api/v1/{path.format(video=video.pk)}", query, body=sent, headers=headers | key)

    for _ in range(3):
        call(request().environ())
    assert left_by(request()) == (status, {})


JOINED_QUERY = {"cell": 1, "tuple": 1, "function": 1}
"""Django compiles a query with `select_related` by a function that refers to itself."""
FORM_CLASS = {"DeclarativeFieldsMetaclass": 1, "StatusesField": 1, "TextInput": 1, "dict": 5, "list": 1, "tuple": 3}
FORM_CLASS |= {"cell": 1, "function": 1, "property": 1}
"""django-filter makes a class of the form for each set of filters, and classes refer to themselves."""
VIDEO_WITH_FILES = {"Video": 2, "ModelState": 2, "dict": 3, "UUID": 5, "list": 1, "FieldFile": 4}
"""Django's file fields refer to the instance that they belong to, once it is saved or refreshed."""


@pytest.mark.parametrize(
    ("method", "path", "body", "left"),
    [
        ("GET", "profile", None, JOINED_QUERY),
        ("GET", "videos?status=queued", None, FORM_CLASS),
        ("PATCH", "profile", {"full_name": "Ada"}, JOINED_QUERY),
        ("PATCH", "videos/{video}", {"title": "Other"}, JOINED_QUERY | VIDEO_WITH_FILES),
    ],
)
def test_a_request_that_joins_filters_or_changes_rows_leaves_what_django_leaves(owner, method, path, body, left):
    video, token = make_video(owner, "completed"), owner.tokens.access_token

    def request() -> Request:
        address, _, query = f"/api/v1/{path.format(video=video.pk)}".partition("?")
        return Request(method, address, query, body=body, headers={"Authorization": f"Bearer {token}"})

    for _ in range(3):
        call(request().environ())
    assert left_by(request()) == (200, left)


@pytest.mark.parametrize("token", ["", "Bearer nonsense"])
def test_a_refused_caller_leaves_no_garbage(db, token):
    request = Request("GET", "/api/v1/videos", headers={"Authorization": token} if token else {})
    for _ in range(3):
        call(request.environ())
    assert left_by(request) == (401, {})
