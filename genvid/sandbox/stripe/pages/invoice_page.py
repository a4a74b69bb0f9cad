"""Hosted invoices, their PDFs, and receipts."""

from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from genvid.sandbox.stripe import invoice_collection, invoice_lifecycle, payment_method_resource
from genvid.sandbox.stripe.invoice_lines import amount_text
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.pages import card_form, html
from genvid.sandbox.stripe.pages.html import text
from genvid.sandbox.stripe.pages.pdf import pdf as pdf_of
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.stripe_core import StripeCore

Given = dict[str, str]
SHOWN = {"open": "Open", "paid": "Paid", "void": "Void", "draft": "Draft", "uncollectible": "Uncollectible"}


def show(core: StripeCore, invoice_id: str, given: Given) -> Response:
    return _page(core.get("invoice", invoice_id), card_form.prefilled(given), None)


def _page(invoice: Json, given: Given, error: str | None, status: int = 200) -> Response:
    entries = "".join(_entry(line) for line in invoice["lines"]["data"])
    here = f"/pay/invoices/{invoice['id']}"
    head = html.rows([("Invoice", invoice["number"]), ("Date", date_text(invoice["created"])), ("To", _buyer(invoice))])
    body = (
        f'<main class="card"><h1>{text(_money(invoice, invoice["amount_due"]))}'
        f'<span class="badge {text(invoice["status"])}">{text(SHOWN[invoice["status"]])}</span></h1>{head}'
        f'<ul class="items">{entries}</ul>{html.rows(_sums(invoice))}'
        f'<p><a class="button" href="{here}/pdf">Download PDF</a></p>{_payment(invoice, given, error, here)}</main>'
    )
    return html.page(f"Invoice {invoice['number']}", body, status=status)


def _payment(invoice: Json, given: Given, error: str | None, here: str) -> str:
    if invoice["status"] != "open":
        return ""
    action = html.button(f"Pay {_money(invoice, invoice['amount_remaining'])}", look="pay")
    return html.form(here + "/pay", html.error_box(error), html.card_fields(given), action) + html.test_cards(here)


def pay(core: StripeCore, invoice_id: str, action: str, given: Given) -> Response:
    invoice, here = core.get("invoice", invoice_id), f"/pay/invoices/{invoice_id}"
    if action != "pay" or invoice["status"] != "open":
        return RedirectResponse(here, 303)
    wrong = card_form.form_error(given)
    if wrong:
        return _page(invoice, given, wrong, 400)
    method = payment_method_resource.create_card(core, given["number"])
    invoice_collection.collect_invoice(core, invoice, tried=Attempt(method))
    intent = invoice_lifecycle.intent_of(core, invoice)
    if intent["last_payment_error"]:
        return _page(invoice, given, intent["last_payment_error"]["message"], 402)
    return RedirectResponse(f"/pay/secure/{intent['id']}" if intent["status"] == "requires_action" else here, 303)


def _buyer(invoice: Json) -> str:
    return str(invoice["customer_name"] or invoice["customer_email"] or invoice["customer"])


def _entry(line: Json) -> str:
    period = line["period"]
    span = date_text(period["start"]) + (f" to {date_text(period['end'])}" if period["end"] != period["start"] else "")
    amount = amount_text(line["amount"], line["currency"])
    return html.entry(line["description"], span, amount)


def _money(invoice: Json, cents: int) -> str:
    return amount_text(cents, invoice["currency"])


def _sums(invoice: Json) -> list[tuple[str, str]]:
    off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    used = (invoice["starting_balance"] or 0) - (invoice["ending_balance"] or 0)
    found = [("Subtotal", invoice["subtotal"])]
    found += [("Discount", -off)] if off else []
    found += [("Total", invoice["total"])]
    found += [("Balance used", used)] if used else []
    found += [("Amount due", invoice["amount_due"]), ("Amount paid", invoice["amount_paid"])]
    return [(name, _money(invoice, cents)) for name, cents in found]


def date_text(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%B %d, %Y").replace(" 0", " ")


def pdf(core: StripeCore, invoice_id: str, given: Given) -> Response:
    invoice = core.get("invoice", invoice_id)
    written = [(50, 70, 22, "Invoice"), (50, 100, 10, f"{invoice['number']} - {SHOWN[invoice['status']]} - test mode")]
    written += [(50, 118, 10, f"Date {date_text(invoice['created'])}"), (50, 136, 10, f"To {_buyer(invoice)}")]
    y = 180
    for line in invoice["lines"]["data"]:
        written += [(50, y, 10, line["description"]), (-50, y, 10, amount_text(line["amount"], line["currency"]))]
        y += 18
    for name, amount in _sums(invoice):
        y += 18
        written += [(330, y, 10, name), (-50, y, 10, amount)]
    name = f'attachment; filename="Invoice-{invoice["number"]}.pdf"'
    return Response(pdf_of(written), media_type="application/pdf", headers={"Content-Disposition": name})


def receipt(core: StripeCore, charge_id: str, given: Given) -> Response:
    charge = core.get("charge", charge_id)
    details = charge["payment_method_details"]
    last4 = details[details["type"]]["last4"]
    amount, back = (amount_text(charge[name], charge["currency"]) for name in ("amount", "amount_refunded"))
    pairs = [("Paid", date_text(charge["created"])), ("Amount", amount), ("Payment method", f"ending in {last4}")]
    pairs += [("Refunded", back)] if charge["amount_refunded"] else []
    body = f'<main class="card"><h1>Receipt from genvid sandbox</h1>{html.rows(pairs)}</main>'
    return html.page("Receipt", body)
