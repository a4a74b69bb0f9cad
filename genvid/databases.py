"""Options of the database for the settings: SQLite so that several processes write side by side, or PostgreSQL."""

from typing import Any

SQLITE_OPTIONS = {
    # IMMEDIATE takes the write lock at BEGIN: read-then-write transactions wait instead of failing.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=2000"
    ),
}


def database(url: dict[str, Any], *, max_age: int | None, prepares: bool) -> dict[str, Any]:
    """`url`: DATABASE_URL as a dictionary. `max_age`: seconds. `prepares`: whether PostgreSQL prepares hot reads."""
    kept = {**url, "CONN_MAX_AGE": max_age, "CONN_HEALTH_CHECKS": True}
    if kept["ENGINE"].endswith("sqlite3"):
        return kept | {"OPTIONS": SQLITE_OPTIONS}
    options = {**kept.get("OPTIONS", {}), "prepare_threshold": 1 if prepares else None}
    return kept | {"ENGINE": "genvid.postgresql", "OPTIONS": options}
