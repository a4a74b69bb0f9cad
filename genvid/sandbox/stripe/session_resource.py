"""Checkout Sessions."""

from genvid.sandbox.stripe import cards, currencies, parameters, payment_method_resource, session_items, session_payment
from genvid.sandbox.stripe.billing_parameters import SESSION
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.intent_resource import payment_error
from genvid.sandbox.stripe.object_store import Json, list_object
from genvid.sandbox.stripe.resources import readable, reading, updatable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, check_status, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation

DAY, HALF_HOUR = 24 * 3600, 30 * 60
LONGEST_TRIAL, SMALLEST = 730, 50


def create(call: Call) -> Json:
    form, core = call.form, call.core
    mode = form.need("mode")
    customer = _customer(core, form)
    items = [session_items.line_item(core, part, mode) for part in form.parts("line_items")]
    if mode == "setup" and form.texts("payment_method_types") == [cards.BANK_ACCOUNT]:
        raise StripeError("Only cards are set up here.", param="payment_method_types")
    if mode != "setup" and not items:
        raise missing_parameter("line_items")
    if mode == "subscription" and not any(item["price"]["recurring"] for item in items):
        raise StripeError("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    session = core.new(
        "checkout.session",
        "cs_test_a1",
        **{**_session_fields(form, mode), **call.kept, **_urls(form)},
        customer=customer,
        currency=_currency(form, items),
        expires_at=_expiry(core, form),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        _line_items=items,
        _customer_update=form.part("customer_update").values,
        _intent_data=_intent_data(form, mode),
        _setup_data=_for_mode(form, "setup_intent_data", mode, "setup"),
        _subscription_data=_subscription_data(form, mode),
    )
    session_items.price_line_items(session, None)
    session_items.apply_given_discounts(core, session, form)
    _check_amount(session)
    return core.save(session, url=f"{core.base}/pay/{session['id']}", **session_items.totals(session))


def _for_mode(form: Form, name: str, mode: str, wanted: str) -> Json:
    """The values of `payment_intent_data` and the like. Raises StripeError in another mode than theirs."""
    if name in form and mode != wanted:
        raise StripeError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    part = form.part(name)
    found: Json = parameters.kept_values(part, parameters.kept(**SESSION[name].inside))
    return {**found, "metadata": part.map("metadata")}


def _intent_data(form: Form, mode: str) -> Json:
    data = _for_mode(form, "payment_intent_data", mode, "payment")
    if data.get("capture_method") == "manual" and form.texts("payment_method_types") == [cards.BANK_ACCOUNT]:
        message = "The capture_method `manual` is not supported by the payment method type us_bank_account."
        raise StripeError(message, param="payment_intent_data[capture_method]")
    return data


def _subscription_data(form: Form, mode: str) -> Json:
    days = form.part("subscription_data").number("trial_period_days")
    if days is not None and not 1 <= days <= LONGEST_TRIAL:
        param = "subscription_data[trial_period_days]"
        raise StripeError(f"Trial periods last 1 to {LONGEST_TRIAL} days.", param=param)
    return _for_mode(form, "subscription_data", mode, "subscription")


def _currency(form: Form, items: list[Json]) -> str | None:
    given = form.text("currency")
    if items:
        currencies.check_price(given, items[0])
    return str(items[0]["currency"]) if items else given


def _check_amount(session: Json) -> None:
    if len({item["currency"] for item in session["_line_items"]}) > 1:
        raise StripeError("All prices of a session must have the same currency.", param="line_items")
    total = session_items.totals(session)["amount_total"]
    if session["mode"] == "payment" and 0 < total < SMALLEST:
        message = "The Checkout Session's total amount due must add up to at least $0.50 usd"
        raise StripeError(message, code="amount_too_small")


def _customer(core: StripeCore, form: Form) -> str | None:
    customer = form.text("customer")
    if customer is not None and "customer_email" in form:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise StripeError(message, param="customer_email")
    if customer is None and "customer_update" in form:
        raise StripeError("`customer_update` can only be used with `customer`.", param="customer_update")
    return core.get_existing("customer", customer, "customer")["id"] if customer else None


def _session_fields(form: Form, mode: str) -> Json:
    enabled = form.part("invoice_creation").flag("enabled")
    part = form.part("invoice_creation").part("invoice_data")
    data: Json = {"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None}
    data |= parameters.kept_values(part, parameters.kept(**SESSION["invoice_creation"].inside["invoice_data"].inside))
    data |= {"metadata": part.map("metadata"), "rendering_options": None}
    tax = {"enabled": form.part("automatic_tax").flag("enabled"), "liability": None, "provider": None, "status": None}
    return {
        "allow_promotion_codes": form.flag("allow_promotion_codes") if "allow_promotion_codes" in form else None,
        "automatic_tax": {**tax, "status": "complete" if tax["enabled"] else None},
        "customer_creation": None if mode == "subscription" else form.text("customer_creation") or "if_required",
        "invoice_creation": {"enabled": enabled, "invoice_data": data} if mode == "payment" else None,
        "metadata": form.map("metadata"),
        "mode": mode,
        "payment_method_collection": form.text("payment_method_collection")
        or ("always" if mode != "payment" else "if_required"),
        "payment_method_types": form.texts("payment_method_types") or list(cards.METHOD_TYPES),
        "tax_id_collection": {
            "enabled": form.part("tax_id_collection").flag("enabled"),
            "required": form.part("tax_id_collection").text("required") or "never",
        },
    }


def _urls(form: Form) -> Json:
    for name in ("success_url", "cancel_url"):
        url = form.text(name) if name == "cancel_url" else form.need(name)
        if url is not None and not url.startswith(("http://", "https://")):
            message = "Not a valid URL. An explicit scheme (such as https) must be provided."
            raise StripeError(message, code="url_invalid", param=name)
    return {"success_url": form.text("success_url"), "cancel_url": form.text("cancel_url")}


def _expiry(core: StripeCore, form: Form) -> int:
    now = core.now()
    wanted = form.number("expires_at", now + DAY) or 0
    if not now + HALF_HOUR - 60 <= wanted <= now + DAY + 60:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    return wanted


def expire_session(core: StripeCore, session: Json) -> Json:
    if session["status"] != "open":
        allowed = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        message = f"{allowed} This Checkout Session has a status of {session['status']}."
        raise StripeError(message)
    core.save(session, status="expired", url=None)
    core.emit("checkout.session.expired", session)
    return session


def expire(call: Call) -> Json:
    return expire_session(call.core, call.core.get("checkout.session", call.id))


def line_items(call: Call) -> Json:
    session = call.core.get("checkout.session", call.id)
    return list_object(f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"])


def confirm_page(call: Call) -> Json:
    core, session = call.core, call.core.get("checkout.session", call.id)
    check_status(session, "open")
    expected = call.form.number("expected_amount", session["amount_total"])
    if expected != session["amount_total"]:
        raise StripeError("The expected amount is not the session's.", param="expected_amount")
    method = payment_method_resource.resolve_payment_method(core, call.form.need("payment_method"), session["customer"])
    session = session_payment.confirm_payment(core, session, method)
    intent = session_payment.intent_of(core, session)
    if intent is not None and intent["last_payment_error"]:
        raise payment_error(intent)
    return session


PATH, KIND = "/v1/checkout/sessions", "checkout.session"
FILTERS = ("customer", "status", "payment_intent", "subscription", "customer_details.email")
OPERATIONS = [
    *readable(PATH, KIND, *FILTERS),
    Operation("POST", PATH, create),
    updatable(PATH, KIND),
    Operation("POST", PATH + "/{id}/expire", expire),
    Operation("GET", PATH + "/{id}/line_items", line_items),
    # What Stripe's own pay page calls, as does its command line: `stripe trigger checkout.session.completed`.
    reading("/v1/payment_pages", KIND),
    Operation("POST", "/v1/payment_pages/{id}/confirm", confirm_page),
]
