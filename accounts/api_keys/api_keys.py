"""Creation and revocation of API keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.api_keys import key_format
from accounts.caller import Caller
from accounts.enums import AuditAct, KeyMode, Scope
from accounts.models import Account, ApiKey
from accounts.permissions import allows
from genvid.errors import Conflict, InvalidState, ValidationFailed

MAX_KEYS = 100


@transaction.atomic
def create_api_key(
    caller: Caller,
    *,
    name: str,
    scopes: list[str],
    mode: KeyMode = KeyMode.LIVE,
    expires_at: datetime | None = None,
    **limits: Any,
) -> tuple[ApiKey, str]:
    """Returns the key with its text, which is not stored. `limits`: allowed_addresses, monthly_credit_limit. Raises
    ValidationFailed on `scopes`, `mode` or `expires_at`, Conflict beyond `MAX_KEYS`.
    """
    lacking = [scope for scope in scopes if not allows(caller, Scope(scope))]
    if lacking:
        raise ValidationFailed(details={"scopes": f"Your role does not have {', '.join(lacking)}."})
    if mode == KeyMode.TEST and not settings.TEST_RENDERER_URL:
        raise ValidationFailed(details={"mode": "Test keys are not offered here."})
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationFailed(details={"expires_at": "Lies in the past."})
    # Lock the account, so that concurrent requests cannot exceed the limit.
    Account.objects.select_for_update().get(pk=caller.account_id)
    if ApiKey.objects.filter(account=caller.account_id, revoked_at=None).count() >= MAX_KEYS:
        raise Conflict(f"An account has at most {MAX_KEYS} keys in use; revoke one first.")
    new = key_format.new_key(mode)
    key = ApiKey.objects.create(
        account_id=caller.account_id,
        created_by_id=caller.user_id,
        name=name,
        mode=mode,
        prefix=new.prefix,
        digest=new.digest,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        **limits,
    )
    audit_log.record_by(caller, AuditAct.KEY_CREATED, key=key.pk, name=name, scopes=" ".join(key.scopes))
    return key, new.text


@transaction.atomic
def revoke_api_key(caller: Caller, key: ApiKey) -> None:
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit_log.record_by(caller, AuditAct.KEY_REVOKED, key=key.pk, name=key.name)


@transaction.atomic
def revoke_key_by_staff(key: ApiKey, *, staff_id: UUID, token: UUID) -> None:
    """Raises AlreadyDone, and InvalidState for a revoked key."""
    facts = {"key": key.pk, "name": key.name}
    audit_log.record_once(AuditAct.STAFF_KEY_REVOKED, token, staff_id=staff_id, account_id=key.account_id, **facts)
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) != 1:
        raise InvalidState("This key is revoked already.")
