"""Search: https://docs.stripe.com/search. Found at once, though Stripe takes up to a minute to know of a change."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError, missing
from genvid.sandbox.stripe.lists import limit_of
from genvid.sandbox.stripe.object_store import Thing, shown

# Numbers may be compared, texts be looked for inside.
COMMON = {"created": "number", "metadata": "map"}
FIELDS: dict[str, dict[str, str]] = {
    "charge": {
        "amount": "number",
        "currency": "token",
        "customer": "token",
        "disputed": "token",
        "refunded": "token",
        "status": "token",
    },
    "customer": {"email": "text", "name": "text", "phone": "text"},
    "invoice": {
        "currency": "token",
        "customer": "token",
        "number": "text",
        "receipt_number": "text",
        "status": "token",
        "total": "number",
    },
    "payment_intent": {"amount": "number", "currency": "token", "customer": "token", "status": "token"},
    "price": {"active": "token", "currency": "token", "lookup_key": "text", "product": "token", "type": "token"},
    "product": {"active": "token", "description": "text", "name": "text", "url": "text"},
    "subscription": {"canceled_at": "number", "status": "token"},
}
CLAUSE = re.compile(
    r"""\s*(?P<no>-)?(?P<field>\w+)(\[(?P<mark>["'])(?P<key>[^"']+)(?P=mark)\])?\s*"""
    r"""(?P<sign>:|~|>=|<=|>|<)\s*("(?P<text>[^"]*)"|'(?P<other>[^']*)'|(?P<bare>[\w.-]+))\s*"""
)
JOINED = re.compile(r"(AND|OR)\b|(?=-?\w)", re.IGNORECASE)
SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ":": lambda one, other: one == other,
}


@dataclass(frozen=True)
class Clause:
    """One condition of a query."""

    field: str
    key: str | None
    sign: str
    wanted: str | None
    """None asks for what has no value."""
    kind: str
    is_negated: bool

    def fits(self, thing: Thing) -> bool:
        value = thing.get(self.field)
        if self.key is not None:
            value = (value or {}).get(self.key)
        return self._holds(value) != self.is_negated

    def _holds(self, value: Any) -> bool:
        if self.wanted is None or value is None:
            return self.wanted is None and value is None
        if self.kind == "number":
            return SIGNS[self.sign](float(value), float(self.wanted))
        found = ("true" if value else "false") if isinstance(value, bool) else str(value)
        one, other = found.lower(), self.wanted.lower()
        return other in one if self.sign == "~" else one == other


def parsed(query: str, kind: str) -> tuple[list[Clause], bool]:
    """The clauses, and whether any of them is enough. Raises StripeError: a query has one kind of connective."""
    clauses, joints, rest = list[Clause](), set[str](), query
    while True:
        match = CLAUSE.match(rest)
        if match is None:
            raise _unreadable(query)
        clauses.append(_clause(match, kind))
        rest = rest[match.end() :]
        if not rest:
            break
        joint = JOINED.match(rest)
        if joint is None:
            raise _unreadable(query)
        joints.add((joint[1] or "AND").upper())
        rest = rest[joint.end() :]
    if len(joints) > 1:
        raise StripeError("You may not combine AND and OR in the same query.", param="query")
    return clauses, joints == {"OR"}


def _clause(match: re.Match[str], kind: str) -> Clause:
    field, key, sign = match["field"], match["key"], match["sign"]
    sort = {**COMMON, **FIELDS[kind]}.get(field)
    if sort is None or (sort == "map") != (key is not None):
        raise StripeError(f"Field `{field}` is an unsupported search field for resource `{kind}s`.", param="query")
    text = match["text"] if match["text"] is not None else match["other"]
    wanted = None if match["bare"] == "null" else match["bare"] if text is None else text
    if (sign == "~" and sort not in ("text", "map")) or (sign in ("<", ">", "<=", ">=") and sort != "number"):
        raise StripeError(f"The operator `{sign}` is not supported for the field `{field}`.", param="query")
    if sort == "number" and wanted is not None and not re.fullmatch(r"-?\d+(\.\d+)?", wanted):
        raise StripeError(f"The field `{field}` is compared with numbers.", param="query")
    return Clause(field, key, sign, wanted, sort, match["no"] is not None)


def _unreadable(query: str) -> StripeError:
    return StripeError(f"We were unable to parse your search query: {query}", param="query")


def search(kind: str, call: Call) -> Thing:
    """Newest first; `page` is the `next_page` of the answer before."""
    query = call.form.text("query")
    if query is None:
        raise missing("query")
    clauses, is_any = parsed(query, kind)
    enough = any if is_any else all
    everything = [one for one in reversed(call.core.objects.all(kind)) if not one.get("deleted")]
    found = [shown(one) for one in everything if enough(clause.fits(one) for clause in clauses)]
    start, limit = _start(call), limit_of(call)
    left = found[start + limit :]
    return {
        "object": "search_result",
        "url": call.url.partition(": ")[2],
        "has_more": bool(left),
        "next_page": str(start + limit) if left else None,
        "data": found[start : start + limit],
        **({"total_count": len(found)} if "total_count" in call.expands else {}),
    }


def _start(call: Call) -> int:
    page = call.form.text("page") or "0"
    if not page.isdecimal():
        raise StripeError("Invalid page.", param="page")
    return int(page)


OPERATIONS = [Operation("GET", f"/v1/{kind}s/search", partial(search, kind)) for kind in FIELDS]
