"""The column with a video's calls to HeyGen: appended by the statements that write the row anyway, and bounded."""

import json
from typing import Any

from django.db.models import F, Func, JSONField, Value

from genvid.heygen import call_history
from genvid.heygen.call_history import Record

KEPT = 40
"""Older ones go when new ones come."""
KEEP_NEWEST = f"jsonb_path_query_array(COALESCE({{column}}, '[]'::jsonb), '$[last-{KEPT - 1} to last]')"
"""PostgreSQL; of a shorter list, all."""


class Appended(Func):
    """The column with these records behind it."""

    def __init__(self, column: str, records: list[Record]) -> None:
        super().__init__(F(column), *(Value(json.dumps(each)) for each in records), output_field=JSONField())

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:
        column, *records = [compiler.compile(each) for each in self.source_expressions]
        made = f"jsonb_build_array({', '.join(f'({text})::jsonb' for text, _ in records)})"
        parameters = [*column[1], *(value for _, given in records for value in given)]
        return f"{KEEP_NEWEST.format(column=column[0])} || {made}", parameters

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:
        column, *records = [compiler.compile(each) for each in self.source_expressions]
        first = ", ".join(["'$[0]'"] * call_history.MAX_CALLS)
        known = f"COALESCE({column[0]}, '[]')"
        text = f"CASE WHEN json_array_length({known}) > {KEPT} THEN json_remove({known}, {first}) ELSE {known} END"
        parameters = [*column[1] * 4]
        for record, given in records:
            text = f"json_insert({text}, '$[#]', json({record}))"
            parameters += given
        return text, parameters


def calls_made(video_id: Any) -> dict[str, Any]:
    """The change of a video's row that keeps the calls made for it since it was last written; mostly empty."""
    made = call_history.take(str(video_id))
    return {"provider_calls": Appended("provider_calls", made)} if made else {}
