"""The API of subscriptions."""

from genvid.sandbox.stripe import changes, collection, cycle, invoices, methods, promotions
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, listed
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.changes import Wanted
from genvid.sandbox.stripe.cycle import UPDATED, Order
from genvid.sandbox.stripe.errors import StripeError, missing, no_such
from genvid.sandbox.stripe.forms import Form
from genvid.sandbox.stripe.lists import Condition, page
from genvid.sandbox.stripe.timetable import DAY, period

BEHAVIORS = ("create_prorations", "always_invoice", "none")
PAYMENT_BEHAVIORS = ("allow_incomplete", "default_incomplete")
TAKES = (
    "customer items default_payment_method metadata trial_period_days trial_end payment_behavior proration_behavior "
    "description discounts collection_method payment_settings off_session cancel_at_period_end automatic_tax "
    "trial_settings billing_cycle_anchor currency"
)
LONGEST_TRIAL = 5 * 366 * DAY
OVER = ("canceled", "incomplete_expired")


def create(call: Call) -> Thing:
    form, bank = call.form, call.bank
    customer = bank.alive("customer", form.need("customer"), "customer")
    items = [(_price(bank, part), part.count("quantity")) for part in form.parts("items")]
    if not items:
        raise missing("items")
    beside: Thing = {"description": form.text("description")}
    method = _method(call, customer)
    order = Order(customer, items, method, _trial_end(call, customer["id"]), form.map("metadata"), beside)
    waits = form.word("payment_behavior", *PAYMENT_BEHAVIORS) == "default_incomplete"
    subscription = cycle.subscribe(bank, order)
    _discount(call, subscription)
    invoice = cycle.first_invoice(bank, subscription)
    if waits and invoice["amount_due"]:
        invoices.intent_of(bank, invoice)
    else:
        collection.collect(bank, invoice)
    return bank.get("subscription", subscription["id"])


def _method(call: Call, customer: Thing) -> str | None:
    wanted = call.form.text("default_payment_method")
    return methods.attach(call.bank, wanted, customer["id"])["id"] if wanted else None


def _price(bank: Bank, form: Form) -> Thing:
    price = bank.get("price", form.need("price"), form.name("price"))
    if price["recurring"] is None:
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
        )
        raise StripeError(message, param=form.name("price"))
    return price


def _trial_end(call: Call, customer: str) -> int | None:
    days = call.form.number("trial_period_days")
    now = call.bank.now(customer)
    end = now + days * DAY if days else call.form.number("trial_end")
    if end is not None and not now < end <= now + LONGEST_TRIAL:
        raise StripeError("Trials end in the future, within five years.", param="trial_end")
    return end


def _discount(call: Call, subscription: Thing) -> None:
    found = []
    for part in call.form.parts("discounts"):
        code = None
        if part.text("promotion_code"):
            code = call.bank.get("promotion_code", part.need("promotion_code"), part.name("promotion_code"))
        coupon = call.bank.alive(
            "coupon", code["promotion"]["coupon"] if code else part.need("coupon"), part.name("coupon")
        )
        of = {"customer": subscription["customer"], "subscription": subscription["id"]}
        found.append(promotions.redeem(call.bank, coupon, code, **of)["id"])
    if found:
        call.bank.save(subscription, discounts=found)


def update(call: Call) -> Thing:
    form, bank = call.form, call.bank
    subscription = bank.get("subscription", call.id)
    if subscription["status"] in OVER and set(form.values) - {"metadata"}:
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    if form.text("payment_behavior") not in (None, *PAYMENT_BEHAVIORS):
        raise StripeError("This payment_behavior is not known here.", param="payment_behavior")
    _plain(call, subscription)
    _discount(call, subscription)
    if form.text("trial_end"):
        _move_trial(call, subscription)
    behavior = form.word("proration_behavior", *BEHAVIORS)
    if form.parts("items"):
        changes.change_items(bank, subscription, wanted_items(bank, subscription, form.parts("items")), behavior)
    if form.text("billing_cycle_anchor") == "now":
        changes.restart(bank, subscription, behavior)
    return bank.get("subscription", subscription["id"])


def _plain(call: Call, subscription: Thing) -> None:
    form, fields = call.form, dict[str, object]()
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", subscription["metadata"])
    if "default_payment_method" in form:
        fields["default_payment_method"] = _method(call, {"id": subscription["customer"]})
    if "description" in form:
        fields["description"] = form.text("description")
    if "cancel_at_period_end" in form:
        fields |= cancellation(call.bank, subscription, form.flag("cancel_at_period_end"))
    call.bank.change(subscription, UPDATED, **fields)


def cancellation(bank: Bank, subscription: Thing, wanted: bool) -> Thing:
    """What it means to end with the period, or to think better of it."""
    reason = "cancellation_requested" if wanted else None
    return {
        "cancel_at": period(subscription)[1] if wanted else None,
        "cancel_at_period_end": wanted,
        "canceled_at": bank.now(subscription["customer"]) if wanted else None,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason},
    }


def _move_trial(call: Call, subscription: Thing) -> None:
    bank, wanted = call.bank, call.form.need("trial_end")
    if wanted == "now":
        if subscription["status"] == "trialing":
            cycle.end_trial(bank, subscription, reason="subscription_update")
        return
    end = call.form.need_number("trial_end")
    start = period(subscription)[0]
    bank.save(subscription, billing_cycle_anchor=end, _trial_noticed=False)
    bank.change(subscription, UPDATED, **cycle.move(subscription, start, end, status="trialing", trial_end=end))


def wanted_items(bank: Bank, subscription: Thing, parts: list[Form]) -> list[Wanted]:
    """All items as they are to be: the given changes over what there is."""
    known = {item["id"]: Wanted(item["id"], item["price"], item["quantity"]) for item in subscription["items"]["data"]}
    added = []
    for part in parts:
        item_id = part.text("id")
        if item_id is None:
            added.append(Wanted(None, _price(bank, part), part.count("quantity")))
            continue
        if item_id not in known:
            raise no_such("subscription_item", item_id, part.name("id"), 400)
        before = known[item_id]
        price = _price(bank, part) if part.text("price") else before.price
        gone = part.flag("deleted")
        known[item_id] = Wanted(item_id, price, 0 if gone else part.count("quantity", before.quantity, least=0))
    found = [*known.values(), *added]
    if not any(one.quantity for one in found):
        raise StripeError("A subscription must have at least one active price.", param="items")
    return found


def cancel(call: Call) -> Thing:
    form, bank = call.form, call.bank
    subscription = bank.get("subscription", call.id)
    if subscription["status"] in OVER:
        raise no_such("subscription", call.id)
    if form.flag("prorate"):
        changes.credit_rest(bank, subscription)
    if form.flag("invoice_now") and subscription["_pending"]:
        span = period(subscription)
        collection.collect(bank, cycle.bill(bank, subscription, [], "subscription_update", span))
    return collection.end(bank, bank.get("subscription", subscription["id"]))


def read(call: Call) -> Thing:
    return call.bank.get("subscription", call.id)


def list_all(call: Call) -> Thing:
    """Without a status: all that are not canceled."""
    status, price = call.form.text("status"), call.form.text("price")
    where: list[Condition] = []
    if status is None:
        where.append(("status", "<>", "canceled"))
    elif status == "ended":
        where.append(("status", "IN", list(OVER)))
    elif status != "all":
        where.append(("status", "=", status))
    if price:
        where.append(("items.data[0].price.id", "=", price))
    return page(call, "subscription", "customer", "test_clock", where=tuple(where))


def list_items(call: Call) -> Thing:
    subscription = call.bank.get("subscription", call.form.need("subscription"), "subscription")
    return listed("/v1/subscription_items", subscription["items"]["data"])


OPERATIONS = [
    Operation("POST", "/v1/subscriptions", create, TAKES),
    Operation("GET", "/v1/subscriptions", list_all),
    Operation("GET", "/v1/subscriptions/{id}", read),
    Operation("POST", "/v1/subscriptions/{id}", update),
    Operation("DELETE", "/v1/subscriptions/{id}", cancel),
    Operation("GET", "/v1/subscription_items", list_items),
]
