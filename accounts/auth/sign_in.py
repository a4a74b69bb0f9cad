"""Registration, login, logout and rotation of refresh tokens."""

from dataclasses import dataclass

import structlog
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit_log
from accounts.auth import account_creation, credentials, email_verification, session_cache, sessions, throttling
from accounts.auth.tokens import (
    TokenPair,
    new_refresh_token,
    read_refresh_token,
    rebuild_refresh_token,
    sign_token_pair,
    token_expires_at,
)
from accounts.enums import AuditAct, Revocation
from accounts.models import Membership, Session, User
from accounts.privacy import erasures
from genvid import request_context
from genvid.errors import InvalidCredentials, TokenInvalid, ValidationFailed

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SignedIn:
    user: User
    membership: Membership
    tokens: TokenPair


def register(*, email: str, password: str, full_name: str = "", company_name: str = "") -> SignedIn:
    """Create user, account and session. Raises ValidationFailed on `email` or `password`."""
    user = User(email=email.lower(), full_name=full_name, company_name=company_name)
    check_password(password, user)
    # Hashing takes 20 ms, so it is done before the transaction: no lock is held meanwhile.
    user.password = make_password(password)
    try:
        with transaction.atomic():
            membership = account_creation.create_person(user)
            audit_log.record(AuditAct.REGISTERED, account_id=membership.account_id, user_id=user.pk)
            signed_in = SignedIn(user, membership, open_session(membership, is_new_member=True))
            email_verification.mail_verification(user.pk)
    except IntegrityError:
        # The address was taken, or else another constraint was violated, which is a defect.
        if not User.objects.filter(email=user.email).exists():
            raise
        raise ValidationFailed(details={"email": "This address is already registered."}) from None
    logger.info("account_registered", account_id=str(membership.account_id))
    return signed_in


def check_password(password: str, user: User, *, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(details={field: " ".join(error.messages)}) from None


def login(*, email: str, password: str, totp_code: str = "") -> SignedIn:
    """Raises RateLimited, InvalidCredentials or TotpRequired. Withdraws an erasure in its grace period."""
    proven = credentials.verify_credentials(email=email, password=password, code=totp_code)
    user = proven.user
    with transaction.atomic():
        record_sign_in(user)
        erasures.withdraw_erasure(user)
        membership = account_creation.membership_for_sign_in(user)
        audit_log.record(
            AuditAct.SIGNED_IN, account_id=membership.account_id, user_id=user.pk, second_factor=proven.factor or "none"
        )
        return SignedIn(user, membership, open_session(membership))


def record_sign_in(user: User) -> None:
    """Raises InvalidCredentials if the password or activity of the user changed since the credentials were checked. The
    update locks the row: a concurrent password reset either fails this check or revokes the new session.
    """
    user.last_login = timezone.now()
    as_checked = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if as_checked.update(last_login=user.last_login) != 1:
        raise InvalidCredentials


def open_session(membership: Membership, *, is_new_member: bool = False) -> TokenPair:
    """`is_new_member`: the membership was made in this transaction, as one in use."""
    if not is_new_member:
        account_creation.record_membership_use(membership)
    throttling.remember_network(membership.user_id)
    refresh, here = new_refresh_token(), request_context.current()
    session = Session.objects.create(
        user_id=membership.user_id,
        account_id=membership.account_id,
        jti=refresh["jti"],
        address=here.address or None,
        user_agent=here.user_agent,
        expires_at=token_expires_at(refresh),
    )
    return sign_token_pair(session, membership.role, refresh)


def refresh(refresh_token: str) -> TokenPair:
    """Raises TokenInvalid. A second use revokes the session, unless one client repeats it within REPEAT_WINDOW."""
    claims = read_refresh_token(refresh_token)
    session = Session.objects.alive().filter(pk=claims.session_id).first()
    role = session_cache.role_now(claims.session_id)
    if session is None or role is None:
        raise TokenInvalid
    new, now, here = new_refresh_token(), timezone.now(), request_context.current()
    seen = {"address": here.address or None, "user_agent": here.user_agent}
    if session.rotate(claims.jti, new["jti"], now=now, expires_at=token_expires_at(new), **seen):
        return sign_token_pair(session, role, new)
    return _repeat_rotation(session, claims.jti, role)


def _repeat_rotation(session: Session, jti: str, role: str) -> TokenPair:
    """The pair that the first use got, for one network and user agent only. Reads the session again, so that of two
    concurrent requests the second gets the result of the first.
    """
    rotated = session.repeated(jti, now=timezone.now())
    if rotated is None or not _is_same_client(rotated):
        sessions.revoke_reused_session(session)
        raise TokenInvalid
    return sign_token_pair(rotated, role, rebuild_refresh_token(rotated.jti, rotated.expires_at))


def _is_same_client(session: Session) -> bool:
    here = throttling.current_network()
    same_network = here != "" and here == throttling.network_of(session.address or "")
    return same_network and session.user_agent == request_context.current().user_agent


def logout(refresh_token: str) -> None:
    """Raises TokenInvalid."""
    claims = read_refresh_token(refresh_token)
    session = Session.objects.filter(pk=claims.session_id, jti=claims.jti).first()
    if session is None or not sessions.end_session(session, Revocation.LOGOUT, AuditAct.SIGNED_OUT):
        raise TokenInvalid
