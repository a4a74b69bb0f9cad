"""`/healthz`: the process lives, and its version. `/readyz`: all parts work, those without a port by their heartbeats.

`/readyz?parts=web` looks at what a request needs. It steers traffic: a dead beat must not take the API down.
"""

import logging
import os
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import structlog
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from genvid import __version__
from genvid.api.exceptions import refuse
from genvid.api.renderers import dump, success_body
from genvid.celery import app
from genvid.errors import ProviderUnavailable, ValidationFailed
from genvid.heartbeats import status as heartbeats

logger = structlog.get_logger(__name__)
_migrated = False
_failing: dict[str, type[Exception]] = {}


STORAGE_SECONDS = 5.0
WEB_PARTS = ("database", "migrations")
PARTS = {"web": WEB_PARTS}
"""Values of the parameter `parts`."""


class StillFilling(Exception):
    pass


class NoHeartbeat(Exception):
    """Of beat, or of a queue: no worker serves it, or all threads that do are busy."""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    body = success_body({"status": "ok", "version": __version__})
    return HttpResponse(dump(body), content_type="application/json")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    only = request.GET.get("parts")
    if only is not None and only not in PARTS:
        return refuse(ValidationFailed(details={"parts": f"Send one of: {', '.join(PARTS)}, or leave it out."}))
    return answer(*look_at_web() if only else look_at_all())


def answer(parts: dict[str, str], errors: dict[str, Exception]) -> HttpResponse:
    if not errors:
        return HttpResponse(dump(success_body({"status": "ready", "parts": parts})), content_type="application/json")
    # Only the class of what went wrong: the address is public, and messages could name hosts or users.
    failing = {name: type(error).__name__ for name, error in errors.items()}
    return refuse(ProviderUnavailable("Not ready: " + ", ".join(failing), details=failing))


def look_at_web() -> tuple[dict[str, str], dict[str, Exception]]:
    return dict.fromkeys(WEB_PARTS, "ok"), failing_probes(WEB_PARTS)


def look_at_all() -> tuple[dict[str, str], dict[str, Exception]]:
    errors = failing_probes(PROBES)
    beats: dict[str, str] = {}
    if "database" not in errors and "migrations" not in errors:
        beats = heartbeats.read_states()
        errors |= {name: NoHeartbeat(name) for name, state in beats.items() if state == heartbeats.SILENT}
    log_changes(errors)
    provider = {} if errors else {"provider": provider_status()}
    return dict.fromkeys(PROBES, "ok") | beats | provider, errors


def failing_probes(names: Iterable[str]) -> dict[str, Exception]:
    return {name: error for name in names if (error := probe(PROBES[name]))}


def probe(check: Callable[[], None]) -> Exception | None:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever fails, this part is not ready
        return error
    return None


def log_changes(errors: dict[str, Exception]) -> None:
    global _failing
    failing = {name: type(error) for name, error in errors.items()}
    if failing == _failing:
        return
    _failing = failing
    level = logging.INFO if set(failing.values()) <= {StillFilling} else logging.WARNING
    said = {name: repr(error) for name, error in errors.items()}
    logger.log(level, "not_ready" if failing else "ready_again", **said)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    """Unapplied migrations mean an unfinished deploy. Once applied, they stay applied for this process."""
    global _migrated
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("unapplied migrations")
    _migrated = True


def check_broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def check_storage() -> None:
    """In a thread of its own: a bucket that does not answer costs the thread that asks no more than STORAGE_SECONDS."""
    attempt = _storage_thread(os.getpid()).submit(write_and_delete)
    try:
        attempt.result(STORAGE_SECONDS)
    finally:
        attempt.cancel()


@cache
def _storage_thread(_pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="storage-probe")


def write_and_delete() -> None:
    name = default_storage.save(f"probes/{uuid.uuid4()}", ContentFile(b"ok"))
    default_storage.delete(name)


def check_catalogue() -> None:
    if settings.READY_WITH_CATALOGUE and not apps.get_model("avatars", "Avatar").objects.exists():
        raise StillFilling("no avatars yet")


def check_shop() -> None:
    if settings.READY_WITH_SHOP and not apps.get_model("billing", "Shop").objects.filter(set_up_at__isnull=False):
        raise StillFilling("Stripe's sandbox does not know yet what is for sale")


def provider_status() -> str:
    """Informative only: while HeyGen takes no orders we still serve, and videos wait."""
    state = apps.get_model("videos", "ProviderState").objects.first()
    return state.status_text if state else "ok"


PROBES: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "storage": check_storage,
    "catalogue": check_catalogue,
    "shop": check_shop,
}
