"""The bank's 3-D Secure page."""

from starlette.responses import RedirectResponse, Response

from genvid.sandbox.stripe import session_outcomes
from genvid.sandbox.stripe.invoice_lines import amount_text
from genvid.sandbox.stripe.pages import html
from genvid.sandbox.stripe.pages.checkout_page import success_url
from genvid.sandbox.stripe.stripe_core import StripeCore

Given = dict[str, str]


def show(core: StripeCore, intent_id: str, given: Given) -> Response:
    intent = core.get("payment_intent", intent_id)
    if intent["status"] != "requires_action":
        return html.notice("Nothing to confirm", "This payment does not wait for you any more.")
    method = core.get("payment_method", intent["payment_method"])
    amount, here = html.text(amount_text(intent["amount"], intent["currency"])), f"/pay/secure/{intent_id}"
    body = (
        '<main class="card notice"><h1>3-D Secure</h1>'
        f"<p>Your bank asks you to confirm a payment of <b>{amount}</b> to <b>genvid sandbox</b> with the card ending "
        f"in <b>{html.text(method['card']['last4'])}</b>.</p>"
        f"{html.form(here + '/complete', html.button('Complete', look='pay'))}"
        f"{html.form(here + '/fail', html.button('Fail', look='plain'))}</main>"
    )
    return html.page("3-D Secure", body)


def answer(core: StripeCore, intent_id: str, action: str, given: Given) -> Response:
    intent = core.get("payment_intent", intent_id)
    if action not in ("complete", "fail") or intent["status"] != "requires_action":
        return RedirectResponse(f"/pay/secure/{intent_id}", 303)
    return_url = intent["next_action"]["redirect_to_url"]["return_url"]
    session = session_outcomes.authenticate(core, intent, passes=action == "complete")
    if session is None:
        return _without_session(core, intent_id, return_url)
    if session["status"] == "complete":
        return RedirectResponse(success_url(session), 303)
    return RedirectResponse(f"/pay/{session['id']}", 303)


def _without_session(core: StripeCore, intent_id: str, return_url: str | None) -> Response:
    intent = core.get("payment_intent", intent_id)
    if return_url:
        mark = "&" if "?" in return_url else "?"
        query = f"payment_intent={intent_id}&payment_intent_client_secret={intent['client_secret']}"
        return RedirectResponse(f"{return_url}{mark}{query}", 303)
    return html.notice("Thank you", f"The payment's status is {intent['status']}. You may close this page.")
