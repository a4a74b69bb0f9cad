"""States of an invoice: created, finalized, paid, failed, void, uncollectible."""

from dataclasses import dataclass, field

from genvid.sandbox.stripe import balance_resource, cards, invoice_lines, payment_attempts
from genvid.sandbox.stripe.due_times import DAY
from genvid.sandbox.stripe.event_resource import ACCOUNT
from genvid.sandbox.stripe.object_store import Json, list_object
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.stripe_core import StripeCore

# From one attempt to the next; Stripe's smart retries differ by customer, these are its classic three.
RETRY_AFTER = (3 * DAY, 5 * DAY, 7 * DAY)
OF_CUSTOMER = ("address", "email", "name", "phone", "shipping", "tax_exempt")


@dataclass
class Draft:
    customer: Json
    entries: list[Json]
    reason: str
    period: tuple[int, int]
    subscription: Json | None = None
    discounts: list[Json] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    """Fields that overrule the others."""

    @property
    def parent(self) -> Json | None:
        if self.subscription is None:
            return None
        details = {"metadata": self.subscription["metadata"], "subscription": self.subscription["id"]}
        return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def create_invoice(core: StripeCore, draft: Draft) -> Json:
    """An invoice that is finalized at once; Stripe waits an hour."""
    return finalize_invoice(core, create_draft(core, draft))


def create_draft(core: StripeCore, draft: Draft) -> Json:
    invoice = core.new("invoice", "in_1", **invoice_fields(core, draft))
    for entry in draft.entries:
        entry["invoice"] = invoice["id"]
    core.save(invoice, lines=list_object(f"/v1/invoices/{invoice['id']}/lines", draft.entries))
    core.emit("invoice.created", invoice)
    return invoice


def invoice_fields(core: StripeCore, draft: Draft) -> Json:
    customer, subscription = draft.customer, draft.subscription
    reductions = invoice_lines.apply_discounts(core, draft.entries, draft.discounts)
    subtotal = sum(entry["amount"] for entry in draft.entries)
    total = subtotal - sum(one["amount"] for one in reductions)
    due = max(0, total + customer["balance"])
    return {
        "amount_due": due,
        "amount_remaining": due,
        "billing_reason": draft.reason,
        "collection_method": subscription["collection_method"] if subscription else "charge_automatically",
        "currency": draft.entries[0]["currency"] if draft.entries else "usd",
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in OF_CUSTOMER},
        "default_payment_method": subscription["default_payment_method"] if subscription else None,
        "discounts": [one["id"] for one in draft.discounts],
        "due_date": _due_date(core, draft),
        "lines": list_object("/v1/invoices/upcoming/lines", draft.entries),
        "metadata": draft.metadata,
        "parent": draft.parent,
        "period_end": draft.period[1],
        "period_start": draft.period[0],
        "starting_balance": customer["balance"],
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": reductions,
        "total_excluding_tax": total,
        **draft.extra,
    }


def _due_date(core: StripeCore, draft: Draft) -> int | None:
    days = draft.subscription["days_until_due"] if draft.subscription else None
    return core.now() + days * DAY if days else None


def finalize_invoice(core: StripeCore, invoice: Json) -> Json:
    customer = core.get("customer", invoice["customer"])
    balance = min(0, invoice["total"] + customer["balance"])
    balance_resource.apply_balance(core, invoice, customer, balance)
    number = customer.get("next_invoice_sequence", 1)
    core.save(customer, next_invoice_sequence=number + 1)
    now, page = core.now(), f"{core.base}/pay/invoices/{invoice['id']}"
    core.save(
        invoice,
        automatically_finalizes_at=None,
        effective_at=now,
        ending_balance=balance,
        hosted_invoice_url=page,
        invoice_pdf=page + "/pdf",
        number=invoice["number"] or f"{customer.get('invoice_prefix') or ACCOUNT[-8:].upper()}-{number:04}",
        status="open",
        status_transitions=_transition(core, invoice, "finalized_at"),
    )
    core.emit("invoice.finalized", invoice)
    return invoice


def pay_once(core: StripeCore, invoice: Json, tried: Attempt | None) -> Json:
    """Attempts to collect what is due. An invoice with nothing due is paid without an attempt."""
    if invoice["amount_remaining"] == 0:
        return mark_paid(core, invoice)
    intent = intent_of(core, invoice)
    core.save(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if tried is None:
        return mark_failed(core, invoice)
    payment_attempts.attempt_payment(core, intent, tried)
    if intent["status"] == "succeeded":
        return mark_paid(core, invoice)
    if intent["status"] == "requires_action":
        core.emit("invoice.payment_action_required", invoice)
        return invoice
    if (intent["last_payment_error"] or {}).get("code") == cards.NEEDS_AUTHENTICATION.code:
        core.emit("invoice.payment_action_required", invoice)
    return invoice if intent["status"] == "processing" else mark_failed(core, invoice)


def intent_of(core: StripeCore, invoice: Json) -> Json:
    """The invoice's payment intent, which all attempts share."""
    for payment in core.objects.all("invoice_payment", invoice=invoice["id"]):
        return core.get("payment_intent", payment["payment"]["payment_intent"])
    description = (
        "Subscription creation" if invoice["billing_reason"] == "subscription_create" else "Subscription update"
    )
    if subscription_of(core, invoice) is None:
        description = f"Payment for Invoice {invoice['number']}"
    intent = payment_attempts.create_intent(
        core,
        invoice["amount_due"],
        invoice["currency"],
        invoice["customer"],
        description=description,
        setup_future_usage="off_session",
        statement_descriptor=invoice["statement_descriptor"],
        **payment_attempts.payment_method_choices(
            (subscription_of(core, invoice) or {}).get("payment_settings"), invoice["payment_settings"]
        ),
    )
    link_intent(core, invoice, intent)
    return intent


def link_intent(core: StripeCore, invoice: Json, intent: Json) -> Json:
    return core.new(
        "invoice_payment",
        "inpay_1",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
    )


def _transition(core: StripeCore, obj: Json, name: str) -> Json:
    return {**obj["status_transitions"], name: core.now()}


def mark_paid(core: StripeCore, invoice: Json) -> Json:
    core.change(
        invoice,
        "invoice.updated",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
        status_transitions=_transition(core, invoice, "paid_at"),
    )
    core.emit("invoice.paid", invoice)
    core.emit("invoice.payment_succeeded", invoice)
    for payment in core.objects.all("invoice_payment", invoice=invoice["id"], status="open"):
        transitions = _transition(core, payment, "paid_at")
        core.save(payment, status="paid", amount_paid=invoice["amount_due"], status_transitions=transitions)
        core.emit("invoice_payment.paid", payment)
    return invoice


def mark_failed(core: StripeCore, invoice: Json) -> Json:
    tries, due = invoice["attempt_count"], None
    if _is_retried(core, invoice) and tries <= len(RETRY_AFTER):
        due = core.now() + RETRY_AFTER[tries - 1]
    core.save(invoice, next_payment_attempt=due)
    core.emit("invoice.payment_failed", invoice)
    return invoice


def _is_retried(core: StripeCore, invoice: Json) -> bool:
    """A running subscription's invoices are; its first one waits for the buyer, and a single sale is paid already."""
    subscription = subscription_of(core, invoice)
    return subscription is not None and subscription["status"] not in ("incomplete", "paused")


def subscription_of(core: StripeCore, invoice: Json) -> Json | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found = details.get("subscription")
    return core.get("subscription", found) if found else None


def cancel_payments(core: StripeCore, invoice: Json, reason: str) -> None:
    for payment in core.objects.all("invoice_payment", invoice=invoice["id"], status="open"):
        core.save(payment, status="canceled", status_transitions=_transition(core, payment, "canceled_at"))
        payment_attempts.cancel_intent(core, core.get("payment_intent", payment["payment"]["payment_intent"]), reason)


def void_invoice(core: StripeCore, invoice: Json) -> Json:
    transitions = _transition(core, invoice, "voided_at")
    cancel_payments(core, invoice, "void_invoice")
    balance_resource.restore_balance(core, invoice)
    core.save(invoice, status="void", next_payment_attempt=None, auto_advance=False, status_transitions=transitions)
    core.emit("invoice.voided", invoice)
    return invoice


def mark_uncollectible(core: StripeCore, invoice: Json) -> Json:
    transitions = _transition(core, invoice, "marked_uncollectible_at")
    fields = {"auto_advance": False, "next_payment_attempt": None, "status_transitions": transitions}
    core.change(invoice, "invoice.updated", status="uncollectible", **fields)
    core.emit("invoice.marked_uncollectible", invoice)
    return invoice
