"""Invoices that somebody makes by hand: drafts, what stands on them, and how they are sent or written off."""

from typing import Any

from genvid.sandbox.stripe import collection, invoices
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, listed, new_id
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.invoices import Draft
from genvid.sandbox.stripe.timetable import HOUR

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


def pending_items(bank: Bank, customer: str, currency: str | None = None) -> list[Thing]:
    """Items that no invoice has taken up yet, in this currency or in that of the first."""
    waiting = [one for one in bank.books.all("invoiceitem", customer=customer) if one.get("invoice") is None]
    wanted = currency or (waiting[0]["currency"] if waiting else None)
    return [one for one in waiting if one["currency"] == wanted]


def line_of(bank: Bank, item: Thing) -> Thing:
    """An invoice item as a line."""
    details = {"invoice_item": item["id"], "proration": False, "proration_details": None, "subscription": None}
    parent = {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
    names = ("amount", "currency", "description", "discountable", "metadata", "pricing", "quantity")
    return {
        "id": item["_line"],
        "object": "line_item",
        "discount_amounts": [],
        "discounts": [],
        "invoice": item["invoice"],
        "livemode": False,
        "parent": parent,
        "period": item["period"],
        "pretax_credit_amounts": [],
        "subtotal": item["amount"],
        "taxes": [],
        **{name: item[name] for name in names},
    }


def draft(bank: Bank, customer: Thing, items: list[Thing], currency: str, **fields: Any) -> Thing:
    """A draft with these items on it."""
    now = bank.now(customer["id"])
    beside = {"auto_advance": False, "currency": currency, **fields}
    made = invoices.make_draft(bank, Draft(customer, [], "manual", (now, now), beside=beside))
    for item in items:
        bank.save(item, invoice=made["id"])
    recalculate(bank, made)
    if made["auto_advance"]:
        bank.save(made, automatically_finalizes_at=now + HOUR)
    return made


def recalculate(bank: Bank, invoice: Thing) -> Thing:
    """Works a draft out anew from its items and discounts."""
    entries = [line_of(bank, one) for one in bank.books.all("invoiceitem", invoice=invoice["id"])]
    discounts = [bank.get("discount", one) for one in invoice["discounts"]]
    customer = bank.get("customer", invoice["customer"])
    span = (invoice["period_start"], invoice["period_end"])
    body = invoices.body_of(bank, Draft(customer, entries, "manual", span, discounts=discounts))
    found = {name: body[name] for name in DERIVED}
    return bank.save(invoice, lines=listed(f"/v1/invoices/{invoice['id']}/lines", entries), **found)


def new_line_id() -> str:
    return new_id("il_1")


def finalize(bank: Bank, invoice: Thing) -> Thing:
    """Nothing to pay is paid at once."""
    recalculate(bank, invoice)
    invoices.finalize(bank, invoice)
    return invoices.settle(bank, invoice) if invoice["amount_due"] == 0 else invoice


def advance(bank: Bank, invoice: Thing) -> Thing:
    """What happens to a finalized invoice by itself: it is collected, or sent."""
    if invoice["status"] != "open":
        return invoice
    if invoice["collection_method"] == "send_invoice":
        return send(bank, invoice)
    return collection.collect(bank, invoice)


def draft_is_due(bank: Bank, invoice: Thing) -> None:
    bank.save(invoice, automatically_finalizes_at=None)
    advance(bank, finalize(bank, invoice))


def send(bank: Bank, invoice: Thing) -> Thing:
    bank.emit("invoice.sent", invoice)
    return invoice


def mark_uncollectible(bank: Bank, invoice: Thing) -> Thing:
    """The debt is written off; it can still be paid."""
    now = bank.now(invoice["customer"])
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": now}
    fields: Thing = {"auto_advance": False, "next_payment_attempt": None, "status_transitions": transitions}
    bank.change(invoice, "invoice.updated", status="uncollectible", **fields)
    bank.emit("invoice.marked_uncollectible", invoice)
    return invoice


def pay_out_of_band(bank: Bank, invoice: Thing) -> Thing:
    """Somebody has paid by other means than Stripe's."""
    invoices.cancel_payments(bank, invoice, "abandoned")
    invoices.settle(bank, invoice)
    collection.follow(bank, invoice)
    return invoice


def delete(bank: Bank, invoice: Thing) -> Thing:
    """Only a draft goes; its items wait for another invoice."""
    if invoice["status"] != "draft":
        raise StripeError("You can only delete draft invoices.", code="invoice_not_editable")
    for item in bank.books.all("invoiceitem", invoice=invoice["id"]):
        bank.save(item, invoice=None)
    bank.emit("invoice.deleted", invoice)
    gone = {"id": invoice["id"], "object": "invoice", "deleted": True}
    bank.save(gone)
    return gone
