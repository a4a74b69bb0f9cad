"""Pages of lists, newest first, with their filters: https://docs.stripe.com/api/pagination."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.object_store import Json, list_object, parse_object, public_fields
from genvid.sandbox.stripe.stripe_errors import StripeError, no_such
from genvid.sandbox.stripe.stripe_operations import Call

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Condition = tuple[str, str, Any]
Filter = Callable[[Form], Condition | None]
Show = Callable[[Json], Json]


def equal_to(param: str, field: str | None = None) -> Filter:
    """The field equals the parameter's text. A dot in `param` leads into a group."""
    group, _, name = param.rpartition(".")

    def condition(form: Form) -> Condition | None:
        value = (form.part(group) if group else form).text(name)
        return (field or param, "=", value) if value else None

    return condition


def is_set(param: str) -> Filter:
    return lambda form: (param, "=", form.flag(param)) if param in form else None


def any_of(param: str, field: str) -> Filter:
    return lambda form: (field, "IN", form.texts(param)) if form.texts(param) else None


def page(
    call: Call, kind: str, *filters: str | Filter, where: tuple[Condition, ...] = (), show: Show = public_fields
) -> Json:
    """One page of objects of a kind. A text as a filter stands for `equal_to` of it."""
    form, objects = call.form, call.core.objects
    given = [(equal_to(one) if isinstance(one, str) else one)(form) for one in filters]
    conditions = [*where, *(one for one in given if one), *created(call), ("deleted", "IS NOT", 1)]
    after, before = form.text("starting_after"), form.text("ending_before")
    if after:
        conditions.append(("seq", "<", _seq(call, after, "starting_after")))
    if before:
        conditions.append(("seq", ">", _seq(call, before, "ending_before")))
    limit = limit_of(call)
    backwards = before is not None and after is None
    rows = objects.rows(kind, conditions, newest_first=not backwards, limit=limit + 1)
    found = rows[:limit][::-1] if backwards else rows[:limit]
    return list_object(call.url, [show(parse_object(row["body"])) for row in found], len(rows) > limit)


def _seq(call: Call, object_id: str, param: str) -> int:
    seq = call.core.objects.seq_of(object_id)
    if seq is None:
        raise no_such("object", object_id, param, 400)
    return seq


def limit_of(call: Call) -> int:
    limit = call.form.number("limit", 10) or 0
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise StripeError(f"Invalid integer: this value must be {bound}.", param="limit")
    return limit


def created(call: Call) -> list[Condition]:
    form = call.form
    if isinstance(form.values.get("created"), str):
        return [("created", "=", form.number("created"))]
    bounds = form.part("created")
    return [("created", sign, bounds.number(name)) for name, sign in COMPARISONS.items() if name in bounds]


def page_of(call: Call, objects: list[Json]) -> Json:
    after = call.form.text("starting_after")
    positions = [position for position, one in enumerate(objects, 1) if one["id"] == after]
    if after and not positions:
        raise no_such("object", after, "starting_after", 400)
    rest, limit = objects[positions[0] if positions else 0 :], limit_of(call)
    return list_object(call.url, rest[:limit], len(rest) > limit)
