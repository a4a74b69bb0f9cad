"""Warns owners by mail and webhook that credits run low, once per fall below LOW_CREDITS."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from billing import mails
from billing.enums import MailKind
from billing.ledger import wallet_representation
from billing.models import Wallet
from genvid import database_clock

BATCH_SIZE = 500


def mail_low_balances() -> int:
    enough = F("held") + settings.LOW_CREDITS
    Wallet.objects.filter(low_armed=False, balance__gte=enough).update(low_armed=True)
    low = Wallet.objects.filter(low_armed=True, balance__lt=enough).values_list("pk", flat=True)
    return sum(_warn_owners(pk) for pk in low[:BATCH_SIZE])


@transaction.atomic
def _warn_owners(account_id: UUID) -> bool:
    # The worker whose update disarms the warning sends it.
    if Wallet.objects.filter(pk=account_id, low_armed=True).update(low_armed=False) != 1:
        return False
    shown = wallet_representation.wallet_data(account_id)
    outgoing_events.publish(account_id, EventType.CREDITS_LOW, shown, object_id=str(account_id))
    reference = f"{account_id}:{database_clock.now().isoformat()}"
    mails.write_mail(MailKind.CREDITS_LOW, reference, account_id=account_id, available=shown["available"])
    return True
