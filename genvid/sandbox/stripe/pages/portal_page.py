"""The customer portal: plan, payment method, invoices."""

from starlette.responses import RedirectResponse, Response

from genvid.sandbox.stripe import (
    cards,
    invoice_collection,
    subscription_resource,
)
from genvid.sandbox.stripe.billing_cycle import UPDATED
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.invoice_lines import amount_text, price_text, product_name
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.pages import card_form, html
from genvid.sandbox.stripe.pages.html import text
from genvid.sandbox.stripe.pages.invoice_page import SHOWN, date_text
from genvid.sandbox.stripe.payment_method_resource import attach_payment_method, card_on_file, create_card
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError
from genvid.sandbox.stripe.subscription_changes import ItemChange, change_items

Given = dict[str, str]
NOT_ALLOWED = "This is not possible in this portal."


class Visit:
    def __init__(self, core: StripeCore, session_id: str) -> None:
        self.core = core
        self.session = core.get("billing_portal.session", session_id)
        self.customer = core.get_existing("customer", self.session["customer"])
        configuration = core.get("billing_portal.configuration", self.session["configuration"])
        self.features: Json = configuration["features"]
        self.headline = configuration["business_profile"]["headline"]
        self.here = f"/pay/portal/{session_id}"

    @property
    def subscriptions(self) -> list[Json]:
        found = self.core.objects.all("subscription", customer=self.customer["id"])
        return [one for one in found if one["status"] not in (*subscription_resource.ENDED, "incomplete")]

    def subscription(self, wanted: str) -> Json:
        for one in self.subscriptions:
            if one["id"] == wanted:
                return one
        raise StripeError(NOT_ALLOWED, status=403)

    @property
    def prices(self) -> list[Json]:
        ids = [price for product in self.features["subscription_update"]["products"] for price in product["prices"]]
        return [price for one in ids if (price := self.core.get("price", one))["active"]]

    def must_allow(self, feature: str) -> None:
        if not self.features[feature]["enabled"]:
            raise StripeError(NOT_ALLOWED, status=403)


def show(core: StripeCore, session_id: str, given: Given) -> Response:
    return _page(Visit(core, session_id), card_form.prefilled(given), None)


def perform(core: StripeCore, session_id: str, action: str, given: Given) -> Response:
    visit = Visit(core, session_id)
    if action not in ACTIONS:
        raise StripeError(NOT_ALLOWED, status=404)
    wrong = ACTIONS[action](visit, given)
    return RedirectResponse(visit.here, 303) if wrong is None else _page(visit, given, wrong, 402)


def _cancel(visit: Visit, given: Given) -> str | None:
    visit.must_allow("subscription_cancel")
    subscription = visit.subscription(given.get("subscription", ""))
    if visit.features["subscription_cancel"]["mode"] == "immediately":
        invoice_collection.end_subscription(visit.core, subscription)
    else:
        fields = subscription_resource.cancellation(visit.core, subscription, True)
        visit.core.change(subscription, UPDATED, **fields)
    return None


def _resume(visit: Visit, given: Given) -> str | None:
    visit.must_allow("subscription_cancel")
    subscription = visit.subscription(given.get("subscription", ""))
    visit.core.change(subscription, UPDATED, **subscription_resource.cancellation(visit.core, subscription, False))
    return None


def _switch(visit: Visit, given: Given) -> str | None:
    visit.must_allow("subscription_update")
    subscription = visit.subscription(given.get("subscription", ""))
    price = next((one for one in visit.prices if one["id"] == given.get("price")), None)
    if price is None:
        raise StripeError(NOT_ALLOWED, status=403)
    item = subscription["items"]["data"][0]
    behavior = visit.features["subscription_update"]["proration_behavior"]
    change_items(
        visit.core, subscription, [ItemChange(item["id"], price, item["quantity"], item["metadata"])], behavior
    )
    return None


def _card(visit: Visit, given: Given) -> str | None:
    visit.must_allow("payment_method_update")
    wrong = card_form.form_error(given) or cards.card_saving_error(given["number"])
    if wrong:
        return wrong
    core, customer = visit.core, visit.customer
    method = attach_payment_method(core, create_card(core, given["number"])["id"], customer["id"])
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    core.change(customer, "customer.updated", invoice_settings=settings)
    for subscription in visit.subscriptions:
        core.change(subscription, UPDATED, default_payment_method=method["id"])
    return None


ACTIONS = {"cancel": _cancel, "resume": _resume, "switch": _switch, "card": _card}


def _page(visit: Visit, given: Given, error: str | None, status: int = 200) -> Response:
    back = visit.session["return_url"]
    link = f'<a class="back" href="{html.url(back)}">&larr; Return to genvid</a>' if back else ""
    who = visit.customer["email"] or visit.customer["name"] or visit.customer["id"]
    headline = f"<p>{text(visit.headline)}</p>" if visit.headline else ""
    plans = "".join(_plan(visit, one) for one in visit.subscriptions) or "<p>You have no subscription.</p>"
    body = (
        f'<main class="portal"><section class="summary">{link}<h1>Your billing</h1>{headline}<p>{text(who)}</p>'
        f'</section><section class="form"><h2>Current plan</h2>{plans}'
        f"{_method(visit, given, error)}{_history(visit)}</section></main>"
    )
    return html.page("Your billing", body, kind="pay", status=status)


def _plan(visit: Visit, subscription: Json) -> str:
    item = subscription["items"]["data"][0]
    price, end = item["price"], date_text(period(subscription)[1])
    title = f"<h3>{text(product_name(visit.core, price))}</h3>"
    amount = f'<p class="price">{text(_price_per_interval(price))}</p>'
    when = f"Your plan ends on {end}." if subscription["cancel_at_period_end"] else f"Your plan renews on {end}."
    note = f"<p>{text(_status_note(subscription, when))}</p>"
    return f'<article class="plan">{title}{amount}{note}{_plan_actions(visit, subscription)}</article>'


def _status_note(subscription: Json, when: str) -> str:
    if subscription["status"] == "trialing":
        return f"Trial. {when}"
    return f"Your last payment failed. {when}" if subscription["status"] == "past_due" else when


def _price_per_interval(price: Json) -> str:
    return f"{price_text(price)} per {price['recurring']['interval']}"


def _plan_actions(visit: Visit, subscription: Json) -> str:
    own = f'<input type="hidden" name="subscription" value="{text(subscription["id"])}">'
    found = ""
    if visit.features["subscription_update"]["enabled"]:
        found += _switcher(visit, subscription, own)
    if visit.features["subscription_cancel"]["enabled"]:
        ending = subscription["cancel_at_period_end"]
        action, words = ("resume", "Don't cancel plan") if ending else ("cancel", "Cancel plan")
        found += html.form(f"{visit.here}/{action}", own, html.button(words, look="plain"))
    return found


def _switcher(visit: Visit, subscription: Json, own: str) -> str:
    current = subscription["items"]["data"][0]["price"]["id"]
    offers = [price for price in visit.prices if price["id"] != current]
    choices = "".join(
        f'<label class="choice"><input type="radio" name="price" value="{text(price["id"])}" required>'
        f"<span>{text(product_name(visit.core, price))}</span><b>{text(_price_per_interval(price))}</b></label>"
        for price in offers
    )
    form = html.form(f"{visit.here}/switch", own, choices, html.button("Switch plan", look="pay"))
    return f"<details><summary>Update plan</summary>{form}</details>" if offers else ""


def _method(visit: Visit, given: Given, error: str | None) -> str:
    chosen = card_on_file(visit.core, visit.customer)
    chosen = chosen or next((one["default_payment_method"] for one in visit.subscriptions), None)
    method = visit.core.get("payment_method", chosen) if chosen else None
    description = "None on file" if method is None else f"{method['type'].replace('_', ' ')} ending in {_last4(method)}"
    form = html.form(
        visit.here + "/card",
        html.error_box(error),
        html.card_fields(given),
        html.button("Update", look="pay"),
    )
    opened = " open" if error or given else ""
    update = f"<details{opened}><summary>Update payment method</summary>{form}{html.test_cards(visit.here)}</details>"
    allowed = visit.features["payment_method_update"]["enabled"]
    return f"<h2>Payment method</h2><p>{text(description.capitalize())}</p>{update if allowed else ''}"


def _last4(method: Json) -> str:
    return str(method[method["type"]]["last4"])


def _history(visit: Visit) -> str:
    if not visit.features["invoice_history"]["enabled"]:
        return ""
    found = reversed(visit.core.objects.all("invoice", customer=visit.customer["id"]))
    entries = "".join(
        f'<li><a href="/pay/invoices/{text(one["id"])}">{text(date_text(one["created"]))}</a>'
        f"<span>{text(amount_text(one['total'], one['currency']))}</span>"
        f'<span class="badge {text(one["status"])}">{text(SHOWN[one["status"]])}</span>'
        f'<a href="/pay/invoices/{text(one["id"])}/pdf">PDF</a></li>'
        for one in found
    )
    return f'<h2>Invoice history</h2><ul class="invoices">{entries or "<li>No invoices yet.</li>"}</ul>'
