"""Lists, newest first, in pages: https://docs.stripe.com/api/pagination."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.calls import Call
from genvid.sandbox.stripe.errors import StripeError, no_such
from genvid.sandbox.stripe.object_store import Thing, listed, read, shown

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Condition = tuple[str, str, Any]
Show = Callable[[Thing], Thing]


def page(call: Call, kind: str, *filters: str, where: tuple[Condition, ...] = (), show: Show = shown) -> Thing:
    """One page of a kind. Each filter is a parameter that a field of the same name has to equal."""
    form, objects = call.form, call.core.objects
    conditions = [*where, *created(call), ("deleted", "IS NOT", 1)]
    conditions += [(name, "=", form.text(name)) for name in filters if form.text(name)]
    after, before = form.text("starting_after"), form.text("ending_before")
    if after:
        conditions.append(("seq", "<", _seq(call, after, "starting_after")))
    if before:
        conditions.append(("seq", ">", _seq(call, before, "ending_before")))
    limit = limit_of(call)
    backwards = before is not None and after is None
    rows = objects.rows(kind, conditions, newest_first=not backwards, limit=limit + 1)
    found = rows[:limit][::-1] if backwards else rows[:limit]
    return listed(_path(call), [show(read(row["body"])) for row in found], len(rows) > limit)


def _seq(call: Call, object_id: str, param: str) -> int:
    seq = call.core.objects.seq_of(object_id)
    if seq is None:
        raise no_such("object", object_id, param, 400)
    return seq


def _path(call: Call) -> str:
    return call.url.partition(": ")[2]


def limit_of(call: Call) -> int:
    limit = call.form.number("limit", 10) or 0
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise StripeError(f"Invalid integer: this value must be {bound}.", param="limit")
    return limit


def created(call: Call) -> list[Condition]:
    """`created` is a moment or has bounds."""
    form = call.form
    if isinstance(form.values.get("created"), str):
        return [("created", "=", form.number("created"))]
    bounds = form.part("created")
    return [("created", sign, bounds.number(name)) for name, sign in COMPARISONS.items() if name in bounds]


def cut(call: Call, things: list[Thing]) -> Thing:
    """A page of what an object carries in itself, in its own order."""
    after = call.form.text("starting_after")
    places = [place for place, thing in enumerate(things, 1) if thing["id"] == after]
    if after and not places:
        raise no_such("object", after, "starting_after", 400)
    rest, limit = things[places[0] if places else 0 :], limit_of(call)
    return listed(_path(call), rest[:limit], len(rest) > limit)
