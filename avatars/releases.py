"""Which clients a row of the catalogue is released to. Only staff decide; each decision is in the audit log."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import Account
from avatars.models import Avatar, CatalogueEntry, Voice
from genvid.errors import InvalidState

ALL_ACCOUNTS = "all accounts"


@transaction.atomic
def release(entry: CatalogueEntry, *, account: Account | None, staff_id: UUID) -> None:
    """Release to `account`, or with None to all. Raises InvalidState while no sync has told whether it is private."""
    if entry.is_own:
        raise InvalidState("A customer has made it: it is theirs alone.")
    if entry.is_private is None:
        raise InvalidState("Nobody knows yet whether it is private: sync the catalogue first.")
    _set(entry, is_released=True, account=account)
    owner = account.pk if account else None
    audit_log.record_staff_action(
        AuditAct.CATALOGUE_RELEASED, staff_id=staff_id, account_id=owner, **_facts(entry), to=owner or ALL_ACCOUNTS
    )


@transaction.atomic
def withdraw_release(entry: CatalogueEntry, *, staff_id: UUID) -> None:
    """Raises InvalidState for what a customer has made."""
    if entry.is_own:
        raise InvalidState("A customer has made it: only they can delete it.")
    owner = entry.account_id
    _set(entry, is_released=False, account=None)
    audit_log.record_staff_action(AuditAct.CATALOGUE_WITHDRAWN, staff_id=staff_id, account_id=owner, **_facts(entry))


def owners() -> dict[UUID, bool]:
    """The accounts that see rows of their own, and whether they have made any of these themselves. One query."""
    looks, voices = (
        model.objects.exclude(account=None).order_by().values_list("account_id", "is_own") for model in (Avatar, Voice)
    )
    found: dict[UUID, bool] = {}
    for account_id, is_own in looks.union(voices):
        found[account_id] = is_own or found.get(account_id, False)
    return found


def withdraw_all_releases(account_id: UUID) -> None:
    for model in (Avatar, Voice):
        owned = model.objects.filter(account=account_id, is_own=False)
        owned.update(is_released=False, account=None, updated_at=timezone.now())


def _set(entry: CatalogueEntry, *, is_released: bool, account: Account | None) -> None:
    rows = type(entry).objects.filter(pk=entry.pk)
    rows.update(is_released=is_released, account=account, updated_at=timezone.now())
    entry.is_released, entry.account = is_released, account


def _facts(entry: CatalogueEntry) -> dict[str, str]:
    return {"kind": entry._meta.model_name or "", "entry": str(entry.pk), "name": entry.name}
