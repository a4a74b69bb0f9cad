"""Lines of invoices: for a period, for a part of one, or for a single sale."""

from typing import Any

from genvid.sandbox.stripe import promotion_resource
from genvid.sandbox.stripe.defaults import defaults
from genvid.sandbox.stripe.object_store import Thing, new_id
from genvid.sandbox.stripe.stripe_core import StripeCore

# Currencies without a smaller unit: https://docs.stripe.com/currencies#zero-decimal.
WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
TIMES = "\N{MULTIPLICATION SIGN}"


def new_line(amount: int, period: Thing, line_id: str | None = None, **fields: Any) -> Thing:
    made = {"id": line_id or new_id("il_1"), "object": "line_item", **defaults("line_item")}
    return {**made, "amount": amount, "subtotal": amount, "period": period, **fields}


def _priced(price: Thing, quantity: int, amount: int, period: tuple[int, int], **fields: Any) -> Thing:
    pricing = {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    span = {"start": period[0], "end": period[1]}
    return new_line(amount, span, currency=price["currency"], pricing=pricing, quantity=quantity, **fields)


def of_item(core: StripeCore, item: Thing, period: tuple[int, int], *, free: bool = False) -> Thing:
    """A subscription item for a whole period; a trial is free."""
    price, quantity = item["price"], item["quantity"]
    amount = 0 if free else price["unit_amount"] * quantity
    name = product_name(core, price)
    what = (
        f"Trial period for {name}"
        if free
        else f"{quantity} {TIMES} {name} ({money(price)} / {price['recurring']['interval']})"
    )
    return _priced(price, quantity, amount, period, description=what, parent=parent(item))


def of_sale(core: StripeCore, price: Thing, quantity: int, now: int) -> Thing:
    amount = price["unit_amount"] * quantity
    sale = invoice_item_parent(new_id("ii_1"))
    return _priced(price, quantity, amount, (now, now), description=product_name(core, price), parent=sale)


def invoice_item_parent(item_id: str) -> Thing:
    details = {"invoice_item": item_id, "proration": False, "proration_details": None, "subscription": None}
    return {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}


def proration(
    core: StripeCore,
    item: Thing,
    amount: int,
    period: tuple[int, int],
    discounts: list[str],
    credited: Thing | None = None,
) -> Thing:
    """For a part of a period. One that names what is `credited` gives back what was not used."""
    price, quantity = item["price"], item["quantity"]
    words = "Remaining time on" if credited is None else "Unused time on"
    name = f"{quantity} {TIMES} {product_name(core, price)}" if quantity > 1 else product_name(core, price)
    details = {"proration": True, "invoice_item": new_id("ii_1"), "proration_details": {"credited_items": credited}}
    told = {"description": f"{words} {name}", "discountable": False, "discounts": discounts}
    return _priced(price, quantity, amount, period, parent=parent(item, **details), **told)


def parent(item: Thing, **details: Any) -> Thing:
    told = {"invoice_item": None, "proration": False, "proration_details": {"credited_items": None}}
    told |= {"subscription": item["subscription"], "subscription_item": item["id"], **details}
    return {"type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": told}


def product_name(core: StripeCore, price: Thing) -> str:
    product = core.objects.find(price["product"]) or {}
    return str(product.get("name", price["product"]))


def money(price: Thing) -> str:
    return amount_text(price["unit_amount"], price["currency"])


def amount_text(cents: int, currency: str) -> str:
    sign = {"usd": "$", "eur": "€", "gbp": "£"}.get(currency, currency.upper() + " ")
    amount = f"{abs(cents):,}" if currency in WHOLE else f"{abs(cents) / 100:,.2f}"
    return f"{'-' if cents < 0 else ''}{sign}{amount}"


def discount(core: StripeCore, entries: list[Thing], discounts: list[Thing]) -> list[Thing]:
    """Takes discounts off the lines and says what each came to."""
    totals = []
    for one in discounts:
        coupon, sum_off = core.get("coupon", one["source"]["coupon"]), 0
        left = coupon["amount_off"]
        for entry in entries:
            rest = entry["amount"] - sum(before["amount"] for before in entry["discount_amounts"])
            off = 0 if not entry["discountable"] else promotion_resource.reduction({**coupon, "amount_off": left}, rest)
            left = None if left is None else left - off
            sum_off += off
            if off:
                entry["discount_amounts"].append({"amount": off, "discount": one["id"]})
        totals.append({"amount": sum_off, "discount": one["id"]})
    return totals
