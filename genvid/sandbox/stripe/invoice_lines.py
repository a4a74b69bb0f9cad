"""Lines of invoices: for a period, for a part of one, or for a single sale."""

from typing import Any

from genvid.sandbox.stripe.defaults import defaults
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.stripe.promotion_resource import discount_amount
from genvid.sandbox.stripe.stripe_core import StripeCore

# Currencies without a smaller unit: https://docs.stripe.com/currencies#zero-decimal.
WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
TIMES = "\N{MULTIPLICATION SIGN}"


def new_line(amount: int, period: Json, line_id: str | None = None, **fields: Any) -> Json:
    made = {"id": line_id or new_id("il_1"), "object": "line_item", **defaults("line_item")}
    return {**made, "amount": amount, "subtotal": amount, "period": period, **fields}


def _priced(price: Json, quantity: int, amount: int, period: tuple[int, int], **fields: Any) -> Json:
    pricing = {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    span = {"start": period[0], "end": period[1]}
    return new_line(amount, span, currency=price["currency"], pricing=pricing, quantity=quantity, **fields)


def period_line(core: StripeCore, item: Json, period: tuple[int, int], *, free: bool = False) -> Json:
    price, quantity = item["price"], item["quantity"]
    amount = 0 if free else price["unit_amount"] * quantity
    name = product_name(core, price)
    what = (
        f"Trial period for {name}"
        if free
        else f"{quantity} {TIMES} {name} ({price_text(price)} / {price['recurring']['interval']})"
    )
    return _priced(price, quantity, amount, period, description=what, parent=subscription_item_parent(item))


def sale_line(core: StripeCore, price: Json, quantity: int, now: int) -> Json:
    amount = price["unit_amount"] * quantity
    sale = invoice_item_parent(new_id("ii_1"))
    return _priced(price, quantity, amount, (now, now), description=product_name(core, price), parent=sale)


def invoice_item_parent(item_id: str) -> Json:
    details = {"invoice_item": item_id, "proration": False, "proration_details": None, "subscription": None}
    return {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}


def proration_line(
    core: StripeCore,
    item: Json,
    amount: int,
    period: tuple[int, int],
    discounts: list[str],
    credited: Json | None = None,
) -> Json:
    """A line for a part of a period. One with `credited` gives back unused time."""
    price, quantity = item["price"], item["quantity"]
    words = "Remaining time on" if credited is None else "Unused time on"
    name = f"{quantity} {TIMES} {product_name(core, price)}" if quantity > 1 else product_name(core, price)
    details = {"proration": True, "invoice_item": new_id("ii_1"), "proration_details": {"credited_items": credited}}
    fields = {"description": f"{words} {name}", "discountable": False, "discounts": discounts}
    return _priced(price, quantity, amount, period, parent=subscription_item_parent(item, **details), **fields)


def subscription_item_parent(item: Json, **details: Any) -> Json:
    fields = {"invoice_item": None, "proration": False, "proration_details": {"credited_items": None}}
    fields |= {"subscription": item["subscription"], "subscription_item": item["id"], **details}
    return {"type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": fields}


def product_name(core: StripeCore, price: Json) -> str:
    product = core.objects.find(price["product"]) or {}
    return str(product.get("name", price["product"]))


def price_text(price: Json) -> str:
    return amount_text(price["unit_amount"], price["currency"])


def amount_text(cents: int, currency: str) -> str:
    sign = {"usd": "$", "eur": "€", "gbp": "£"}.get(currency, currency.upper() + " ")
    amount = f"{abs(cents):,}" if currency in WHOLE else f"{abs(cents) / 100:,.2f}"
    return f"{'-' if cents < 0 else ''}{sign}{amount}"


def apply_discounts(core: StripeCore, entries: list[Json], discounts: list[Json]) -> list[Json]:
    totals = []
    for one in discounts:
        coupon, sum_off = core.get("coupon", one["source"]["coupon"]), 0
        left = coupon["amount_off"]
        for entry in entries:
            rest = entry["amount"] - sum(before["amount"] for before in entry["discount_amounts"])
            off = 0 if not entry["discountable"] else discount_amount({**coupon, "amount_off": left}, rest)
            left = None if left is None else left - off
            sum_off += off
            if off:
                entry["discount_amounts"].append({"amount": off, "discount": one["id"]})
        totals.append({"amount": sum_off, "discount": one["id"]})
    return totals
