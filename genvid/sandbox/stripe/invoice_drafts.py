"""Invoices that somebody makes by hand: drafts, what stands on them, and how they are sent or written off."""

from typing import Any

from genvid.sandbox.stripe import invoice_collection, invoice_lifecycle, invoice_lines
from genvid.sandbox.stripe.due_times import HOUR
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Thing, listed
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError

DERIVED = (
    "amount_due",
    "amount_remaining",
    "discounts",
    "starting_balance",
    "subtotal",
    "subtotal_excluding_tax",
    "total",
    "total_discount_amounts",
    "total_excluding_tax",
)


def pending_items(core: StripeCore, customer: str, currency: str | None = None) -> list[Thing]:
    """Items that no invoice has taken up yet, in this currency or in that of the first."""
    waiting = [one for one in core.objects.all("invoiceitem", customer=customer) if one.get("invoice") is None]
    wanted = currency or (waiting[0]["currency"] if waiting else None)
    return [one for one in waiting if one["currency"] == wanted]


def line_of(item: Thing) -> Thing:
    """An invoice item as a line."""
    parent, names = (
        invoice_lines.invoice_item_parent(item["id"]),
        ("currency", "description", "discountable", "metadata"),
    )
    fields = {name: item[name] for name in (*names, "invoice", "pricing", "quantity")}
    return invoice_lines.new_line(item["amount"], item["period"], item["_line"], parent=parent, **fields)


def draft(core: StripeCore, customer: Thing, items: list[Thing], currency: str, **fields: Any) -> Thing:
    """A draft with these items on it."""
    now = core.now()
    beside = {"auto_advance": False, "currency": currency, **fields}
    made = invoice_lifecycle.make_draft(core, Draft(customer, [], "manual", (now, now), beside=beside))
    for item in items:
        core.save(item, invoice=made["id"])
    recalculate(core, made)
    if made["auto_advance"]:
        core.save(made, automatically_finalizes_at=now + HOUR)
    return made


def recalculate(core: StripeCore, invoice: Thing) -> Thing:
    """Works a draft out anew from its items and discounts."""
    entries = [line_of(one) for one in core.objects.all("invoiceitem", invoice=invoice["id"])]
    discounts = [core.get("discount", one) for one in invoice["discounts"]]
    customer = core.get("customer", invoice["customer"])
    span = (invoice["period_start"], invoice["period_end"])
    body = invoice_lifecycle.body_of(core, Draft(customer, entries, "manual", span, discounts=discounts))
    found = {name: body[name] for name in DERIVED}
    return core.save(invoice, lines=listed(f"/v1/invoices/{invoice['id']}/lines", entries), **found)


def finalize(core: StripeCore, invoice: Thing) -> Thing:
    """Nothing to pay is paid at once."""
    recalculate(core, invoice)
    invoice_lifecycle.finalize(core, invoice)
    return invoice_lifecycle.settle(core, invoice) if invoice["amount_due"] == 0 else invoice


def advance(core: StripeCore, invoice: Thing) -> Thing:
    """What happens to a finalized invoice by itself: it is collected, or sent."""
    if invoice["status"] != "open":
        return invoice
    if invoice["collection_method"] == "send_invoice":
        return send(core, invoice)
    return invoice_collection.collect(core, invoice)


def draft_is_due(core: StripeCore, invoice: Thing) -> None:
    core.save(invoice, automatically_finalizes_at=None)
    advance(core, finalize(core, invoice))


def send(core: StripeCore, invoice: Thing) -> Thing:
    core.emit("invoice.sent", invoice)
    return invoice


def pay_out_of_band(core: StripeCore, invoice: Thing) -> Thing:
    """Somebody has paid by other means than Stripe's."""
    invoice_lifecycle.cancel_payments(core, invoice, "abandoned")
    invoice_lifecycle.settle(core, invoice)
    invoice_collection.follow(core, invoice)
    return invoice


def delete(core: StripeCore, invoice: Thing) -> Thing:
    """Only a draft goes; its items wait for another invoice."""
    if invoice["status"] != "draft":
        raise StripeError("You can only delete draft invoices.", code="invoice_not_editable")
    for item in core.objects.all("invoiceitem", invoice=invoice["id"]):
        core.save(item, invoice=None)
    return core.delete(invoice, "invoice.deleted")
