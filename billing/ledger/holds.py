"""Closes holds, together with what their wallet holds and owns. Called within billing only."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F

from billing.enums import HoldStatus
from billing.ledger.entries import lock_wallet
from billing.models import Hold, Wallet
from genvid import database_clock
from genvid.statements import update_returning

# Lock order: the wallet first, then its rows. Whoever waited for the wallet finds the hold as it is by then.
CLOSE = """
WITH locked AS (
    SELECT account_id FROM billing_wallet
    WHERE account_id = (SELECT wallet_id FROM billing_hold WHERE reference = %(reference)s)
    FOR NO KEY UPDATE
), closed AS (
    UPDATE billing_hold
    SET status = %(status)s, settled_at = %(now)s, captured = LEAST(%(charge)s, amount),
        provider_microdollars = %(provider_microdollars)s
    FROM locked
    WHERE wallet_id = locked.account_id AND reference = %(reference)s AND status = 'open'
    RETURNING id, wallet_id, reference, amount, captured, overrun_factor, api_key_id, created_at
)
UPDATE billing_wallet SET held = held - closed.amount, balance = balance - closed.captured
FROM closed WHERE account_id = closed.wallet_id
RETURNING closed.*, balance
"""


@dataclass(frozen=True)
class ClosedHold:
    hold: Hold
    balance: int
    """Of the wallet, after the charge."""


def close_hold(reference: str, *, charge: int | None, provider_microdollars: int | None = 0) -> ClosedHold | None:
    """Free a hold, and take up to `charge` credits; None releases it. None when it was closed before.

    Call it in a transaction that consumes lots and writes the entry of the charge. Raises Hold.DoesNotExist.
    """
    status = HoldStatus.RELEASED if charge is None else HoldStatus.CAPTURED
    facts = {"status": status.value, "provider_microdollars": provider_microdollars}
    if connection.vendor == "postgresql":
        closed = _close_in_one_statement(reference, charge or 0, facts)
    else:
        closed = _close_in_steps(reference, charge or 0, facts)
    if closed is None and not Hold.objects.filter(reference=reference).exists():
        raise Hold.DoesNotExist(reference)
    return closed


def _close_in_one_statement(reference: str, charge: int, facts: dict[str, Any]) -> ClosedHold | None:
    given = {"reference": reference, "charge": charge, "now": database_clock.now(), **facts}
    closed: list[Any] = list(Hold.objects.raw(CLOSE, given))
    return ClosedHold(closed[0], closed[0].balance) if closed else None


def _close_in_steps(reference: str, charge: int, facts: dict[str, Any]) -> ClosedHold | None:
    """For engines without UPDATE in a CTE."""
    hold = Hold.objects.get(reference=reference)
    lock_wallet(hold.wallet_id)
    hold.captured = min(charge, hold.amount)
    mine = Hold.objects.filter(pk=hold.pk, status=HoldStatus.OPEN)
    if mine.update(settled_at=database_clock.now(), captured=hold.captured, **facts) != 1:
        return None
    freed = {"held": F("held") - hold.amount, "balance": F("balance") - hold.captured}
    [wallet] = update_returning(Wallet.objects.filter(pk=hold.wallet_id), freed, read=["balance"])
    return ClosedHold(hold, wallet.balance)
