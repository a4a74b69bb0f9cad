"""Table of Stripe's objects, one row each, with the body in JSON. Fields that begin with `_` are internal."""

import json
import secrets
import string
from typing import Any

from genvid.sandbox.store import Row, Store
from genvid.sandbox.stripe.due_times import next_due_time

Json = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS stripe_objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, object TEXT NOT NULL, customer TEXT, clock TEXT,
    created INTEGER NOT NULL, due_at INTEGER, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stripe_objects_kind ON stripe_objects (object, seq);
CREATE INDEX IF NOT EXISTS stripe_objects_customer ON stripe_objects (customer, object);
CREATE INDEX IF NOT EXISTS stripe_objects_due ON stripe_objects (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS stripe_replays (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS stripe_deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, event_type TEXT NOT NULL, endpoint_id TEXT NOT NULL,
    url TEXT NOT NULL, mode TEXT NOT NULL, body TEXT NOT NULL, created_at REAL NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'waiting'
);
CREATE INDEX IF NOT EXISTS stripe_deliveries_waiting ON stripe_deliveries (due_at, seq) WHERE status = 'waiting';
CREATE INDEX IF NOT EXISTS stripe_deliveries_event ON stripe_deliveries (event_id);
CREATE TABLE IF NOT EXISTS stripe_attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, delivery INTEGER NOT NULL, at REAL NOT NULL, answer INTEGER, error TEXT
);
"""
ALPHANUMERIC = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return prefix + "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


def public_fields(obj: Json) -> Json:
    return {name: value for name, value in obj.items() if not name.startswith("_")}


def list_object(url: str, data: list[Json], has_more: bool = False) -> Json:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


class ObjectStore:
    def __init__(self, store: Store) -> None:
        self.store = store
        store.extend(TABLES)

    def find(self, object_id: str) -> Json | None:
        body = self.store.value("SELECT body FROM stripe_objects WHERE id = ?", object_id)
        return None if body is None else parse_object(body)

    def add(self, obj: Json, created: int, clock: str | None) -> None:
        self.store.add(
            "stripe_objects",
            id=obj["id"],
            object=obj["object"],
            customer=_customer(obj),
            clock=clock,
            created=created,
            due_at=next_due_time(obj),
            body=json.dumps(obj),
        )

    def save(self, obj: Json) -> None:
        sql = "UPDATE stripe_objects SET customer = ?, due_at = ?, body = ? WHERE id = ?"
        self.store.run(sql, _customer(obj), next_due_time(obj), json.dumps(obj), obj["id"])

    def all(self, kind: str, **equal: Any) -> list[Json]:
        """Objects, oldest first, whose fields equal these; `__` stands for the dot of a nested field."""
        rows = self.rows(kind, [(name.replace("__", "."), "=", value) for name, value in equal.items()])
        return [parse_object(row["body"]) for row in rows]

    def rows(
        self, kind: str, conditions: list[tuple[str, str, Any]], *, newest_first: bool = False, limit: int = -1
    ) -> list[Row]:
        sql, values = "SELECT * FROM stripe_objects WHERE object = ?", [kind]
        for field, comparison, value in conditions:
            if comparison in ("IN", "NOT IN"):
                sql += f" AND {_column(field)} {comparison} ({', '.join('?' * len(value))})"
                values += value
            elif comparison.endswith("SELECT"):
                sql += f" AND {_column(field)} {comparison.removesuffix('SELECT')} ({value})"
            else:
                sql += f" AND {_column(field)} {comparison} ?"
                values.append(value)
        order = "DESC" if newest_first else "ASC"
        return self.store.rows(f"{sql} ORDER BY seq {order} LIMIT {limit}", *values)

    def seq_of(self, object_id: str) -> int | None:
        found = self.store.value("SELECT seq FROM stripe_objects WHERE id = ?", object_id)
        return None if found is None else int(found)

    def clock_of(self, object_id: str) -> str | None:
        found = self.store.value("SELECT clock FROM stripe_objects WHERE id = ?", object_id)
        return None if found is None else str(found)

    def next_due(self, until: int, clock: str | None) -> Row | None:
        sql = "SELECT id, due_at FROM stripe_objects WHERE due_at <= ? AND clock IS ? ORDER BY due_at, seq LIMIT 1"
        return self.store.row(sql, until, clock)

    def counts(self) -> dict[str, int]:
        sql = "SELECT object, COUNT(*) AS number FROM stripe_objects GROUP BY object ORDER BY object"
        return {row["object"]: row["number"] for row in self.store.rows(sql)}


def _column(field: str) -> str:
    return field if field in ("id", "seq", "created", "customer") else f"json_extract(body, '$.{field}')"


def _customer(obj: Json) -> str | None:
    found = obj.get("customer")
    return found if isinstance(found, str) else None


def parse_object(body: str) -> Json:
    found: Json = json.loads(body)
    return found
