"""The nightly proof of the ledger: its result is kept, measured by `/metrics`, and mailed to staff when it fails."""

import time
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from billing import mails
from billing.ledger.ledger_check import check_all_wallets
from billing.models import LedgerProof, Wallet

logger = structlog.get_logger(__name__)
RETENTION = timedelta(days=90)
MAX_LISTED = 20


def prove_ledger() -> tuple[LedgerProof, list[str]]:
    """The stored result, and every discrepancy in words."""
    begun, clock = timezone.now(), time.perf_counter()
    found = [str(discrepancy) for discrepancy in check_all_wallets()]
    wallets, seconds = Wallet.objects.count(), time.perf_counter() - clock
    text = "\n".join([*found[:MAX_LISTED], *_more(len(found))])
    with transaction.atomic():
        LedgerProof.objects.filter(begun_at__lt=begun - RETENTION).delete()
        proof = LedgerProof.objects.create(
            begun_at=begun, seconds=seconds, wallets=wallets, discrepancies=len(found), text=text
        )
        if found:
            text = f"The ledger does not prove:\n{text}"
            mails.alarm_staff(f"{begun:%Y-%m-%d}", text, name="ledger_not_proved")
    logger.info("ledger_proved", wallets=wallets, discrepancies=len(found), seconds=round(seconds, 1))
    return proof, found


def _more(count: int) -> list[str]:
    return [f"and {count - MAX_LISTED} more: manage.py check_ledger"] if count > MAX_LISTED else []
