import re
from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.stripe_merchant import CANCEL, Merchant

FORM = {"email": "b@example.com", "number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Bo"}


def thanks(session_id: str) -> str:
    return f"http://shop.test/thanks?session={session_id}"


def submit(merchant: Merchant, url: str, **changes: str) -> httpx.Response:
    return merchant.http.post(url, data={**FORM, **changes})


def error_on(answer: httpx.Response) -> str:
    return re.findall(r'role="alert">([^<]*)<', answer.text)[0].replace("&#x27;", "'")


def test_the_page_shows_what_is_bought_and_what_it_costs(merchant: Merchant) -> None:
    page = merchant.http.get(merchant.session().url)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for words in ("Credits", "$12.00", "Pay $12.00", "No real money moves", "4000 0000 0000 0002", f'href="{CANCEL}"'):
        assert words in page.text


def test_a_filled_in_form_pays_and_redirects_to_the_success_url(merchant: Merchant) -> None:
    session = merchant.session()

    answer = submit(merchant, session.url)

    assert (answer.status_code, answer.headers["location"]) == (303, thanks(session.id))
    assert merchant.api.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"number": "4000000000000002"}, 402, "Your card was declined."),
        ({"number": "4000000000009995"}, 402, "Your card has insufficient funds."),
        ({"number": "4242"}, 400, "Your card number is incomplete."),
        ({"number": "4242424242424241"}, 400, "Your card number is incorrect."),
        ({"expiry": "13/34"}, 400, "Your card's expiration date is incomplete."),
        ({"expiry": "01/20"}, 400, "Your card's expiration date is in the past."),
        ({"cvc": ""}, 400, "Your card's security code is incomplete."),
        ({"email": "nobody"}, 400, "Your email is incomplete."),
    ],
)
def test_the_pay_page_shows_what_is_wrong_in_the_form(
    changes: dict[str, str], status: int, message: str, merchant: Merchant
) -> None:
    session = merchant.session(customer=None)

    answer = submit(merchant, session.url, **changes)

    assert (answer.status_code, error_on(answer)) == (status, message)
    assert merchant.api.checkout.sessions.retrieve(session.id).status == "open"


def test_completed_3d_secure_redirects_to_the_success_url(merchant: Merchant) -> None:
    session = merchant.session()
    bank = submit(merchant, session.url, number="4000000000003220").headers["location"]
    assert "$12.00" in merchant.http.get(bank).text

    answer = merchant.http.post(bank + "/complete")

    assert (answer.status_code, answer.headers["location"]) == (303, thanks(session.id))


def test_failed_3d_secure_redirects_to_the_pay_page(merchant: Merchant) -> None:
    session = merchant.session()
    bank = submit(merchant, session.url, number="4000000000003220").headers["location"]

    answer = merchant.http.post(bank + "/fail")

    assert answer.headers["location"] == f"/pay/{session.id}"
    assert error_on(merchant.http.get(session.url)).startswith("We are unable to authenticate your payment method.")
    assert "does not wait for you" in merchant.http.get(bank).text


def test_a_bank_account_is_chosen_by_its_tab(merchant: Merchant) -> None:
    session = merchant.session()

    answer = submit(merchant, session.url, method="bank", number="", expiry="", cvc="")

    assert answer.headers["location"] == thanks(session.id)
    assert merchant.api.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_a_promotion_code_is_applied_and_removed_on_the_pay_page(merchant: Merchant) -> None:
    coupon = merchant.api.coupons.create({"percent_off": 25, "duration": "once"}).id
    merchant.api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": "WELCOME"})
    session = merchant.session(allow_promotion_codes=True)

    refused = merchant.http.post(session.url + "/code", data={"code": "nope"})
    assert (refused.status_code, error_on(refused)) == (400, "This code is invalid.")
    assert merchant.http.post(session.url + "/code", data={"code": "welcome"}).status_code == 303
    assert "Pay $9.00" in merchant.http.get(session.url).text
    merchant.http.post(session.url + "/remove-code")

    assert "Pay $12.00" in merchant.http.get(session.url).text


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, ("Subscribe", "per month")),
        ({"subscription_data": {"trial_period_days": 7}}, ("Start trial", "7 days free")),
    ],
)
def test_the_pay_page_of_a_subscription_shows_its_terms(
    params: dict[str, object], words: tuple[str, ...], merchant: Merchant
) -> None:
    page = merchant.http.get(merchant.session(merchant.basic, mode="subscription", **params).url).text

    assert [word for word in (*words, "$20.00") if word not in page] == []


def test_the_page_of_a_paid_session_says_that_it_is_paid(merchant: Merchant) -> None:
    session = merchant.buy()

    page = merchant.http.get(f"/pay/{session['id']}")

    assert (page.status_code, "completed already" in page.text) == (200, True)
    assert thanks(session["id"]) in page.text
    assert submit(merchant, f"/pay/{session['id']}").headers["location"] == f"/pay/{session['id']}"
    assert merchant.actions.records()["counts"]["charge"] == 1


def test_the_page_of_an_expired_session_says_that_it_has_expired(merchant: Merchant) -> None:
    session = merchant.session()
    merchant.actions.expire(session.id)

    page = merchant.http.get(session.url)

    assert (page.status_code, "has expired" in page.text, CANCEL in page.text) == (410, True, True)


@pytest.mark.parametrize(
    "path", ["cs_test_none", "secure/pi_none", "portal/bps_none", "invoices/in_none", "receipts/x"]
)
def test_a_missing_object_has_a_404_page(path: str, merchant: Merchant) -> None:
    page = merchant.http.get(f"/pay/{path}")

    assert (page.status_code, "could not be found" in page.text) == (404, True)


def test_names_are_escaped_on_the_pay_page(merchant: Merchant) -> None:
    data = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "<script>alert(1)</script>"}}
    session = merchant.session(line_items=[{"price_data": data, "quantity": 1}], cancel_url='http://x.test/"onclick="x')

    page = merchant.http.get(session.url)

    assert "<script>alert" not in page.text
    assert '"onclick="' not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_pages_load_nothing_from_other_hosts(merchant: Merchant) -> None:
    page = merchant.http.get(merchant.session().url).text

    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page)
    assert loaded == ["/pay/static/style.css", "/pay/static/pay.js"]
    assert [merchant.http.get(one).status_code for one in loaded] == [200, 200]


def test_an_invoice_has_a_page_and_a_pdf(merchant: Merchant) -> None:
    invoice = merchant.latest_invoice(merchant.subscribe())

    page, pdf = merchant.http.get(invoice.hosted_invoice_url), merchant.http.get(invoice.invoice_pdf)

    assert [word for word in ("$20.00", "Paid", invoice.number) if word not in page.text] == []
    assert (pdf.headers["content-type"], pdf.content[:8], pdf.content[-6:]) == (
        "application/pdf",
        b"%PDF-1.4",
        b"%%EOF\n",
    )
    start = int(re.findall(rb"startxref\n(\d+)", pdf.content)[0])
    assert pdf.content[start : start + 4] == b"xref"
    offsets = [int(one) for one in re.findall(rb"(\d{10}) 00000 n", pdf.content)]
    assert [pdf.content[one : one + 7] for one in offsets] == [b"%d 0 obj" % number for number in range(1, 6)]
    assert f"({invoice.number} - Paid - test mode)".encode() in pdf.content


def test_an_open_invoice_is_paid_on_its_page(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    invoice = merchant.actions.renew(subscription, succeeds=False)
    page = invoice["hosted_invoice_url"]

    refused = submit(merchant, page + "/pay", number="4000000000000002")
    paid = submit(merchant, page + "/pay")

    assert (refused.status_code, error_on(refused)) == (402, "Your card was declined.")
    assert (paid.status_code, merchant.api.invoices.retrieve(invoice["id"]).status) == (303, "paid")
    assert merchant.subscription(subscription).status == "active"


def test_a_charge_has_a_receipt(merchant: Merchant) -> None:
    charge = merchant.charge()
    merchant.actions.refund(charge.id, 200)

    page = merchant.http.get(charge.receipt_url).text

    assert [word for word in ("$12.00", "ending in 4242", "$2.00") if word not in page] == []


@pytest.mark.parametrize(
    ("form", "offered"),
    [
        ({}, ["card", "bank"]),
        ({"payment_method_types": ["card"]}, []),
        ({"payment_method_types": ["us_bank_account"]}, ["bank"]),
        ({"payment_intent_data": {"capture_method": "manual"}}, []),
    ],
)
def test_the_pay_page_offers_the_sessions_payment_methods(
    form: dict[str, Any], offered: list[str], merchant: Merchant
) -> None:
    page = merchant.http.get(merchant.session(**form).url).text

    assert re.findall(r'name="method" value="(\w+)"', page) == offered
