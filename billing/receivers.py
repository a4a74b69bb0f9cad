"""Receivers of signals that accounts sends."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.dispatch import receiver

from accounts.models import Account, User
from accounts.signals import account_erasing, account_registered, export_requested, mailbox_verified
from billing import credits, data_export
from billing.checkout import account_erasure
from billing.models import Wallet
from billing.purchases import signup_grants, staff_credits


@receiver(account_registered)
def open_wallet(account: Account, user: User, is_first: bool, **_: Any) -> None:
    Wallet.objects.create(account=account)
    # Otherwise the credits come with the verification of the mailbox.
    if is_first and (user.email_verified or not settings.REQUIRE_VERIFIED_EMAIL):
        signup_grants.claim_signup_credits(account.pk, user.email)


@receiver(mailbox_verified)
def grant_signup_credits(account_id: UUID | None, email: str, **_: Any) -> None:
    if account_id is not None:
        signup_grants.claim_signup_credits(account_id, email)


@receiver(export_requested)
def export_money(account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return data_export.export_parts(account_ids)


@receiver(account_erasing)
def erase_billing_data(account_id: UUID, **_: Any) -> str:
    # The ledger stays: it names the account by its id only.
    credits.anonymise_entries(account_id)
    signup_grants.close_signup_grants(account_id)
    staff_credits.close_adjustments(account_id)
    return account_erasure.close_at_stripe(account_id)
