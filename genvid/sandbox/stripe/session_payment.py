"""What happens when a buyer pays a Checkout Session."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe import (
    billing_cycle,
    cards,
    customer_resource,
    invoice_collection,
    invoice_lifecycle,
    invoice_lines,
    payment_attempts,
    payment_method_resource,
    promotion_resource,
    session_items,
)
from genvid.sandbox.stripe.defaults import ADDRESS
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError

DAY = 24 * 3600


@dataclass(frozen=True)
class Payment:
    """What the buyer filled in."""

    card: str = "4242424242424242"
    method: str = "card"
    email: str | None = None
    name: str | None = None
    account: str = cards.GOOD_ACCOUNT


def submit(core: StripeCore, session: Thing, payment: Payment) -> Thing:
    """Pays, or says in `last_error` why not. A session still open has to be tried again, or waits for 3-D Secure."""
    if session["status"] != "open":
        raise StripeError(f"This Checkout Session is {session['status']}.", param="session")
    core.save(session, _last_error=None)
    _must_offer(session, cards.BANK_ACCOUNT if payment.method == "bank" else "card")
    number = cards.digits(payment.card)
    if payment.method == "card" and not cards.is_card_number(number):
        return core.save(session, _last_error="Your card number is incorrect.")
    if payment.method == "card" and number not in cards.CARDS:
        return core.save(session, _last_error=cards.UNKNOWN)
    _introduce(core, session, payment)
    return MODES[session["mode"]](core, session, _method(core, session, payment))


def confirm(core: StripeCore, session: Thing, method: Thing) -> Thing:
    """Pays with a payment method that is there already, as Stripe's own page does it in the background."""
    bills = method["billing_details"]
    _must_offer(session, method["type"])
    _introduce(core, session, Payment(email=bills["email"], name=bills["name"]))
    return MODES[session["mode"]](core, session, method)


def offered(session: Thing) -> list[str]:
    """The payment method types that its buyer may choose from: a bank account's money is neither held nor set up."""
    is_card_only = session["mode"] == "setup" or session["_intent_data"].get("capture_method") == "manual"
    return [one for one in session["payment_method_types"] if one == "card" or not is_card_only]


def _must_offer(session: Thing, kind: str) -> None:
    if kind not in offered(session):
        raise StripeError(
            f"This Checkout Session does not take the payment method type {kind}.", param="payment_method"
        )


def apply_code(core: StripeCore, session: Thing, word: str) -> Thing:
    if not session["allow_promotion_codes"] or session["status"] != "open":
        raise StripeError(promotion_resource.INVALID, code="promotion_code_invalid", param="promotion_code")
    code = promotion_resource.find_code(core, word, session["customer"])
    promotion_resource.refuse_restricted(
        core, code, session["customer"], session["amount_subtotal"], session["currency"]
    )
    session_items.reduce(core, session, core.get("coupon", code["promotion"]["coupon"]), code)
    return session


def drop_code(core: StripeCore, session: Thing) -> Thing:
    if session["status"] != "open" or not session["allow_promotion_codes"]:
        raise StripeError(promotion_resource.INVALID, param="promotion_code")
    return session_items.unreduce(core, session)


def _introduce(core: StripeCore, session: Thing, payment: Payment) -> None:
    """Who buys; a customer is made where one is needed."""
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


def _needs_customer(session: Thing) -> bool:
    wants = session["customer_creation"] == "always" or (session["invoice_creation"] or {}).get("enabled")
    return session["mode"] != "payment" or bool(wants or session["_intent_data"].get("setup_future_usage"))


def _method(core: StripeCore, session: Thing, payment: Payment) -> Thing:
    bills = {"email": session["customer_details"]["email"], "name": session["customer_details"]["name"]}
    if payment.method == "bank":
        return payment_method_resource.make_bank_account(core, payment.account, **bills)
    return payment_method_resource.make_card(core, payment.card, **bills)


def _pay_once(core: StripeCore, session: Thing, method: Thing) -> Thing:
    if session["amount_total"] == 0:
        return _complete_once(core, session, None)
    intent = payment_attempts.attempt(core, _intent(core, session), Attempt(method, return_url=session["success_url"]))
    return after(core, session, intent)


def _intent(core: StripeCore, session: Thing) -> Thing:
    """One payment intent for a session, however often it is tried."""
    if session["payment_intent"]:
        return core.get("payment_intent", session["payment_intent"])
    fields = {name: session[name] for name in ("payment_method_types", "payment_method_options")}
    fields |= session["_intent_data"]
    amount, currency = session["amount_total"], session["currency"]
    intent = payment_attempts.create_intent(core, amount, currency, session["customer"], **fields)
    core.save(session, payment_intent=intent["id"])
    return intent


def after(core: StripeCore, session: Thing, intent: Thing) -> Thing:
    """Follows what came of the payment."""
    if intent["last_payment_error"]:
        return core.save(session, _last_error=intent["last_payment_error"]["message"])
    if intent["status"] == "requires_action":
        return session
    if session["mode"] == "subscription":
        return _complete_subscription(core, session, core.get("subscription", session["_subscription"]))
    return _complete_once(core, session, intent)


def _complete_once(core: StripeCore, session: Thing, intent: Thing | None) -> Thing:
    status = "no_payment_required" if intent is None else "paid"
    if intent is not None and intent["status"] in ("processing", "requires_capture"):
        status = "unpaid"
    if intent is not None and session["customer"] and intent["setup_future_usage"]:
        payment_method_resource.attach(core, intent["payment_method"], session["customer"])
    _redeem(core, session)
    if status != "unpaid":
        make_invoice(core, session, intent)
    return _complete(core, session, payment_status=status)


def _redeem(core: StripeCore, session: Thing, **of: Any) -> list[Thing]:
    """The discount's use, once it is certain."""
    if not session.get("_coupon"):
        return []
    coupon = core.get("coupon", session["_coupon"])
    code = core.get("promotion_code", session["_code"]) if session["_code"] else None
    told = {"checkout_session": session["id"], "customer": session["customer"], **of}
    discount = promotion_resource.redeem(core, coupon, code, **told)
    core.save(session, _discount=discount["id"])
    return [discount]


def make_invoice(core: StripeCore, session: Thing, intent: Thing | None) -> None:
    """A paid one for a single sale, when the session asks for it."""
    if not (session["invoice_creation"] or {}).get("enabled"):
        return
    customer, now = core.get("customer", session["customer"]), core.now()
    entries = [invoice_lines.of_sale(core, item["price"], item["quantity"], now) for item in session["_line_items"]]
    discounts = [core.get("discount", session["_discount"])] if session.get("_discount") else []
    data = session["invoice_creation"]["invoice_data"]
    beside = {name: data[name] for name in ("custom_fields", "description", "footer")}
    # A balance is for subscriptions; what Checkout has charged already is not lowered by it.
    without_balance = {**customer, "balance": 0}
    draft = Draft(without_balance, entries, "manual", (now, now), discounts=discounts, beside=beside)
    draft.metadata = data["metadata"]
    invoice = invoice_lifecycle.make(core, draft)
    if intent is not None:
        invoice_lifecycle.link(core, invoice, intent)
    invoice_lifecycle.settle(core, invoice)
    core.save(session, invoice=invoice["id"])


def _complete(core: StripeCore, session: Thing, **fields: Any) -> Thing:
    core.save(session, status="complete", url=None, **fields)
    core.emit("checkout.session.completed", session)
    return session


def _subscribe(core: StripeCore, session: Thing, method: Thing) -> Thing:
    """The first attempt makes the subscription; later ones pay its first invoice."""
    if session.get("_subscription") is None:
        _start(core, session)
    subscription = core.get("subscription", session["_subscription"])
    payment_method_resource.attach(core, method["id"], session["customer"])
    core.save(subscription, default_payment_method=method["id"])
    invoice = core.get("invoice", subscription["latest_invoice"])
    if invoice["amount_due"] == 0:
        return _subscribe_free(core, session, subscription, method)
    invoice_collection.collect(core, invoice, tried=Attempt(method, return_url=session["success_url"]))
    return after(core, session, invoice_lifecycle.intent_of(core, invoice))


def _start(core: StripeCore, session: Thing) -> None:
    data = session["_subscription_data"]
    items = [(item["price"], item["quantity"]) for item in session["_line_items"] if item["price"]["recurring"]]
    days = int(data.get("trial_period_days") or 0)
    trial_end = core.now() + days * DAY if days else int(data.get("trial_end") or 0) or None
    order = billing_cycle.Order(core.get("customer", session["customer"]), items, None, trial_end, data["metadata"])
    order.beside = {name: data[name] for name in ("description", "trial_settings") if data.get(name)}
    subscription = billing_cycle.subscribe(core, order)
    discounts = _redeem(core, session, subscription=subscription["id"])
    once = [item for item in session["_line_items"] if not item["price"]["recurring"]]
    now = core.now()
    pending = [invoice_lines.of_sale(core, item["price"], item["quantity"], now) for item in once]
    core.save(subscription, discounts=[one["id"] for one in discounts], _pending=pending)
    billing_cycle.first_invoice(core, subscription)
    core.save(session, _subscription=subscription["id"])


def _subscribe_free(core: StripeCore, session: Thing, subscription: Thing, method: Thing) -> Thing:
    """Nothing is due now; the card is only put on file."""
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        return core.save(session, _last_error=refusal.message)
    invoice_collection.collect(core, core.get("invoice", subscription["latest_invoice"]), tried=Attempt(method))
    return _complete_subscription(core, session, core.get("subscription", subscription["id"]))


def _complete_subscription(core: StripeCore, session: Thing, subscription: Thing) -> Thing:
    invoice = core.get("invoice", subscription["latest_invoice"])
    status = "paid" if invoice["amount_paid"] else "no_payment_required"
    if invoice["status"] != "paid":
        status = "unpaid"
    fields = {"subscription": subscription["id"], "invoice": invoice["id"]}
    return _complete(core, session, payment_status=status, **fields)


def _set_up(core: StripeCore, session: Thing, method: Thing) -> Thing:
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        return core.save(session, _last_error=refusal.message)
    payment_method_resource.attach(core, method["id"], session["customer"])
    setup = payment_attempts.create_setup_intent(
        core, session["customer"], method, "succeeded", **session["_setup_data"]
    )
    return _complete(core, session, setup_intent=setup["id"])


MODES: dict[str, Callable[[StripeCore, Thing, Thing], Thing]] = {
    "payment": _pay_once,
    "subscription": _subscribe,
    "setup": _set_up,
}


def intent_of(core: StripeCore, session: Thing) -> Thing | None:
    """The payment intent that pays a session, itself or through its subscription's first invoice."""
    if session["payment_intent"]:
        return core.get("payment_intent", session["payment_intent"])
    if session.get("_subscription") is None:
        return None
    invoice = core.get("invoice", core.get("subscription", session["_subscription"])["latest_invoice"])
    payments_ = core.objects.all("invoice_payment", invoice=invoice["id"])
    return core.get("payment_intent", payments_[0]["payment"]["payment_intent"]) if payments_ else None
