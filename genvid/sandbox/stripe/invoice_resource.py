"""Invoices and their payments."""

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
from genvid.sandbox.stripe.list_pages import equal_to, page_of
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def list_lines(call: Call) -> Json:
    return page_of(call, call.core.get("invoice", call.id)["lines"]["data"])


def pay(call: Call) -> Json:
    """Raises a card error if the card is refused; the attempt is counted on the invoice nevertheless."""
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] == "draft":
        invoice_drafts.finalize_draft(core, invoice)
        if invoice["status"] == "paid":
            return invoice
    invoice = _unpaid_invoice(call, "paid")
    if call.form.flag("paid_out_of_band"):
        return invoice_drafts.pay_out_of_band(core, invoice)
    wanted = call.form.text("payment_method")
    found = (
        payment_method_resource.attach_payment_method(core, wanted, invoice["customer"])
        if wanted
        else invoice_collection.payment_method_for(core, invoice)
    )
    tried = Attempt(found, buyer_is_there=not call.form.flag("off_session", True)) if found else None
    if tried is None:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice.", code="resource_missing"
        )
    invoice_collection.collect_invoice(core, invoice, tried=tried)
    if invoice["status"] != "paid" and invoice_lifecycle.intent_of(core, invoice)["last_payment_error"]:
        raise payment_error(invoice_lifecycle.intent_of(core, invoice))
    return invoice


def _unpaid_invoice(call: Call, action: str) -> Json:
    invoice = call.core.get_existing("invoice", call.id)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeError(
            f"This invoice is {invoice['status']} and can no longer be {action}.", code="invoice_not_editable"
        )
    return invoice


def void(call: Call) -> Json:
    return invoice_lifecycle.void_invoice(call.core, _unpaid_invoice(call, "voided"))


def mark_uncollectible(call: Call) -> Json:
    return invoice_lifecycle.mark_uncollectible(call.core, _unpaid_invoice(call, "marked uncollectible"))


def send(call: Call) -> Json:
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["collection_method"] != "send_invoice":
        raise StripeError("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        invoice_drafts.finalize_draft(core, invoice)
    return invoice_drafts.send_invoice(core, invoice)


def create(call: Call) -> Json:
    form, core = call.form, call.core
    customer = core.get_existing("customer", form.need("customer"), "customer")
    currency, items = form.text("currency"), list[Json]()
    if form.text("pending_invoice_items_behavior") == "include":
        items = invoice_drafts.pending_items(core, customer["id"], currency)
    chosen = currency or (items[0]["currency"] if items else "usd")
    fields = _fields(call, {"customer": customer["id"], "collection_method": "charge_automatically"})
    fields["metadata"] = form.map("metadata")
    invoice = invoice_drafts.create_manual_draft(
        core, customer, items, currencies.checked(chosen, "currency"), **fields
    )
    return _with_discounts(call, invoice)


def _fields(call: Call, before: Json) -> Json:
    form, core = call.form, call.core
    fields: Json = {**call.kept}
    method = fields.get("collection_method", before["collection_method"])
    days, due = form.number("days_until_due"), fields.get("due_date", before.get("due_date"))
    if method == "send_invoice":
        if days is None and due is None:
            raise missing_parameter("days_until_due")
        fields["due_date"] = core.now() + days * DAY if days is not None else due
    elif days is not None or fields.get("due_date"):
        message = "You can only set `days_until_due` or `due_date` if `collection_method` is 'send_invoice'."
        raise StripeError(message, param="days_until_due")
    if "default_payment_method" in form:
        wanted = form.text("default_payment_method")
        fields["default_payment_method"] = (
            payment_method_resource.attach_payment_method(core, wanted, before["customer"])["id"] if wanted else None
        )
    if "payment_settings" in form:
        given = parameters.read(form, "payment_settings", INVOICE["payment_settings"]) or {}
        chosen = {name: one or None for name, one in given.items()}
        fields["payment_settings"] = {"default_mandate": None, **chosen}
    if "automatic_tax" in form:
        enabled = form.part("automatic_tax").flag("enabled")
        fields["automatic_tax"] = {**defaults("invoice")["automatic_tax"], "enabled": enabled}
    return fields


def _with_discounts(call: Call, invoice: Json) -> Json:
    if "discounts" in call.form:
        of = {"customer": invoice["customer"], "invoice": invoice["id"]}
        found = promotion_resource.create_given_discounts(call.core, call.form, of)
        call.core.save(invoice, discounts=found)
        invoice_drafts.recalculate(call.core, invoice)
    return invoice


def update(call: Call) -> Json:
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] != "draft" and set(call.form.values) - {"metadata", "auto_advance"}:
        raise StripeError("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    fields = call.updates(invoice) | (_fields(call, invoice) if invoice["status"] == "draft" else {})
    if fields.get("auto_advance") and invoice["status"] == "draft":
        fields["automatically_finalizes_at"] = core.now() + HOUR
    core.change(invoice, "invoice.updated", **fields)
    return _with_discounts(call, invoice)


def delete(call: Call) -> Json:
    return invoice_drafts.delete_draft(call.core, call.core.get_existing("invoice", call.id))


def finalize(call: Call) -> Json:
    core, invoice = call.core, call.core.get_existing("invoice", call.id)
    if invoice["status"] != "draft":
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise StripeError(message, code="invoice_not_editable")
    core.save(invoice, auto_advance=call.form.flag("auto_advance", invoice["auto_advance"]))
    invoice_drafts.finalize_draft(core, invoice)
    return invoice_drafts.advance(core, invoice) if invoice["auto_advance"] else invoice


SUBSCRIPTION = equal_to("subscription", "parent.subscription_details.subscription")
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
