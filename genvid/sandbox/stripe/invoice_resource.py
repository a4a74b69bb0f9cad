"""The API of invoices and of their payments."""

from genvid.sandbox.stripe import (
    currencies,
    invoice_collection,
    invoice_drafts,
    invoice_lifecycle,
    parameters,
    payment_method_resource,
    promotion_resource,
)
from genvid.sandbox.stripe.billing_parameters import INVOICE
from genvid.sandbox.stripe.defaults import defaults
from genvid.sandbox.stripe.due_times import DAY, HOUR
from genvid.sandbox.stripe.intent_resource import payment_error
from genvid.sandbox.stripe.list_pages import equals, page_of
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_errors import StripeError, missing
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def list_lines(call: Call) -> Thing:
    return page_of(call, call.core.get("invoice", call.id)["lines"]["data"])


def pay(call: Call) -> Thing:
    """A card that is refused is a card error; the invoice counts the attempt all the same."""
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] == "draft":
        invoice_drafts.finalize(core, invoice)
        if invoice["status"] == "paid":
            return invoice
    invoice = _owed(call, "paid")
    if call.form.flag("paid_out_of_band"):
        return invoice_drafts.pay_out_of_band(core, invoice)
    wanted = call.form.text("payment_method")
    found = (
        payment_method_resource.attach(core, wanted, invoice["customer"])
        if wanted
        else invoice_collection.method_for(core, invoice)
    )
    tried = Attempt(found, buyer_is_there=not call.form.flag("off_session", True)) if found else None
    if tried is None:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice.", code="resource_missing"
        )
    invoice_collection.collect(core, invoice, tried=tried)
    if invoice["status"] != "paid" and invoice_lifecycle.intent_of(core, invoice)["last_payment_error"]:
        raise payment_error(invoice_lifecycle.intent_of(core, invoice))
    return invoice


def _owed(call: Call, action: str) -> Thing:
    invoice = call.core.get_existing("invoice", call.id)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeError(
            f"This invoice is {invoice['status']} and can no longer be {action}.", code="invoice_not_editable"
        )
    return invoice


def void(call: Call) -> Thing:
    return invoice_lifecycle.void(call.core, _owed(call, "voided"))


def mark_uncollectible(call: Call) -> Thing:
    return invoice_lifecycle.mark_uncollectible(call.core, _owed(call, "marked uncollectible"))


def send(call: Call) -> Thing:
    """A draft is finalized first."""
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["collection_method"] != "send_invoice":
        raise StripeError("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        invoice_drafts.finalize(core, invoice)
    return invoice_drafts.send(core, invoice)


def create(call: Call) -> Thing:
    form, core = call.form, call.core
    customer = core.get_existing("customer", form.need("customer"), "customer")
    currency, items = form.text("currency"), list[Thing]()
    if form.word("pending_invoice_items_behavior", "exclude", "include") == "include":
        items = invoice_drafts.pending_items(core, customer["id"], currency)
    chosen = currency or (items[0]["currency"] if items else "usd")
    fields = _fields(call, {"customer": customer["id"], "collection_method": "charge_automatically"})
    fields["metadata"] = form.map("metadata")
    invoice = invoice_drafts.draft(core, customer, items, currencies.checked(chosen, "currency"), **fields)
    return _reduced(call, invoice)


def _fields(call: Call, before: Thing) -> Thing:
    form, core = call.form, call.core
    fields: Thing = {**call.kept}
    method = fields.get("collection_method", before["collection_method"])
    days, due = form.number("days_until_due"), fields.get("due_date", before.get("due_date"))
    if method == "send_invoice":
        if days is None and due is None:
            raise missing("days_until_due")
        fields["due_date"] = core.now() + days * DAY if days is not None else due
    elif days is not None or fields.get("due_date"):
        message = "You can only set `days_until_due` or `due_date` if `collection_method` is 'send_invoice'."
        raise StripeError(message, param="days_until_due")
    if "default_payment_method" in form:
        wanted = form.text("default_payment_method")
        fields["default_payment_method"] = (
            payment_method_resource.attach(core, wanted, before["customer"])["id"] if wanted else None
        )
    if "payment_settings" in form:
        given = parameters.read(form, "payment_settings", INVOICE["payment_settings"]) or {}
        chosen = {name: one or None for name, one in given.items()}
        fields["payment_settings"] = {"default_mandate": None, **chosen}
    if "automatic_tax" in form:
        enabled = form.part("automatic_tax").flag("enabled")
        fields["automatic_tax"] = {**defaults("invoice")["automatic_tax"], "enabled": enabled}
    return fields


def _reduced(call: Call, invoice: Thing) -> Thing:
    """With the discounts that are given."""
    if "discounts" in call.form:
        of = {"customer": invoice["customer"], "invoice": invoice["id"]}
        found = promotion_resource.redeem_given(call.core, call.form, of)
        call.core.save(invoice, discounts=found)
        invoice_drafts.recalculate(call.core, invoice)
    return invoice


def update(call: Call) -> Thing:
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] != "draft" and set(call.form.values) - {"metadata", "auto_advance"}:
        raise StripeError("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    fields = call.updates(invoice) | (_fields(call, invoice) if invoice["status"] == "draft" else {})
    if fields.get("auto_advance") and invoice["status"] == "draft":
        fields["automatically_finalizes_at"] = core.now() + HOUR
    core.change(invoice, "invoice.updated", **fields)
    return _reduced(call, invoice)


def delete(call: Call) -> Thing:
    return invoice_drafts.delete(call.core, call.core.get_existing("invoice", call.id))


def finalize(call: Call) -> Thing:
    """With `auto_advance` it is collected or sent as well."""
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] != "draft":
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise StripeError(message, code="invoice_not_editable")
    core.save(invoice, auto_advance=call.form.flag("auto_advance", invoice["auto_advance"]))
    invoice_drafts.finalize(core, invoice)
    return invoice_drafts.advance(core, invoice) if invoice["auto_advance"] else invoice


SUBSCRIPTION = equals("subscription", "parent.subscription_details.subscription")
PAYMENT_FILTERS = ("invoice", "status", "payment.payment_intent", "payment.charge")
OPERATIONS = [
    *readable("/v1/invoices", "invoice", "customer", "status", "collection_method", SUBSCRIPTION),
    Operation("POST", "/v1/invoices", create),
    Operation("POST", "/v1/invoices/{id}", update),
    Operation("DELETE", "/v1/invoices/{id}", delete),
    Operation("POST", "/v1/invoices/{id}/finalize", finalize),
    Operation("POST", "/v1/invoices/{id}/mark_uncollectible", mark_uncollectible),
    Operation("POST", "/v1/invoices/{id}/send", send),
    Operation("GET", "/v1/invoices/{id}/lines", list_lines),
    Operation("POST", "/v1/invoices/{id}/pay", pay),
    Operation("POST", "/v1/invoices/{id}/void", void),
    *readable("/v1/invoice_payments", "invoice_payment", *PAYMENT_FILTERS),
]
