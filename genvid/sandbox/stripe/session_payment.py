"""Payment of a Checkout Session by its buyer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe import (
    cards,
    customer_resource,
    invoice_collection,
    invoice_lifecycle,
    invoice_lines,
    payment_method_resource,
    promotion_resource,
    session_items,
)
from genvid.sandbox.stripe.billing_cycle import SubscriptionOrder, create_subscription, first_invoice
from genvid.sandbox.stripe.defaults import ADDRESS
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.payment_attempts import Attempt, attempt_payment, create_intent, create_setup_intent
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, check_status

DAY = 24 * 3600


@dataclass(frozen=True)
class Payment:
    card: str = "4242424242424242"
    method: str = "card"
    email: str | None = None
    name: str | None = None
    account: str = cards.GOOD_ACCOUNT


def submit_payment(core: StripeCore, session: Json, payment: Payment) -> Json:
    """Pays with what the buyer entered. Sets `_last_error` if that fails; the session stays open."""
    check_status(session, "open")
    core.save(session, _last_error=None)
    _check_offered(session, cards.BANK_ACCOUNT if payment.method == "bank" else "card")
    number = cards.digits(payment.card)
    if payment.method == "card" and not cards.is_card_number(number):
        return core.save(session, _last_error="Your card number is incorrect.")
    if payment.method == "card" and number not in cards.CARDS:
        return core.save(session, _last_error=cards.UNKNOWN)
    _record_buyer(core, session, payment)
    return MODES[session["mode"]](core, session, _method(core, session, payment))


def confirm_payment(core: StripeCore, session: Json, method: Json) -> Json:
    """Pays with an existing payment method, as Stripe's own page does in the background."""
    bills = method["billing_details"]
    _check_offered(session, method["type"])
    _record_buyer(core, session, Payment(email=bills["email"], name=bills["name"]))
    return MODES[session["mode"]](core, session, method)


def offered(session: Json) -> list[str]:
    """The payment method types that the buyer may choose. A bank account can be neither held nor set up."""
    is_card_only = session["mode"] == "setup" or session["_intent_data"].get("capture_method") == "manual"
    return [one for one in session["payment_method_types"] if one == "card" or not is_card_only]


def _check_offered(session: Json, kind: str) -> None:
    if kind not in offered(session):
        raise StripeError(
            f"This Checkout Session does not take the payment method type {kind}.", param="payment_method"
        )


def apply_promotion_code(core: StripeCore, session: Json, word: str) -> Json:
    if not session["allow_promotion_codes"] or session["status"] != "open":
        raise StripeError(promotion_resource.INVALID, code="promotion_code_invalid", param="promotion_code")
    code = promotion_resource.find_code(core, word, session["customer"])
    promotion_resource.check_restrictions(
        core, code, session["customer"], session["amount_subtotal"], session["currency"]
    )
    session_items.apply_discount(core, session, core.get("coupon", code["promotion"]["coupon"]), code)
    return session


def remove_promotion_code(core: StripeCore, session: Json) -> Json:
    if session["status"] != "open" or not session["allow_promotion_codes"]:
        raise StripeError(promotion_resource.INVALID, param="promotion_code")
    return session_items.remove_discount(core, session)


def _record_buyer(core: StripeCore, session: Json, payment: Payment) -> None:
    known = core.get("customer", session["customer"]) if session["customer"] else {}
    email = known.get("email") or payment.email or session["customer_email"] or "buyer@example.com"
    name = payment.name or known.get("name")
    details = {"address": dict(ADDRESS), "email": email, "name": name, "phone": None}
    core.save(session, customer_details={**details, "tax_exempt": "none", "tax_ids": []})
    if session["customer"] is None and _needs_customer(session):
        customer = customer_resource.create_customer(core, email=email, name=name)
        core.save(session, customer=customer["id"])
    elif known and payment.name and session["_customer_update"].get("name") == "auto":
        core.change(core.get("customer", session["customer"]), "customer.updated", name=payment.name)


def _needs_customer(session: Json) -> bool:
    wants = session["customer_creation"] == "always" or (session["invoice_creation"] or {}).get("enabled")
    return session["mode"] != "payment" or bool(wants or session["_intent_data"].get("setup_future_usage"))


def _method(core: StripeCore, session: Json, payment: Payment) -> Json:
    bills = {"email": session["customer_details"]["email"], "name": session["customer_details"]["name"]}
    if payment.method == "bank":
        return payment_method_resource.create_bank_account(core, payment.account, **bills)
    return payment_method_resource.create_card(core, payment.card, **bills)


def _pay_once(core: StripeCore, session: Json, method: Json) -> Json:
    if session["amount_total"] == 0:
        return _complete_once(core, session, None)
    intent = attempt_payment(core, _intent(core, session), Attempt(method, return_url=session["success_url"]))
    return follow_payment(core, session, intent)


def _intent(core: StripeCore, session: Json) -> Json:
    if session["payment_intent"]:
        return core.get("payment_intent", session["payment_intent"])
    fields = {name: session[name] for name in ("payment_method_types", "payment_method_options")}
    fields |= session["_intent_data"]
    amount, currency = session["amount_total"], session["currency"]
    intent = create_intent(core, amount, currency, session["customer"], **fields)
    core.save(session, payment_intent=intent["id"])
    return intent


def follow_payment(core: StripeCore, session: Json, intent: Json) -> Json:
    if intent["last_payment_error"]:
        return core.save(session, _last_error=intent["last_payment_error"]["message"])
    if intent["status"] == "requires_action":
        return session
    if session["mode"] == "subscription":
        return _complete_subscription(core, session, core.get("subscription", session["_subscription"]))
    return _complete_once(core, session, intent)


def _complete_once(core: StripeCore, session: Json, intent: Json | None) -> Json:
    status = "no_payment_required" if intent is None else "paid"
    if intent is not None and intent["status"] in ("processing", "requires_capture"):
        status = "unpaid"
    if intent is not None and session["customer"] and intent["setup_future_usage"]:
        payment_method_resource.attach_payment_method(core, intent["payment_method"], session["customer"])
    _redeem(core, session)
    if status != "unpaid":
        make_invoice(core, session, intent)
    return _complete(core, session, payment_status=status)


def _redeem(core: StripeCore, session: Json, **of: Any) -> list[Json]:
    if not session.get("_coupon"):
        return []
    coupon = core.get("coupon", session["_coupon"])
    code = core.get("promotion_code", session["_code"]) if session["_code"] else None
    origin = {"checkout_session": session["id"], "customer": session["customer"], **of}
    discount = promotion_resource.create_discount(core, coupon, code, **origin)
    core.save(session, _discount=discount["id"])
    return [discount]


def make_invoice(core: StripeCore, session: Json, intent: Json | None) -> None:
    if not (session["invoice_creation"] or {}).get("enabled"):
        return
    customer, now = core.get("customer", session["customer"]), core.now()
    entries = [invoice_lines.sale_line(core, item["price"], item["quantity"], now) for item in session["_line_items"]]
    discounts = [core.get("discount", session["_discount"])] if session.get("_discount") else []
    data = session["invoice_creation"]["invoice_data"]
    extra = {name: data[name] for name in ("custom_fields", "description", "footer")}
    # A balance is for subscriptions; what Checkout has charged already is not lowered by it.
    without_balance = {**customer, "balance": 0}
    draft = Draft(without_balance, entries, "manual", (now, now), discounts=discounts, extra=extra)
    draft.metadata = data["metadata"]
    invoice = invoice_lifecycle.create_invoice(core, draft)
    if intent is not None:
        invoice_lifecycle.link_intent(core, invoice, intent)
    invoice_lifecycle.mark_paid(core, invoice)
    core.save(session, invoice=invoice["id"])


def _complete(core: StripeCore, session: Json, **fields: Any) -> Json:
    core.save(session, status="complete", url=None, **fields)
    core.emit("checkout.session.completed", session)
    return session


def _subscribe(core: StripeCore, session: Json, method: Json) -> Json:
    if session.get("_subscription") is None:
        _create_subscription(core, session)
    subscription = core.get("subscription", session["_subscription"])
    payment_method_resource.attach_payment_method(core, method["id"], session["customer"])
    core.save(subscription, default_payment_method=method["id"])
    invoice = core.get("invoice", subscription["latest_invoice"])
    if invoice["amount_due"] == 0:
        return _subscribe_free(core, session, subscription, method)
    invoice_collection.collect_invoice(core, invoice, tried=Attempt(method, return_url=session["success_url"]))
    return follow_payment(core, session, invoice_lifecycle.intent_of(core, invoice))


def _create_subscription(core: StripeCore, session: Json) -> None:
    data = session["_subscription_data"]
    items = [(item["price"], item["quantity"]) for item in session["_line_items"] if item["price"]["recurring"]]
    days = int(data.get("trial_period_days") or 0)
    trial_end = core.now() + days * DAY if days else int(data.get("trial_end") or 0) or None
    order = SubscriptionOrder(core.get("customer", session["customer"]), items, None, trial_end, data["metadata"])
    order.extra = {name: data[name] for name in ("description", "trial_settings") if data.get(name)}
    subscription = create_subscription(core, order)
    discounts = _redeem(core, session, subscription=subscription["id"])
    once = [item for item in session["_line_items"] if not item["price"]["recurring"]]
    now = core.now()
    pending = [invoice_lines.sale_line(core, item["price"], item["quantity"], now) for item in once]
    core.save(subscription, discounts=[one["id"] for one in discounts], _pending=pending)
    first_invoice(core, subscription)
    core.save(session, _subscription=subscription["id"])


def _subscribe_free(core: StripeCore, session: Json, subscription: Json, method: Json) -> Json:
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        return core.save(session, _last_error=refusal.message)
    invoice_collection.collect_invoice(core, core.get("invoice", subscription["latest_invoice"]), tried=Attempt(method))
    return _complete_subscription(core, session, core.get("subscription", subscription["id"]))


def _complete_subscription(core: StripeCore, session: Json, subscription: Json) -> Json:
    invoice = core.get("invoice", subscription["latest_invoice"])
    status = "paid" if invoice["amount_paid"] else "no_payment_required"
    if invoice["status"] != "paid":
        status = "unpaid"
    fields = {"subscription": subscription["id"], "invoice": invoice["id"]}
    return _complete(core, session, payment_status=status, **fields)


def _save_card(core: StripeCore, session: Json, method: Json) -> Json:
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        return core.save(session, _last_error=refusal.message)
    payment_method_resource.attach_payment_method(core, method["id"], session["customer"])
    setup = create_setup_intent(core, session["customer"], method, "succeeded", **session["_setup_data"])
    return _complete(core, session, setup_intent=setup["id"])


MODES: dict[str, Callable[[StripeCore, Json, Json], Json]] = {
    "payment": _pay_once,
    "subscription": _subscribe,
    "setup": _save_card,
}


def intent_of(core: StripeCore, session: Json) -> Json | None:
    if session["payment_intent"]:
        return core.get("payment_intent", session["payment_intent"])
    if session.get("_subscription") is None:
        return None
    invoice = core.get("invoice", core.get("subscription", session["_subscription"])["latest_invoice"])
    payments_ = core.objects.all("invoice_payment", invoice=invoice["id"])
    return core.get("payment_intent", payments_[0]["payment"]["payment_intent"]) if payments_ else None
