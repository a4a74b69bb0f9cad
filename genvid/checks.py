"""System checks for combinations of settings that would lose money, videos or secrets. Ids are `genvid.E…` and `W…`."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from genvid import cors

STRIPE_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9]{24,}")
"""The form that dj-stripe accepts for a secret or restricted key; with another, the first event would fail."""
MODERATION_BY_HTTP = "accounts.moderation.http_service.ask"


def is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


@register(Tags.security)
def check_debug_is_off_in_public(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if settings.DEBUG and not is_local(settings.PUBLIC_URL):
        return [Error("DEBUG is on while PUBLIC_URL is not local.", hint="Unset DEBUG.", id="genvid.E001")]
    return []


@register(Tags.security)
def check_secret_key(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) < 32:
        hint = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        return [Error("SECRET_KEY is shorter than 32 characters.", hint=hint, id="genvid.E002")]
    return []


@register(Tags.security)
def check_jwt_secret(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.JWT_SECRET != settings.SECRET_KEY and len(settings.JWT_SECRET) < 32:
        hint = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        found.append(Error("JWT_SECRET is shorter than 32 characters.", hint=hint, id="genvid.E013"))
    if not settings.JWT_SIGNING_KEY:
        return found
    if settings.JWT_SIGNING_KEY != settings.JWT_SECRET:
        hint = "Unset JWT_SIGNING_KEY, the former name of JWT_SECRET."
        return [*found, Error("JWT_SECRET and JWT_SIGNING_KEY are both set and differ.", hint=hint, id="genvid.E014")]
    hint = "Rename it to JWT_SECRET; keep the value."
    return [*found, checks.Warning("JWT_SIGNING_KEY is deprecated.", hint=hint, id="genvid.W004")]


@register(Tags.security)
def check_allowed_origins(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A browser's `Origin` is compared exactly: an origin written in another form never matches."""
    hint = "Scheme, host and port alone, in small letters: https://app.example.com or http://localhost:3000."
    return [Error(problem, hint=hint, id="genvid.E011") for problem in cors.origin_problems()]


@register(Tags.security)
def check_allowed_origin_patterns(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    hint = r"For example https://[a-z0-9-]+\.example\.com. A comma separates two patterns."
    return [Error(problem, hint=hint, id="genvid.E012") for problem in cors.pattern_problems()]


@register
def check_moderation_hook(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if not settings.MODERATION_HOOK:
        return []
    try:
        import_string(settings.MODERATION_HOOK)
    except ImportError as error:
        return [Error(f"MODERATION_HOOK cannot be imported: {error}", id="genvid.E042")]
    if settings.MODERATION_HOOK == MODERATION_BY_HTTP and not settings.MODERATION_HTTP_URL:
        hint = "MODERATION_HTTP_URL is where it posts texts."
        return [Error("MODERATION_HOOK has no address to ask at.", hint=hint, id="genvid.E047")]
    return []


@register
def check_provider_key(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if not settings.HEYGEN_API_KEY:
        return [checks.Warning("HEYGEN_API_KEY is empty: videos will wait in the queue.", id="genvid.W001")]
    return []


@register
def check_provider_address(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    encrypted = urlsplit(settings.HEYGEN_BASE_URL).scheme == "https"
    if not encrypted and not is_local(settings.HEYGEN_BASE_URL):
        return [Error("HEYGEN_BASE_URL is neither https nor local.", id="genvid.E003")]
    return []


@register
def check_stripe_key(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if not settings.STRIPE_SECRET_KEY:
        return [checks.Warning("STRIPE_SECRET_KEY is empty: nothing is sold.", id="genvid.W003")]
    if not STRIPE_KEY.fullmatch(settings.STRIPE_SECRET_KEY):
        hint = "sk_test_…, sk_live_…, rk_test_… or rk_live_…, as Stripe's dashboard shows it."
        return [Error("STRIPE_SECRET_KEY is not a secret key of Stripe's.", hint=hint, id="genvid.E009")]
    if settings.DEBUG and settings.STRIPE_LIVE_MODE:
        return [Error("DEBUG is on with a live Stripe key: money could move.", hint="Unset DEBUG.", id="genvid.E010")]
    return []


@register
def check_stripe_address(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    encrypted = urlsplit(settings.STRIPE_API_HOST).scheme == "https"
    if not encrypted and not is_local(settings.STRIPE_API_HOST):
        return [Error("STRIPE_API_HOST is neither https nor local.", id="genvid.E008")]
    return []


@register
def check_private_addresses(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if settings.EMBEDDED or settings.TESTING:
        return []
    names = ("ALLOW_PRIVATE_MEDIA_HOSTS", "ALLOW_PRIVATE_WEBHOOK_URLS")
    on = [name for name in names if getattr(settings, name)]
    return [checks.Warning(f"{name} is on outside `make run`.", id="genvid.W002") for name in on]


@register
def check_pipeline_times(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """HeyGen forgets an Idempotency-Key after 24 hours: a submission must be settled before that."""
    errors: list[CheckMessage] = []
    if settings.VIDEO_SUBMIT_DEADLINE >= 24 * 3600:
        errors.append(Error("VIDEO_SUBMIT_DEADLINE must be under 24 hours.", id="genvid.E004"))
    if settings.VIDEO_SUBMIT_LEASE <= settings.HEYGEN_WRITE_TIMEOUT:
        errors.append(Error("VIDEO_SUBMIT_LEASE must be longer than HEYGEN_WRITE_TIMEOUT.", id="genvid.E007"))
    if settings.OWN_AVATAR_CREATE_DEADLINE >= 24 * 3600:
        errors.append(Error("OWN_AVATAR_CREATE_DEADLINE must be under 24 hours.", id="genvid.E045"))
    if settings.OWN_AVATAR_LEASE <= settings.HEYGEN_WRITE_TIMEOUT:
        errors.append(Error("OWN_AVATAR_LEASE must be longer than HEYGEN_WRITE_TIMEOUT.", id="genvid.E046"))
    return errors
