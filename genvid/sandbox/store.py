"""The sandbox's data: one SQLite file, written from the event loop's thread only."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

Row = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS videos (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, status TEXT NOT NULL,
    stage TEXT NOT NULL,
    title TEXT, script TEXT, product TEXT NOT NULL, job TEXT NOT NULL, directives TEXT NOT NULL, made TEXT,
    created_at REAL NOT NULL, started_at REAL, completed_at REAL, duration REAL,
    charged INTEGER NOT NULL DEFAULT 0, failure_code TEXT, failure_message TEXT, callback_url TEXT,
    callback_id TEXT,
    folder_id TEXT, idempotency_key TEXT, creates INTEGER NOT NULL DEFAULT 1,
    reads INTEGER NOT NULL DEFAULT 0, stale_links INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0, base TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS videos_status ON videos (status, stage);
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS replays (
    scope TEXT PRIMARY KEY, created_at REAL NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    video_id TEXT
);
CREATE TABLE IF NOT EXISTS looks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, group_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL, persona TEXT NOT NULL, image TEXT, width INTEGER, height INTEGER, consent TEXT,
    created_at REAL NOT NULL, ready_at REAL NOT NULL, announced INTEGER NOT NULL DEFAULT 0,
    base TEXT NOT NULL, failure TEXT
);
CREATE TABLE IF NOT EXISTS voices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    profile TEXT NOT NULL,
    language TEXT, created_at REAL NOT NULL, ready_at REAL NOT NULL, failure TEXT
);
CREATE TABLE IF NOT EXISTS assets (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size INTEGER NOT NULL, checksum TEXT, status TEXT NOT NULL, created_at REAL NOT NULL, batch_id TEXT,
    item_index INTEGER, listed INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS made_objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, object_id TEXT NOT NULL,
    group_id TEXT NOT NULL, name TEXT NOT NULL, idempotency_key TEXT, failure TEXT, charged INTEGER NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS endpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, url TEXT NOT NULL, events TEXT,
    entity_id TEXT,
    secret TEXT NOT NULL, created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
    entity_id TEXT, created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
    endpoint_id TEXT,
    url TEXT NOT NULL, mode TEXT NOT NULL, body TEXT NOT NULL, created_at REAL NOT NULL,
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'waiting'
);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (due_at, seq) WHERE status = 'waiting';
CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, delivery INTEGER NOT NULL, at REAL NOT NULL, answer INTEGER,
    error TEXT
);
CREATE TABLE IF NOT EXISTS requests (route TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS drawn_faults (rate TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS submits (script TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, left INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
KEPT = ("settings", "sqlite_sequence")  # a reset leaves the signing key alone, and no id is ever given twice


# From the release that had other names to this one.
RENAMES = """
BEGIN;
ALTER TABLE videos RENAME COLUMN magic TO directives;
ALTER TABLE batches DROP COLUMN kind;
UPDATE settings SET name = 'settings' WHERE name = 'knobs';
COMMIT;
"""


def _add_columns(db: sqlite3.Connection) -> None:
    """That a store of an earlier release lacks."""
    for table in ("looks", "voices"):
        if not db.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = 'failure'", (table,)).fetchone():
            db.execute(f"ALTER TABLE {table} ADD COLUMN failure TEXT")


def _take_over(old: Path, path: Path) -> None:
    if path.exists() or not old.exists():
        return
    with closing(sqlite3.connect(old)) as db:
        if db.execute("SELECT 1 FROM pragma_table_info('videos') WHERE name = 'magic'").fetchone():
            db.executescript(RENAMES)
        db.execute("PRAGMA journal_mode=DELETE")  # so that nothing is left in a second file
    old.rename(path)


class Store:
    """Rows as dictionaries. A statement commits by itself unless it runs inside `together`, which nests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "sandbox.sqlite3"
        _take_over(folder / "books.sqlite3", path)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # A killed process loses nothing that way; only a power cut could, and a sandbox may forget then.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + TABLES)
        _add_columns(self._db)

    def extend(self, tables: str) -> None:
        """Adds a provider's tables. Only while no transaction is open: a script commits."""
        self._db.executescript(tables)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        return self._db.execute(sql, values).rowcount

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return [dict(row) for row in self._db.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> Row | None:
        found = self._db.execute(sql, values).fetchone()
        return None if found is None else dict(found)

    def value(self, sql: str, *values: Any) -> Any:
        found = self._db.execute(sql, values).fetchone()
        return None if found is None else found[0]

    def add(self, table: str, **columns: Any) -> int:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))
        return cursor.lastrowid or 0

    def count(self, table: str, column: str, key: str) -> int:
        """Adds one to a counter row and returns the new figure."""
        sql = f"INSERT INTO {table} ({column}, count) VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1"
        self.run(sql, key)
        return int(self.value(f"SELECT count FROM {table} WHERE {column} = ?", key))

    def setting(self, name: str, default: Any = None) -> Any:
        found = self.value("SELECT value FROM settings WHERE name = ?", name)
        return default if found is None else json.loads(found)

    def set(self, name: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, json.dumps(value))

    def signing_key(self) -> str:
        if self.setting("signing_key") is None:
            self.set("signing_key", secrets.token_hex(32))
        return str(self.setting("signing_key"))

    def wipe(self) -> None:
        key = self.signing_key()
        with self.together():
            for table in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if table["name"] not in KEPT:
                    self.run(f"DELETE FROM {table['name']}")
            self.run("DELETE FROM settings")
        self.set("signing_key", key)
