"""Invoices made by hand: drafts, their items, and how they are sent."""

from typing import Any

from genvid.sandbox.stripe import invoice_collection, invoice_lifecycle, invoice_lines
from genvid.sandbox.stripe.due_times import HOUR
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Json, list_object
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


def pending_items(core: StripeCore, customer: str, currency: str | None = None) -> list[Json]:
    """Items without an invoice, in this currency or in that of the first item."""
    waiting = [one for one in core.objects.all("invoiceitem", customer=customer) if one.get("invoice") is None]
    wanted = currency or (waiting[0]["currency"] if waiting else None)
    return [one for one in waiting if one["currency"] == wanted]


def invoice_item_line(item: Json) -> Json:
    parent, names = (
        invoice_lines.invoice_item_parent(item["id"]),
        ("currency", "description", "discountable", "metadata"),
    )
    fields = {name: item[name] for name in (*names, "invoice", "pricing", "quantity")}
    return invoice_lines.new_line(item["amount"], item["period"], item["_line"], parent=parent, **fields)


def create_manual_draft(core: StripeCore, customer: Json, items: list[Json], currency: str, **fields: Any) -> Json:
    now = core.now()
    extra = {"auto_advance": False, "currency": currency, **fields}
    made = invoice_lifecycle.create_draft(core, Draft(customer, [], "manual", (now, now), extra=extra))
    for item in items:
        core.save(item, invoice=made["id"])
    recalculate(core, made)
    if made["auto_advance"]:
        core.save(made, automatically_finalizes_at=now + HOUR)
    return made


def recalculate(core: StripeCore, invoice: Json) -> Json:
    entries = [invoice_item_line(one) for one in core.objects.all("invoiceitem", invoice=invoice["id"])]
    discounts = [core.get("discount", one) for one in invoice["discounts"]]
    customer = core.get("customer", invoice["customer"])
    span = (invoice["period_start"], invoice["period_end"])
    body = invoice_lifecycle.invoice_fields(core, Draft(customer, entries, "manual", span, discounts=discounts))
    found = {name: body[name] for name in DERIVED}
    return core.save(invoice, lines=list_object(f"/v1/invoices/{invoice['id']}/lines", entries), **found)


def finalize_draft(core: StripeCore, invoice: Json) -> Json:
    """A draft with nothing to pay is paid at once."""
    recalculate(core, invoice)
    invoice_lifecycle.finalize_invoice(core, invoice)
    return invoice_lifecycle.mark_paid(core, invoice) if invoice["amount_due"] == 0 else invoice


def advance(core: StripeCore, invoice: Json) -> Json:
    if invoice["status"] != "open":
        return invoice
    if invoice["collection_method"] == "send_invoice":
        return send_invoice(core, invoice)
    return invoice_collection.collect_invoice(core, invoice)


def draft_is_due(core: StripeCore, invoice: Json) -> None:
    core.save(invoice, automatically_finalizes_at=None)
    advance(core, finalize_draft(core, invoice))


def send_invoice(core: StripeCore, invoice: Json) -> Json:
    core.emit("invoice.sent", invoice)
    return invoice


def pay_out_of_band(core: StripeCore, invoice: Json) -> Json:
    invoice_lifecycle.cancel_payments(core, invoice, "abandoned")
    invoice_lifecycle.mark_paid(core, invoice)
    invoice_collection.update_subscription(core, invoice)
    return invoice


def delete_draft(core: StripeCore, invoice: Json) -> Json:
    """Raises StripeError for an invoice that is no draft. Its items become pending again."""
    if invoice["status"] != "draft":
        raise StripeError("You can only delete draft invoices.", code="invoice_not_editable")
    for item in core.objects.all("invoiceitem", invoice=invoice["id"]):
        core.save(item, invoice=None)
    return core.delete(invoice, "invoice.deleted")
