"""Lists, newest first, in pages: https://docs.stripe.com/api/pagination."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.store import Row
from genvid.sandbox.stripe.books import Thing, listed, read, shown
from genvid.sandbox.stripe.calls import Call
from genvid.sandbox.stripe.errors import StripeError

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Condition = tuple[str, str, Any]
Show = Callable[[Thing], Thing]


def page(call: Call, kind: str, *filters: str, where: tuple[Condition, ...] = (), show: Show = shown) -> Thing:
    """One page of a kind. Each filter is a parameter that a field of the same name has to equal."""
    conditions = [*where, *created(call), ("deleted", "IS NOT", 1)]
    conditions += [(name, "=", call.form.text(name)) for name in filters if call.form.text(name)]
    rows = call.bank.books.rows(kind, conditions, newest_first=True)
    return cut(call, rows, lambda row: show(read(row["body"])))


def created(call: Call) -> list[Condition]:
    """`created` is a moment or has bounds."""
    form = call.form
    if isinstance(form.values.get("created"), str):
        return [("created", "=", form.number("created"))]
    bounds = form.part("created")
    return [("created", sign, bounds.number(name)) for name, sign in COMPARISONS.items() if name in bounds]


def cut(call: Call, rows: list[Row], show: Callable[[Row], Thing]) -> Thing:
    """The page that `limit`, `starting_after` and `ending_before` cut out of rows with ids."""
    limit = call.form.number("limit", 10) or 0
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise StripeError(f"Invalid integer: this value must be {bound}.", param="limit")
    after, before = call.form.text("starting_after"), call.form.text("ending_before")
    if after:
        rows = rows[_place(rows, after, "starting_after") + 1 :]
    if before:
        rows = rows[: _place(rows, before, "ending_before")]
        shown_rows, more = rows[-limit:], len(rows) > limit
    else:
        shown_rows, more = rows[:limit], len(rows) > limit
    return listed(call.url.partition(": ")[2], [show(row) for row in shown_rows], more)


def _place(rows: list[Row], object_id: str, param: str) -> int:
    for place, row in enumerate(rows):
        if row["id"] == object_id:
            return place
    raise StripeError(f"No such object: '{object_id}'", code="resource_missing", param=param)
