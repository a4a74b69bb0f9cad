"""Assertions for tests: envelopes of answers, unchanged rows, numbers of queries, the ledger."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.connection import AbstractConnection

from billing.ledger.ledger_check import check_all_wallets
from genvid import process_cache

APPS = ("accounts", "avatars", "billing", "mail", "videos")


def data_of(response: Any, status: int = 200) -> Any:
    """The data of a successful answer; asserts its envelope."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"success", "data", "meta"}
    assert body["success"] is True
    assert body["meta"]["request_id"] == response["X-Request-Id"]
    return body["data"]


def refusal_of(response: Any) -> tuple[int, str]:
    """Status and error code of a refused request; asserts its envelope."""
    body = response.json()
    assert set(body) == {"success", "error", "meta"}
    assert body["success"] is False
    assert body["meta"] == {"request_id": response["X-Request-Id"]}
    assert set(body["error"]) - {"details"} == {"code", "message", "retryable", "doc_url"}
    code = body["error"]["code"]
    assert body["error"]["doc_url"] == doc_url_of(code)
    return response.status_code, code


def doc_url_of(code: str) -> str:
    return f"{settings.PUBLIC_URL}/docs/errors#{code}"


def wrong_fields_of(response: Any) -> list[str]:
    """The fields that a 400 names, sorted."""
    assert refusal_of(response) == (400, "validation_error"), response.content
    return sorted(response.json()["error"].get("details", {}))


def all_rows() -> dict[str, list[str]]:
    """Every row of every app as text, by model: in one query, because hundreds of tests call this twice."""
    every = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    # A proxy has no rows of its own.
    models = [model for model in every if not model._meta.proxy]
    found: dict[str, list[str]] = {model.__name__: [] for model in models}
    quote = connection.ops.quote_name
    each = [f"SELECT '{model.__name__}', t::text FROM {quote(model._meta.db_table)} t" for model in models]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        for name, row in sorted(cursor.fetchall()):
            found[name].append(row)
    return found


@contextmanager
def nothing_changes(*, but: type[Model] | None = None) -> Iterator[None]:
    """Asserts that no row of any app is added, changed or deleted inside, except in the table `but`."""
    ignored = but.__name__ if but else ""
    before = all_rows() | {ignored: []}
    yield
    assert all_rows() | {ignored: []} == before


def queries_of(action: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        action()
    return len(captured)


def statements_of(action: Callable[[], Any]) -> list[str]:
    """The SQL statements of `action`, without their values and the names of savepoints."""
    with CaptureQueriesContext(connection) as captured:
        action()
    texts = (re.sub(r"'(?:[^']|'')*'|\"s[0-9_x]+\"", "?", query["sql"]) for query in captured.captured_queries)
    return [re.sub(r"\b\d+\b", "?", text) for text in texts]


def queries_once_warm(action: Callable[[], Any]) -> int:
    """The number of queries of `action`, which changes nothing, once the caches know its caller."""
    with still_process_caches():
        action()
        return queries_of(action)


@contextmanager
def still_process_caches() -> Iterator[None]:
    """What this process has cached for some seconds gets no older, however busy the machine is."""
    moment = process_cache.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_cache, "now", lambda: moment)
        yield


def redis_trips_of(action: Callable[[], Any]) -> int:
    """How often `action` sends to Redis and waits: a command, a script or a pipeline each once."""
    sent, send = [], AbstractConnection.send_packed_command

    def counting(connection: Any, *args: Any, **options: Any) -> Any:
        sent.append(connection)
        return send(connection, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counting)
        action()
    return len(sent)


def the_ledger_proves() -> bool:
    return [str(discrepancy) for discrepancy in check_all_wallets()] == []


def lies_ahead(moment: datetime, seconds: float, *, since: datetime) -> bool:
    """Whether `moment` is so many seconds after a time between `since` and now."""
    return since <= moment - timedelta(seconds=seconds) <= timezone.now()
