"""PostgreSQL and Redis in one folder, and Django set up on them as in production."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from genvid.tests.services import Postgres, Redis, make_folder

# A closed port of loopback: no request that is measured calls anybody.
NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "bench.requests.settings",
    "SECRET_KEY": "only-for-the-bench-0123456789-0123456789-0123456789",
    "SALT_KEY": "only-for-the-bench",
    "HEYGEN_API_KEY": "only-for-the-bench",
    "HEYGEN_BASE_URL": NOWHERE,
    "STRIPE_SECRET_KEY": "sk_test_onlyForTheBench0123456789",
    "STRIPE_API_HOST": NOWHERE,
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "RATE_LIMITS": "1",
}
FOREIGN = ("GENVID_EMBEDDED", "GENVID_TEST", "DEBUG", "CONN_MAX_AGE", "METRICS_DIR", "RATE_LIMIT_CALLERS", "S3_BUCKET")


@contextmanager
def stage() -> Iterator[None]:
    folder = make_folder()
    with ExitStack() as opened:
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = opened.enter_context(Postgres(folder)).start()
        redis = opened.enter_context(Redis(folder)).start()
        set_environment(folder / "var", postgres, redis)
        set_up_django(folder / "log")
        yield


def set_environment(var: Path, postgres: Postgres, redis: Redis) -> None:
    (var / "static").mkdir(parents=True)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)
    os.environ.update(
        GENVID_VAR=str(var),
        DATABASE_URL=f"postgres://postgres@/{postgres.socket}/postgres",
        REDIS_URL=redis.url,
    )


def set_up_django(log: Path) -> None:
    """Tables come from the models; logs go to a file, so that their cost is measured."""
    import django  # noqa: PLC0415 - the settings must find the environment of the stage
    from django.apps import apps  # noqa: PLC0415 - the settings must find the environment of the stage
    from django.conf import settings  # noqa: PLC0415 - the settings must find the environment of the stage
    from django.core.management import call_command  # noqa: PLC0415 - the settings must find the environment of the stage

    django.setup()
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(log.open("a"))
    settings.MIGRATION_MODULES = dict.fromkeys(app.label for app in apps.get_app_configs())
    call_command("migrate", run_syncdb=True, verbosity=0)
