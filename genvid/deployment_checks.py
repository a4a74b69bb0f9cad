"""Checks of `manage.py check --deploy`: settings that are dangerous or unlikely in production.

Errors where secrets, money or accounts are in danger. Installations of `make run` are exempt: they serve their own
machine (`genvid.E025`).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.http.request import validate_host

from genvid.checks import is_local
from genvid.configuration.declared import SETTINGS
from genvid.configuration.setting import SETTINGS_FILE
from genvid.configuration.unread import unread_names

MIN_KEY_LENGTH = 32
KNOWN_RENDERER_KEY = SETTINGS["TEST_RENDERER_KEY"].default
FILE_BACKENDS = ("filebased", "console", "dummy", "locmem")
Check = Callable[..., list[CheckMessage]]


def deployment_check(found: Callable[[], Iterator[CheckMessage]]) -> Check:
    def check(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
        return list(found())

    registered: Check = register(Tags.security, deploy=True)(check)
    return registered


@deployment_check
def check_embedded_mode_is_local() -> Iterator[CheckMessage]:
    if settings.EMBEDDED and not is_local(settings.PUBLIC_URL):
        yield Error("GENVID_EMBEDDED is on while PUBLIC_URL is not local: `make run` is no server.", id="genvid.E025")


@deployment_check
def check_protections_are_on() -> Iterator[CheckMessage]:
    if settings.EMBEDDED:
        return
    if not settings.REQUIRE_STAFF_TOTP:
        yield Error("REQUIRE_STAFF_TOTP is off: a stolen password opens the staff's pages.", id="genvid.E016")
    if not settings.RATE_LIMITS:
        yield Error("RATE_LIMITS is off: passwords can be guessed without end.", id="genvid.E017")
    if not settings.REQUIRE_VERIFIED_EMAIL:
        yield checks.Warning("REQUIRE_VERIFIED_EMAIL is off: anybody registers with any address.", id="genvid.W006")
    if settings.ALLOW_PRIVATE_IMAGE_URLS:
        yield checks.Warning("ALLOW_PRIVATE_IMAGE_URLS is on outside `make run`.", id="genvid.W012")


@deployment_check
def check_proxy_is_counted() -> Iterator[CheckMessage]:
    """Behind an uncounted proxy all callers have its address, and share one rate limit."""
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    if proxies == 0 and not settings.EMBEDDED and not is_local(settings.PUBLIC_URL):
        yield checks.Warning(
            "NUM_PROXIES is 0 while PUBLIC_URL is public: behind a proxy all callers share one address's limits.",
            id="genvid.W005",
        )


@deployment_check
def check_hosts() -> Iterator[CheckMessage]:
    if settings.EMBEDDED:
        return
    host = (urlsplit(settings.PUBLIC_URL).hostname or "").lower()
    if "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS has *: links can be made to lead to any host.", id="genvid.E020")
    elif not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        yield Error(f"ALLOWED_HOSTS lacks {host}, the host of PUBLIC_URL: it answers 400.", id="genvid.E021")


@deployment_check
def check_services() -> Iterator[CheckMessage]:
    if settings.EMBEDDED:
        return
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield checks.Warning("DATABASE_URL is SQLite: one machine, one writer at a time.", id="genvid.W007")
    if not settings.REDIS_URL:
        yield checks.Warning("REDIS_URL is empty: each process counts its own rate limits.", id="genvid.W008")


@deployment_check
def check_mail() -> Iterator[CheckMessage]:
    if settings.EMBEDDED:
        return
    backend = settings.EMAIL_BACKEND.lower()
    if any(word in backend for word in FILE_BACKENDS):
        told = f"EMAIL_URL is empty and EMAIL_BACKEND is {settings.EMAIL_BACKEND}: no mail reaches anybody."
        yield Error(told, id="genvid.E023")
    if not settings.ALARM_EMAILS:
        yield checks.Warning("ALARM_EMAILS is empty: nobody is told when staff are needed.", id="genvid.W010")


@deployment_check
def check_encryption_keys() -> Iterator[CheckMessage]:
    keys = settings.SALT_KEY if isinstance(settings.SALT_KEY, list | tuple) else [settings.SALT_KEY]
    if not keys or any(not str(key).strip() for key in keys):
        yield Error("SALT_KEY is empty: secrets in the database are not protected.", id="genvid.E024")
    elif len(str(keys[0])) < MIN_KEY_LENGTH:
        # The keys behind it only decrypt what they have encrypted.
        told = f"SALT_KEY is shorter than {MIN_KEY_LENGTH} characters: put a new key in front, and keep the old ones."
        yield Error(told, id="genvid.E030")


@deployment_check
def check_bucket_keys() -> Iterator[CheckMessage]:
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)]
    if settings.S3_BUCKET and missing:
        yield checks.Warning(
            f"S3_BUCKET is set without {' and '.join(missing)}: only a role of the machine can open it.",
            id="genvid.W009",
        )


@deployment_check
def check_test_renderer() -> Iterator[CheckMessage]:
    url = settings.TEST_RENDERER_URL
    if url and not is_local(url) and settings.TEST_RENDERER_KEY == KNOWN_RENDERER_KEY:
        where = "over plain http" if urlsplit(url).scheme != "https" else "beyond this machine"
        yield Error(f"TEST_RENDERER_KEY is the one that everybody knows, and is sent {where}.", id="genvid.E019")


@deployment_check
def check_waiting_threads() -> Iterator[CheckMessage]:
    """Of a WSGI process: under ASGI a request that waits holds no thread."""
    if settings.EMBEDDED or os.environ.get("GRANIAN_INTERFACE", "wsgi") != "wsgi":
        return
    declared = SETTINGS["GRANIAN_BLOCKING_THREADS"]
    try:
        threads = declared.kind.parse(os.environ.get(declared.name) or declared.default or "")
    except ValueError:
        return
    if threads <= settings.WAITING_THREADS:
        told = f"WAITING_THREADS is {settings.WAITING_THREADS} of {threads} GRANIAN_BLOCKING_THREADS: "
        yield Error(told + "requests that wait keep all others from being answered.", id="genvid.E031")


@deployment_check
def check_values_that_others_read() -> Iterator[CheckMessage]:
    """genvid refuses its own malformed values at start; these are read by the compose file, granian and others."""
    for name, setting in SETTINGS.items():
        text = os.environ.get(name)
        if setting.read_by == SETTINGS_FILE or not text:
            continue
        try:
            setting.kind.parse(text)
        except ValueError:
            shown = "its value" if setting.secret else repr(text)
            yield Error(f"{name}: {shown} is not usable: write {setting.kind.expected}.", id="genvid.E015")


@deployment_check
def check_names() -> Iterator[CheckMessage]:
    files = (settings.BASE_DIR / ".env", settings.VAR_DIR / ".env")
    for each in unread_names(*files):
        yield checks.Warning(str(each), id="genvid.W011")
