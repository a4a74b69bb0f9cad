"""What discounts leave of prorations: time is given back at what it cost, and billed at what it would cost now."""

from genvid.sandbox.stripe import promotion_resource
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore


def line_of(core: StripeCore, subscription: Thing, item: Thing) -> Thing | None:
    """The line by which the item's present time was billed last."""
    invoices = core.objects.all("invoice", customer=subscription["customer"])
    billed: list[Thing] = [line for invoice in invoices for line in invoice["lines"]["data"]]
    pending: list[Thing] = subscription["_pending"]
    known: list[Thing] = [*billed, *pending]
    for line in reversed(known):
        details = (line["parent"] or {}).get("subscription_item_details") or {}
        is_its = details.get("subscription_item") == item["id"] and not details["proration_details"]["credited_items"]
        if is_its and line["pricing"]["price_details"]["price"] == item["price"]["id"]:
            return line
    return None


def credited_items(line: Thing | None) -> Thing:
    """As a proration names what it gives back (`proration_details`)."""
    return {"invoice": line and line["invoice"], "invoice_line_items": [line["id"]] if line else []}


def taken_off(line: Thing | None) -> list[str]:
    """The discounts that a line was billed with."""
    if line is None:
        return []
    return [one["discount"] for one in line["discount_amounts"]] or list(line["discounts"])


def left_of(core: StripeCore, amount: int, discounts: list[str]) -> int:
    for discount_id in discounts:
        discount = core.objects.find(discount_id)
        coupon = core.objects.find(discount["source"]["coupon"]) if discount else None
        if coupon is not None and not coupon.get("deleted"):
            amount -= promotion_resource.reduction(coupon, amount)
    return amount
