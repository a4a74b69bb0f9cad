"""The pay page of a Checkout Session."""

from starlette.responses import RedirectResponse, Response

from genvid.sandbox.stripe import session_items, session_payment
from genvid.sandbox.stripe.invoice_lines import amount_text
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.pages import card_form, html
from genvid.sandbox.stripe.pages.html import text
from genvid.sandbox.stripe.session_payment import Payment
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError

Given = dict[str, str]
KIND = "checkout.session"


def show(core: StripeCore, session_id: str, given: Given) -> Response:
    session = core.get(KIND, session_id)
    if session["status"] == "open":
        return _page(core, session, card_form.prefilled(given), session.get("_last_error"))
    if session["status"] == "complete":
        return html.notice("You're all done here", "This payment has been completed already.", _continue_link(session))
    words = "This Checkout Session has expired. Please go back and start again."
    back = (session["cancel_url"], "Go back") if session["cancel_url"] else None
    return html.notice("This page has expired", words, back, status=410)


def _continue_link(session: Json) -> tuple[str, str] | None:
    return (success_url(session), "Continue") if session["success_url"] else None


def success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def pay(core: StripeCore, session_id: str, action: str, given: Given) -> Response:
    session = core.get(KIND, session_id)
    if session["status"] != "open":
        return RedirectResponse(f"/pay/{session_id}", 303)
    method = given.get("method", "card")
    wrong = _email_error(session, given) or (card_form.form_error(given) if method == "card" else None)
    if wrong:
        return _page(core, session, given, wrong, status=400)
    number, email, name = given.get("number", ""), given.get("email") or None, given.get("name") or None
    session_payment.submit_payment(core, session, Payment(number, method, email, name))
    return respond_to_payment(core, session_id, given)


def respond_to_payment(core: StripeCore, session_id: str, given: Given) -> Response:
    session = core.get(KIND, session_id)
    if session["status"] == "complete":
        return RedirectResponse(success_url(session), 303)
    if session.get("_last_error"):
        return _page(core, session, given, session["_last_error"], status=402)
    intent = session_payment.intent_of(core, session) or {"id": ""}
    return RedirectResponse(f"/pay/secure/{intent['id']}", 303)


def _email_error(session: Json, given: Given) -> str | None:
    known = session["customer"] or session["customer_email"]
    return None if known or "@" in given.get("email", "") else "Your email is incomplete."


def change_promotion_code(core: StripeCore, session_id: str, action: str, given: Given) -> Response:
    session = core.get(KIND, session_id)
    if action == "remove-code":
        session_payment.remove_promotion_code(core, session)
        return RedirectResponse(f"/pay/{session_id}", 303)
    if action != "code":
        return html.notice("Something went wrong", "There is no such page.", status=404)
    try:
        session_payment.apply_promotion_code(core, session, given.get("code", ""))
    except StripeError as refusal:
        return _page(core, session, given, None, code_error=refusal.message, status=400)
    return RedirectResponse(f"/pay/{session_id}", 303)


def _page(
    core: StripeCore,
    session: Json,
    given: Given,
    error: str | None,
    *,
    code_error: str | None = None,
    status: int = 200,
) -> Response:
    body = f'<main class="columns">{_summary(session, code_error)}{_form(core, session, given, error)}</main>'
    return html.page(_title(session), body, kind="pay", status=status)


def _title(session: Json) -> str:
    if session["mode"] == "setup":
        return "Save your payment details"
    name = session["_line_items"][0]["description"]
    return f"Subscribe to {name}" if session["mode"] == "subscription" else "Pay genvid sandbox"


def _summary(session: Json, code_error: str | None) -> str:
    back = session["cancel_url"]
    link = f'<a class="back" href="{html.url(back)}">&larr; Back</a>' if back else ""
    if session["mode"] == "setup":
        return f'<section class="summary">{link}<h1>{text(_title(session))}</h1></section>'
    entries = "".join(_entry(item) for item in session["_line_items"])
    total = html.rows([("Total due today", _money(session, session["amount_total"]))], "total")
    return (
        f'<section class="summary">{link}<h1>{text(_title(session))}</h1>{_price(session)}'
        f'<ul class="items">{entries}</ul>{html.rows([("Subtotal", _money(session, session["amount_subtotal"]))])}'
        f"{_promotion(session, code_error)}{total}</section>"
    )


def _money(session: Json, cents: int) -> str:
    return amount_text(cents, session["currency"])


def _price(session: Json) -> str:
    each = sum(item["amount_total"] for item in session["_line_items"])
    recurring = next(
        (item["price"]["recurring"] for item in session["_line_items"] if item["price"]["recurring"]), None
    )
    interval = f"<small>per {text(recurring['interval'])}</small>" if recurring else ""
    days = session["_subscription_data"].get("trial_period_days")
    if days:
        then = (
            f'<p class="then">Then {text(_money(session, each))} per {text((recurring or {}).get("interval", ""))}</p>'
        )
        return f'<p class="price">{text(days)} days free</p>{then}'
    return f'<p class="price">{text(_money(session, each))} {interval}</p>'


def _entry(item: Json) -> str:
    recurring = item["price"]["recurring"]
    note = f"Billed per {recurring['interval']}" if recurring else f"Qty {item['quantity']}"
    amount = amount_text(item["amount_subtotal"], item["currency"])
    return html.entry(item["description"], note, amount)


def _promotion(session: Json, error: str | None) -> str:
    off = session["total_details"]["amount_discount"]
    here = f"/pay/{session['id']}"
    if session["discounts"]:
        amount = html.rows([("Discount", _money(session, -off))])
        removable = session["allow_promotion_codes"]
        return amount + (html.form(f"{here}/remove-code", html.button("Remove code", look="link")) if removable else "")
    if not session["allow_promotion_codes"]:
        return ""
    word = html.field("Promotion code", "code", placeholder="Add promotion code", autocomplete="off")
    return html.form(f"{here}/code", word, html.button("Apply", look="small"), html.error_box(error), look="code")


def _form(core: StripeCore, session: Json, given: Given, error: str | None) -> str:
    here = f"/pay/{session['id']}"
    fields = (html.error_box(error), _email(core, session, given), _methods(session, given))
    return (
        f'<section class="form"><h2>Contact and payment</h2>'
        f"{html.form(here, *fields, html.button(_button_label(session), look='pay'))}{html.test_cards(here)}</section>"
    )


def _email(core: StripeCore, session: Json, given: Given) -> str:
    customer = core.get("customer", session["customer"]) if session["customer"] else {}
    known = customer.get("email") or session["customer_email"]
    if known:
        return f'<p class="known"><span>Email</span> {text(known)}</p>'
    return html.field("Email", "email", given.get("email", ""), type="email", placeholder="email@example.com")


def _methods(session: Json, given: Given) -> str:
    offered = session_payment.offered(session)
    card = f'<div class="panel card-panel">{html.card_fields(given)}</div>' if "card" in offered else ""
    if "us_bank_account" not in offered:
        return card
    chosen = given.get("method", "card" if card else "bank")
    tabs = "".join(
        f'<input type="radio" name="method" value="{kind}" id="method-{kind}"{" checked" if chosen == kind else ""}>'
        f'<label class="tab" for="method-{kind}">{words}</label>'
        for kind, words in (("card", "Card"), ("bank", "US bank account"))
        if card or kind == "bank"
    )
    bank_panel = (
        '<div class="panel bank-panel"><p><b>STRIPE TEST BANK</b> account ending in 6789. The debit takes days to '
        "settle: the payment stays processing until it is told how it went.</p></div>"
    )
    return f'<div class="tabs">{tabs}{card}{bank_panel}</div>'


def _button_label(session: Json) -> str:
    if session["mode"] == "setup":
        return "Save card"
    if session["mode"] == "subscription":
        return "Start trial" if session_items.is_trial(session) else "Subscribe"
    return f"Pay {_money(session, session['amount_total'])}"
