"""`expand[]`: ids replaced by the objects they stand for, and lists that are only shown when asked for."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, listed, shown
from genvid.sandbox.stripe.errors import StripeError

Include = Callable[[Bank, Thing], Any]


def expand(bank: Bank, answer: Any, paths: list[str]) -> Any:
    for path in paths:
        _expand(bank, answer, path.split("."), path)
    return answer


def _expand(bank: Bank, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for one in node:
            _expand(bank, one, steps, path)
    elif isinstance(node, dict) and steps:
        _step(bank, node, steps[0], path)
        _expand(bank, node[steps[0]], steps[1:], path)


def _step(bank: Bank, node: Thing, name: str, path: str) -> None:
    include = INCLUDABLE.get((str(node.get("object")), name))
    if name in node:
        node[name] = _opened(bank, node[name])
    elif include is not None:
        node[name] = include(bank, node)
    elif "amount_discount" in node and name == "breakdown":
        node[name] = {"discounts": [], "taxes": []}
    else:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")


def _opened(bank: Bank, value: Any) -> Any:
    if isinstance(value, list):
        return [_opened(bank, one) for one in value]
    found = bank.books.find(value) if isinstance(value, str) else None
    return value if found is None else shown(found)


def _line_items(bank: Bank, session: Thing) -> Thing:
    items = bank.get("checkout.session", session["id"])["_line_items"]
    return listed(f"/v1/checkout/sessions/{session['id']}/line_items", items)


def _payments(bank: Bank, invoice: Thing) -> Thing:
    return bank.list_of("/v1/invoice_payments", "invoice_payment", invoice=invoice["id"])


def _confirmation_secret(bank: Bank, invoice: Thing) -> Thing | None:
    """With which a buyer confirms its payment; there is none before it is finalized, nor where nothing is owed."""
    for payment in bank.books.all("invoice_payment", invoice=invoice["id"]):
        intent = bank.get("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _refunds(bank: Bank, charge: Thing) -> Thing:
    return bank.list_of(f"/v1/charges/{charge['id']}/refunds", "refund", charge=charge["id"])


def _subscriptions(bank: Bank, customer: Thing) -> Thing:
    return bank.list_of(f"/v1/customers/{customer['id']}/subscriptions", "subscription", customer=customer["id"])


def _empty(bank: Bank, thing: Thing) -> Thing:
    return listed("/v1/empty", [])


def _none_of_them(bank: Bank, thing: Thing) -> list[Thing]:
    return []


def _nothing(bank: Bank, thing: Thing) -> None:
    return None


INCLUDABLE: dict[tuple[str, str], Include] = {
    ("checkout.session", "line_items"): _line_items,
    ("item", "discounts"): _none_of_them,
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("charge", "refunds"): _refunds,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "sources"): _empty,
    ("customer", "tax_ids"): _empty,
    ("customer", "tax"): _nothing,
    ("price", "tiers"): _nothing,
    ("price", "currency_options"): _nothing,
    ("coupon", "applies_to"): _nothing,
    ("coupon", "currency_options"): _nothing,
}
