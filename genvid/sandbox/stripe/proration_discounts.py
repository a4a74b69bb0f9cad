"""Discounts of prorations: unused time is credited at what it cost, remaining time billed at what it costs now."""

from genvid.sandbox.stripe import promotion_resource
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore


def line_of(core: StripeCore, subscription: Json, item: Json) -> Json | None:
    invoices = core.objects.all("invoice", customer=subscription["customer"])
    billed: list[Json] = [line for invoice in invoices for line in invoice["lines"]["data"]]
    pending: list[Json] = subscription["_pending"]
    known: list[Json] = [*billed, *pending]
    for line in reversed(known):
        details = (line["parent"] or {}).get("subscription_item_details") or {}
        is_its = details.get("subscription_item") == item["id"] and not details["proration_details"]["credited_items"]
        if is_its and line["pricing"]["price_details"]["price"] == item["price"]["id"]:
            return line
    return None


def credited_items(line: Json | None) -> Json:
    return {"invoice": line and line["invoice"], "invoice_line_items": [line["id"]] if line else []}


def taken_off(line: Json | None) -> list[str]:
    if line is None:
        return []
    return [one["discount"] for one in line["discount_amounts"]] or list(line["discounts"])


def left_of(core: StripeCore, amount: int, discounts: list[str]) -> int:
    for discount_id in discounts:
        discount = core.objects.find(discount_id)
        coupon = core.objects.find(discount["source"]["coupon"]) if discount else None
        if coupon is not None and not coupon.get("deleted"):
            amount -= promotion_resource.discount_amount(coupon, amount)
    return amount
