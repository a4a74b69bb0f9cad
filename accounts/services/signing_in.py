"""Registering, signing in and out, and trading refresh tokens."""

from dataclasses import dataclass

import structlog
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import tasks
from accounts.enums import Revocation, Role
from accounts.models import Account, Membership, Session, User
from accounts.signals import account_registered
from accounts.tokens import TokenPair, new_refresh_token, pair_for, read_refresh
from genvid.broker import enqueue_on_commit
from genvid.errors import InvalidCredentials, TokenInvalid, ValidationFailed

logger = structlog.get_logger(__name__)
VERIFICATION_SALT = "accounts.email-verification"


@dataclass(frozen=True)
class SignedIn:
    """A person who has just proved who they are, and the account they act for."""

    user: User
    membership: Membership
    tokens: TokenPair


def register(*, email: str, password: str, full_name: str = "", company_name: str = "") -> SignedIn:
    """Make person, account and ownership in one step. Raises ValidationFailed on `email` or `password`."""
    user = User(email=email.lower(), full_name=full_name, company_name=company_name)
    _check_password(password, user)
    # Hashing takes 50 ms on purpose: it happens before the transaction, so that nobody waits for our lock.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            membership = _open_account(user)
            signed_in = SignedIn(user, membership, _open_session(membership))
            enqueue_on_commit(tasks.send_verification_email, str(user.pk))
    except IntegrityError:
        raise ValidationFailed(details={"email": "This address is already registered."}) from None
    logger.info("account_registered", account_id=str(membership.account_id))
    return signed_in


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(details={"password": " ".join(error.messages)}) from None


def _open_account(user: User) -> Membership:
    name = user.company_name or user.full_name or user.email.partition("@")[0]
    account = Account.objects.create(name=name[:150])
    membership = Membership.objects.create(user=user, account=account, role=Role.OWNER)
    account_registered.send(sender=Account, account=account)
    return membership


def login(*, email: str, password: str) -> SignedIn:
    """Raises InvalidCredentials, after the same work whether or not the address is known."""
    user = authenticate(username=email.lower(), password=password)
    membership = user and Membership.objects.filter(user=user).select_related("account").first()
    if not isinstance(user, User) or not membership:
        raise InvalidCredentials
    with transaction.atomic():
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
        return SignedIn(user, membership, _open_session(membership))


def _open_session(membership: Membership) -> TokenPair:
    refresh = new_refresh_token()
    session = Session.objects.create(
        user_id=membership.user_id,
        account_id=membership.account_id,
        jti=refresh["jti"],
        expires_at=timezone.now() + refresh.lifetime,
    )
    return pair_for(session, membership.role, refresh)


def refresh(refresh_token: str) -> TokenPair:
    """Trade a refresh token for a new pair. A second use of one token revokes its family. Raises TokenInvalid."""
    claims = read_refresh(refresh_token)
    session = Session.objects.alive().filter(pk=claims.session_id, user__is_active=True).first()
    if session is None:
        raise TokenInvalid
    role = Membership.objects.filter(user=session.user_id, account=session.account_id).values_list("role")
    new, now = new_refresh_token(), timezone.now()
    if not role or not session.rotate(claims.jti, new["jti"], expires_at=now + new.lifetime, last_used_at=now):
        session.revoke(Revocation.REUSE)
        logger.warning("refresh_token_reused", session_id=str(session.pk), user_id=str(session.user_id))
        raise TokenInvalid
    return pair_for(session, role[0][0], new)


def logout(refresh_token: str) -> None:
    """End the session that the token belongs to. Raises TokenInvalid."""
    claims = read_refresh(refresh_token)
    session = Session.objects.filter(pk=claims.session_id, jti=claims.jti).first()
    if session is None or not session.revoke(Revocation.LOGOUT):
        raise TokenInvalid
