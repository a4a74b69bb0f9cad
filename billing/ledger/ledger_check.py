"""Ledger check: recomputes every wallet's figures from entries, holds and lots, in three statements over all wallets.

Each statement sees one moment, so wallets that move meanwhile need no lock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

MAX_FOUND = 1_000
"""Discrepancies that each statement names at most."""

SUMS = """
SELECT wallet.account_id, coalesce(entries.total, 0), wallet.balance,
    coalesce(holds.total, 0), wallet.held, coalesce(lots.total, 0)
FROM billing_wallet wallet
LEFT JOIN (SELECT wallet_id, sum(credits) AS total FROM billing_ledgerentry GROUP BY wallet_id) entries
    ON entries.wallet_id = wallet.account_id
LEFT JOIN (SELECT wallet_id, sum(amount) AS total FROM billing_hold WHERE status = 'open' GROUP BY wallet_id) holds
    ON holds.wallet_id = wallet.account_id
LEFT JOIN (SELECT wallet_id, sum(remaining) AS total FROM billing_creditlot GROUP BY wallet_id) lots
    ON lots.wallet_id = wallet.account_id
WHERE wallet.balance <> coalesce(entries.total, 0) OR wallet.held <> coalesce(holds.total, 0)
    OR coalesce(lots.total, 0) <> CASE WHEN coalesce(entries.total, 0) > 0 THEN entries.total ELSE 0 END
ORDER BY wallet.account_id LIMIT %s
"""
RUNNING_BALANCES = """
SELECT wallet_id, sequence, expected, balance_after FROM (
    SELECT wallet_id, sequence, balance_after, sum(credits) OVER (
        PARTITION BY wallet_id ORDER BY sequence ROWS UNBOUNDED PRECEDING
    ) AS expected FROM billing_ledgerentry
) running WHERE expected <> balance_after ORDER BY wallet_id, sequence LIMIT %s
"""
CAPTURES = """
SELECT wallet_id, reference, sum(charged), sum(captured) FROM (
    SELECT wallet_id, reference, -credits AS charged, 0 AS captured FROM billing_ledgerentry WHERE kind = 'charge'
    UNION ALL SELECT wallet_id, reference, 0, captured FROM billing_hold WHERE captured > 0
) moved GROUP BY wallet_id, reference HAVING sum(charged) <> sum(captured) ORDER BY wallet_id, reference LIMIT %s
"""


@dataclass(frozen=True)
class Discrepancy:
    account_id: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.account_id}: {self.what} should be {self.expected}, is {self.found}"


def check_all_wallets() -> Iterator[Discrepancy]:
    for account, balance, kept, open_holds, held, lots in _rows(SUMS):
        sums = (("balance", balance, kept), ("held", open_holds, held), ("lots", max(0, balance), lots))
        yield from (_discrepancy(account, *each) for each in sums if each[1] != each[2])
    for account, sequence, expected, found in _rows(RUNNING_BALANCES):
        yield _discrepancy(account, f"balance_after of entry {sequence}", expected, found)
    for account, reference, charged, captured in _rows(CAPTURES):
        yield _discrepancy(account, f"capture of {reference}", charged, captured)


def _rows(statement: str) -> list[tuple[UUID | str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [MAX_FOUND])
        rows: list[tuple[UUID | str, ...]] = cursor.fetchall()
    return rows


def _discrepancy(account: object, what: str, expected: object, found: object) -> Discrepancy:
    # SQLite has no UUIDs, and PostgreSQL adds up to decimals.
    return Discrepancy(str(UUID(str(account))), what, int(str(expected)), int(str(found)))
