"""`pause_collection`: a subscription whose invoices are not collected."""

from genvid.sandbox.stripe import balance_resource, invoice_lifecycle
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_operations import Call


def parse_pause(call: Call) -> Json | None:
    """None for an empty value, which resumes collection."""
    if not call.form.values["pause_collection"]:
        return None
    form = call.form.part("pause_collection")
    return {"behavior": form.need("behavior"), "resumes_at": form.number("resumes_at")}


def current_behavior(core: StripeCore, subscription: Json | None) -> str | None:
    """What becomes of an invoice that is due now; None if it is collected."""
    pause = (subscription or {}).get("pause_collection")
    if subscription is None or not pause:
        return None
    if pause["resumes_at"] and pause["resumes_at"] <= core.now():
        core.change(subscription, "customer.subscription.updated", pause_collection=None)
        return None
    return str(pause["behavior"])


def apply_pause(core: StripeCore, invoice: Json, behavior: str) -> Json:
    if behavior == "void":
        return invoice_lifecycle.void_invoice(core, invoice)
    if behavior == "mark_uncollectible":
        return invoice_lifecycle.mark_uncollectible(core, invoice)
    balance_resource.restore_balance(core, invoice)
    return core.save(invoice, status="draft", auto_advance=False)
