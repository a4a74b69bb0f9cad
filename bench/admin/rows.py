"""Money and history of the loaded videos: holds, charges, events. In SQL, so that a million takes a minute."""

from django.db import connection

from bench.web import rows
from bench.web.sizes import Size
from billing.models import Hold, LedgerEntry
from videos.models import VideoEvent

DUE = 200
"""Videos that the sweep of retention announces, and as many that it expires."""
COMPLETED = "videos_video WHERE status = 'completed'"
NTH = "row_number() OVER (PARTITION BY account_id ORDER BY created_at, id)"


def load(size: Size) -> None:
    rows.load(size)
    with connection.cursor() as cursor:
        for statement in (_holds(), _charges(), *_events(), *_wallets(), *_due()):
            cursor.execute(statement)
    rows.load_waiting(size)


def _holds() -> str:
    captured = {"captured": "credits_charged", "status": "'captured'", "settled_at": "completed_at"}
    times = {"created_at": "created_at", "reference": "'video:' || id", "id": "gen_random_uuid()"}
    return rows.insert(Hold, COMPLETED, wallet_id="account_id", amount="credits_held", **captured, **times)


def _charges() -> str:
    """Each entry's balance is the one before it less a charge, as the ledger check demands."""
    return rows.insert(
        LedgerEntry,
        f"(SELECT *, {NTH} AS nth FROM {COMPLETED}) made",  # noqa: S608 - words of ours
        id="gen_random_uuid()",
        wallet_id="account_id",
        sequence="nth + 1",
        kind="'charge'",
        credits="-credits_charged",
        balance_after=f"{rows.BALANCE} - sum(credits_charged) OVER (PARTITION BY account_id ORDER BY nth)",
        reference="'video:' || id",
        created_at="completed_at",
    )


def _events() -> list[str]:
    """Four moves of each video."""
    moves = (("", "draft"), ("draft", "queued"), ("queued", "rendering"), ("rendering", "completed"))
    return [
        rows.insert(
            VideoEvent,
            "videos_video ORDER BY created_at",
            video_id="id",
            from_status=f"'{before}'",
            to_status=f"'{after}'",
            created_at="created_at",
        )
        for before, after in moves
    ]


def _wallets() -> list[str]:
    spent = "SELECT wallet_id, sum(credits) AS total FROM billing_ledgerentry GROUP BY wallet_id"
    return [
        f"UPDATE billing_{table} SET {column} = total FROM ({spent}) spent WHERE spent.wallet_id = {key}"  # noqa: S608
        for table, column, key in (
            ("wallet", "balance", "account_id"),
            ("creditlot", "remaining", "billing_creditlot.wallet_id"),
        )
    ]


def _due() -> list[str]:
    chosen = "SELECT id FROM videos_video WHERE status = 'completed' AND expires_at > now() + interval '90 days'"
    return [
        f"UPDATE videos_video SET expires_at = now() + interval '{days} days' WHERE id IN ({chosen} LIMIT {DUE})"  # noqa: S608
        for days in (1, -1)
    ]
