"""Verifies passwords and second factors, with throttling. Used by the API and by the admin login."""

from dataclasses import dataclass
from uuid import UUID

from accounts import audit_log
from accounts.auth import former_hashes, throttling, totp
from accounts.auth.throttling import Attempt
from accounts.enums import AuditAct
from accounts.models import User
from genvid import cache
from genvid.api.serializers import refuse_field
from genvid.errors import InvalidCredentials, RateLimited

THROTTLED_AUDIT_INTERVAL_SECONDS = 900


@dataclass(frozen=True)
class VerifiedCredentials:
    user: User
    factor: str
    """"totp", "recovery_code" or ""."""


def verify_credentials(*, email: str, password: str, code: str = "") -> VerifiedCredentials:
    """Takes equal time for known and unknown addresses. Raises RateLimited, InvalidCredentials, TotpRequired."""
    attempt = throttling.attempt(email)
    _check(attempt)
    try:
        user = _user_with(attempt.email, password)
        factor = totp.require_code(user, code)
    except InvalidCredentials:
        attempt.fail()
        _record_failed_attempt(AuditAct.SIGN_IN_REFUSED, attempt.email)
        raise
    attempt.succeed()
    return VerifiedCredentials(user, factor)


def _user_with(email: str, password: str) -> User:
    """Raises InvalidCredentials, after equally many hashes, statements and looks into the cache for any address."""
    user: User | None = User.objects.filter(email=email).first()
    if user is not None and user.check_password(password) and user.is_active:
        return user
    share = former_hashes.share_of_former_hashes()
    if user is None:
        former_hashes.hash_for_unknown(email, password, share)
    raise InvalidCredentials


def confirm_identity(user: User, *, password: str, code: str | None = None, field: str = "password") -> None:
    """Check the password of a signed-in user again. Raises RateLimited, ValidationFailed on `field` or `code`.

    Without a code the failures are not reset: otherwise whoever knows the password could guess codes without limit.
    """
    attempt = throttling.attempt(user.email)
    _check(attempt)
    if not user.check_password(password):
        attempt.fail()
        raise refuse_field(field, "Is not your password.")
    if code is None:
        return
    try:
        totp.require_code(user, code)
    except InvalidCredentials:
        attempt.fail()
        raise refuse_field("code", "Is wrong, or was used before.") from None
    attempt.succeed()


def _check(attempt: Attempt) -> None:
    try:
        attempt.check()
    except RateLimited:
        if cache.is_first_in(f"accounts.throttled:{attempt.subject}", THROTTLED_AUDIT_INTERVAL_SECONDS):
            _record_failed_attempt(AuditAct.SIGN_IN_THROTTLED, attempt.email)
        raise


def _record_failed_attempt(act: AuditAct, email: str) -> None:
    """Written for unknown addresses as well, so that timing does not reveal whether an account exists."""
    user_id, account_id = _user_and_account_ids(email)
    audit_log.record(act, account_id=account_id, user_id=user_id)


def _user_and_account_ids(email: str) -> tuple[UUID | None, UUID | None]:
    rows = User.objects.filter(email=email).order_by("memberships__created_at")
    return rows.values_list("pk", "memberships__account").first() or (None, None)
