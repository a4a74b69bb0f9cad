"""Second factor: TOTP authenticator app and ten recovery codes. Optional for customers, required of staff."""

import base64
import hashlib
import re
import secrets
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct, MailKind
from accounts.models import Authenticator, RecoveryCode, User
from genvid.api.serializers import refuse_field
from genvid.errors import InvalidCredentials, InvalidState, TotpRequired
from genvid.mail import outbox

SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 random bits cannot be guessed, so a plain hash is stored."""
ALREADY_ENABLED = "The second factor is on already; switch it off first."


def authenticator_of(user: User) -> Authenticator | None:
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).first()
    return found


def require_code(user: User, code: str) -> str:
    """Consume `code`. Returns "totp", "recovery_code", or "" for users without second factor. Raises TotpRequired if it
    is empty, InvalidCredentials if it is wrong.
    """
    device = authenticator_of(user)
    if device is None:
        return ""
    if not code:
        raise TotpRequired
    if device.verify_token(code):
        return "totp"
    if _use_recovery_code(user, code):
        return "recovery_code"
    raise InvalidCredentials("The code is wrong, or was used before.")


def start_enrolment(user: User) -> Authenticator:
    """Create an unconfirmed authenticator. Raises InvalidState if a confirmed one exists."""
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    try:
        with transaction.atomic():
            # Lock the user: of two concurrent enrolments, the second replaces the secret of the first.
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            Authenticator.objects.filter(user=user, confirmed=False).delete()
            device: Authenticator = Authenticator.objects.create(user=user, secret=secret)
    except IntegrityError:
        # Another request has confirmed an authenticator meanwhile.
        if authenticator_of(user) is None:
            raise
        raise InvalidState(ALREADY_ENABLED) from None
    return device


@transaction.atomic
def confirm_enrolment(caller: Caller, user: User, *, code: str) -> list[str]:
    """Returns the recovery codes, of which only hashes are stored. Raises InvalidState, ValidationFailed on `code`."""
    device = Authenticator.objects.filter(user=user).first()
    if device is None:
        raise InvalidState("Ask for a secret first: POST auth/totp.")
    if device.confirmed:
        raise InvalidState(ALREADY_ENABLED)
    if not device.verify_token(code):
        raise refuse_field("code", "Is not the code of now.")
    codes = _activate(device)
    audit_log.record_by(caller, AuditAct.TOTP_ENABLED)
    return codes


@transaction.atomic
def enroll_by_operator(user: User) -> tuple[Authenticator, list[str]]:
    """Replace any authenticator by a confirmed one. Only for the management command."""
    Authenticator.objects.filter(user=user).delete()
    device = start_enrolment(user)
    codes = _activate(device)
    audit_log.record_staff_action(AuditAct.TOTP_ENABLED, staff_id=user.pk, by="operator")
    return device, codes


@transaction.atomic
def disable_totp(caller: Caller, user: User) -> None:
    deleted, _ = Authenticator.objects.filter(user=user, confirmed=True).delete()
    if not deleted:
        raise InvalidState("The second factor is not on.")
    RecoveryCode.objects.filter(user=user).delete()
    audit_log.record_by(caller, AuditAct.TOTP_DISABLED)
    mail_totp_changed(user.pk, is_on=False)


def mail_totp_changed(user_id: UUID, *, is_on: bool) -> None:
    outbox.write(MailKind.TOTP_CHANGED, person=user_id, is_on=is_on)


def mail_current_totp_state(user_id: UUID) -> None:
    mail_totp_changed(user_id, is_on=Authenticator.objects.filter(user=user_id, confirmed=True).exists())


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user).count()


def _activate(device: Authenticator) -> list[str]:
    if Authenticator.objects.filter(pk=device.pk, confirmed=False).update(confirmed=True) != 1:
        raise InvalidState(ALREADY_ENABLED)
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=device.user_id).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=device.user_id, digest=_digest(code)) for code in codes)
    mail_totp_changed(device.user_id, is_on=True)
    return codes


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(re.findall("....", text))


def _use_recovery_code(user: User, code: str) -> bool:
    deleted, _ = RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()
    return deleted == 1


def _digest(code: str) -> str:
    """Ignores case, hyphens and blanks."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).hexdigest()
