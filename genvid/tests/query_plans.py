"""What PostgreSQL would do for the statements that a function sends."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass
class TablePlan:
    """How the statements read one table. `whole`: those that read all of it."""

    indexes: set[str] = field(default_factory=set)
    whole: list[str] = field(default_factory=list)


def plan_of(call: Callable[[], Any], table: str) -> TablePlan:
    plan, mine = TablePlan(), set(indexes_of(table))
    with CaptureQueriesContext(connection) as captured:
        call()
    for statement in [each["sql"].strip() for each in captured]:
        if table not in statement or not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            continue
        for node in _nodes(_explained(statement)):
            plan.indexes |= {node.get("Index Name")} & mine
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] == table:
                plan.whole.append(statement)
    return plan


def indexes_of(table: str) -> dict[str, str]:
    """The indexes' names with their definitions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", [table])
        return dict(cursor.fetchall())


def _explained(statement: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    plans: Any = json.loads(found) if isinstance(found, str) else found
    plan: dict[str, Any] = plans[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)
