"""`/healthz`: the process lives, and its version. `/readyz`: database, migrations, broker and storage work."""

import logging
import uuid
from collections.abc import Callable

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
from genvid.errors import ProviderUnavailable

logger = structlog.get_logger(__name__)
_migrated = False
_failing: dict[str, type[Exception]] = {}


class StillFilling(Exception):
    pass


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    body = success_body({"status": "ok", "version": __version__})
    return HttpResponse(dump(body), content_type="application/json")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    errors = {name: error for name, check in PROBES.items() if (error := probe(check))}
    log_changes(errors)
    # Only the class of what went wrong: the address is public, and messages could name hosts or users.
    failing = {name: type(error).__name__ for name, error in errors.items()}
    parts = dict.fromkeys(PROBES, "ok") | failing
    if not failing:
        body = success_body({"status": "ready", "parts": parts | {"provider": provider_status()}})
        return HttpResponse(dump(body), content_type="application/json")
    return refuse(ProviderUnavailable("Not ready: " + ", ".join(failing), details=failing))


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
