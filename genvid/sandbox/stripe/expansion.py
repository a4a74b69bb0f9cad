"""`expand[]`: replaces ids by objects, and includes lists that are left out otherwise."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.object_store import Json, list_object, public_fields
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError

Include = Callable[[StripeCore, Json], Any]


def expand(core: StripeCore, answer: Any, paths: list[str]) -> Any:
    for path in paths:
        _expand(core, answer, path.split("."), path)
    return answer


def _expand(core: StripeCore, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for one in node:
            _expand(core, one, steps, path)
    elif isinstance(node, dict) and steps:
        _step(core, node, steps[0], path)
        _expand(core, node[steps[0]], steps[1:], path)


def _step(core: StripeCore, node: Json, name: str, path: str) -> None:
    include = INCLUDABLE.get((str(node.get("object")), name))
    if name in node:
        node[name] = _opened(core, node[name])
    elif include is not None:
        node[name] = include(core, node)
    elif "amount_discount" in node and name == "breakdown":
        node[name] = {"discounts": [], "taxes": []}
    else:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")


def _opened(core: StripeCore, value: Any) -> Any:
    if isinstance(value, list):
        return [_opened(core, one) for one in value]
    found = core.objects.find(value) if isinstance(value, str) else None
    return value if found is None else public_fields(found)


def _line_items(core: StripeCore, session: Json) -> Json:
    items = core.get("checkout.session", session["id"])["_line_items"]
    return list_object(f"/v1/checkout/sessions/{session['id']}/line_items", items)


def _related(url: str, kind: str, field: str) -> Include:
    return lambda core, obj: core.list_of(url.format(id=obj["id"]), kind, **{field: obj["id"]})


def _confirmation_secret(core: StripeCore, invoice: Json) -> Json | None:
    """None before the invoice is finalized, and where nothing is owed."""
    for payment in core.objects.all("invoice_payment", invoice=invoice["id"]):
        intent = core.get("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _empty_list(core: StripeCore, found: Json) -> Json:
    return list_object("/v1/empty", [])


def _null(core: StripeCore, found: Json) -> None:
    return None


INCLUDABLE: dict[tuple[str, str], Include] = {
    ("checkout.session", "line_items"): _line_items,
    ("item", "discounts"): lambda core, item: [],
    ("invoice", "payments"): _related("/v1/invoice_payments", "invoice_payment", "invoice"),
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("charge", "refunds"): _related("/v1/charges/{id}/refunds", "refund", "charge"),
    ("customer", "subscriptions"): _related("/v1/customers/{id}/subscriptions", "subscription", "customer"),
    ("customer", "sources"): _empty_list,
    ("customer", "tax_ids"): _empty_list,
    ("customer", "tax"): _null,
    ("price", "tiers"): _null,
    ("price", "currency_options"): _null,
    ("coupon", "applies_to"): _null,
    ("coupon", "currency_options"): _null,
}
