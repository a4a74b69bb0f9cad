import re
from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.stripe_shop import CANCEL, Shop

FORM = {"email": "b@example.com", "number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Bo"}


def thanks(session_id: str) -> str:
    return f"http://shop.test/thanks?session={session_id}"


def submit(shop: Shop, url: str, **changes: str) -> httpx.Response:
    return shop.http.post(url, data={**FORM, **changes})


def error_on(answer: httpx.Response) -> str:
    return re.findall(r'role="alert">([^<]*)<', answer.text)[0].replace("&#x27;", "'")


def test_the_page_shows_what_is_bought_and_what_it_costs(shop: Shop) -> None:
    page = shop.http.get(shop.session().url)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for words in ("Credits", "$12.00", "Pay $12.00", "No real money moves", "4000 0000 0000 0002", f'href="{CANCEL}"'):
        assert words in page.text


def test_a_filled_in_form_pays_and_leads_back_to_the_shop(shop: Shop) -> None:
    session = shop.session()

    answer = submit(shop, session.url)

    assert (answer.status_code, answer.headers["location"]) == (303, thanks(session.id))
    assert shop.api.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize(
    ("changes", "status", "told"),
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
def test_what_is_wrong_is_told_in_the_form(changes: dict[str, str], status: int, told: str, shop: Shop) -> None:
    session = shop.session(customer=None)

    answer = submit(shop, session.url, **changes)

    assert (answer.status_code, error_on(answer)) == (status, told)
    assert shop.api.checkout.sessions.retrieve(session.id).status == "open"


def test_3d_secure_completed_leads_back_to_the_shop(shop: Shop) -> None:
    session = shop.session()
    bank = submit(shop, session.url, number="4000000000003220").headers["location"]
    assert "$12.00" in shop.http.get(bank).text

    answer = shop.http.post(bank + "/complete")

    assert (answer.status_code, answer.headers["location"]) == (303, thanks(session.id))


def test_3d_secure_failed_leads_back_to_the_form(shop: Shop) -> None:
    session = shop.session()
    bank = submit(shop, session.url, number="4000000000003220").headers["location"]

    answer = shop.http.post(bank + "/fail")

    assert answer.headers["location"] == f"/pay/{session.id}"
    assert error_on(shop.http.get(session.url)).startswith("We are unable to authenticate your payment method.")
    assert "does not wait for you" in shop.http.get(bank).text


def test_a_bank_account_is_chosen_by_its_tab(shop: Shop) -> None:
    session = shop.session()

    answer = submit(shop, session.url, method="bank", number="", expiry="", cvc="")

    assert answer.headers["location"] == thanks(session.id)
    assert shop.api.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_a_code_is_put_in_and_taken_out(shop: Shop) -> None:
    coupon = shop.api.coupons.create({"percent_off": 25, "duration": "once"}).id
    shop.api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": "WELCOME"})
    session = shop.session(allow_promotion_codes=True)

    refused = shop.http.post(session.url + "/code", data={"code": "nope"})
    assert (refused.status_code, error_on(refused)) == (400, "This code is invalid.")
    assert shop.http.post(session.url + "/code", data={"code": "welcome"}).status_code == 303
    assert "Pay $9.00" in shop.http.get(session.url).text
    shop.http.post(session.url + "/remove-code")

    assert "Pay $12.00" in shop.http.get(session.url).text


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, ("Subscribe", "per month")),
        ({"subscription_data": {"trial_period_days": 7}}, ("Start trial", "7 days free")),
    ],
)
def test_a_subscription_says_what_it_is(params: dict[str, object], words: tuple[str, ...], shop: Shop) -> None:
    page = shop.http.get(shop.session(shop.basic, mode="subscription", **params).url).text

    assert [word for word in (*words, "$20.00") if word not in page] == []


def test_a_paid_session_has_a_page_that_says_so(shop: Shop) -> None:
    session = shop.buy()

    page = shop.http.get(f"/pay/{session['id']}")

    assert (page.status_code, "completed already" in page.text) == (200, True)
    assert thanks(session["id"]) in page.text
    assert submit(shop, f"/pay/{session['id']}").headers["location"] == f"/pay/{session['id']}"
    assert shop.pull.books()["counts"]["charge"] == 1


def test_an_expired_session_has_a_page_that_says_so(shop: Shop) -> None:
    session = shop.session()
    shop.pull.expire(session.id)

    page = shop.http.get(session.url)

    assert (page.status_code, "has expired" in page.text, CANCEL in page.text) == (410, True, True)


@pytest.mark.parametrize(
    "path", ["cs_test_none", "secure/pi_none", "portal/bps_none", "invoices/in_none", "receipts/x"]
)
def test_what_does_not_exist_has_a_page_that_says_so(path: str, shop: Shop) -> None:
    page = shop.http.get(f"/pay/{path}")

    assert (page.status_code, "could not be found" in page.text) == (404, True)


def test_names_cannot_smuggle_markup_in(shop: Shop) -> None:
    data = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "<script>alert(1)</script>"}}
    session = shop.session(line_items=[{"price_data": data, "quantity": 1}], cancel_url='http://x.test/"onclick="x')

    page = shop.http.get(session.url)

    assert "<script>alert" not in page.text
    assert '"onclick="' not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_pages_need_nothing_from_elsewhere(shop: Shop) -> None:
    page = shop.http.get(shop.session().url).text

    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page)
    assert loaded == ["/pay/static/style.css", "/pay/static/pay.js"]
    assert [shop.http.get(one).status_code for one in loaded] == [200, 200]


def test_an_invoice_has_a_page_and_a_pdf(shop: Shop) -> None:
    invoice = shop.latest_invoice(shop.subscribe())

    page, pdf = shop.http.get(invoice.hosted_invoice_url), shop.http.get(invoice.invoice_pdf)

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


def test_an_open_invoice_is_paid_on_its_page(shop: Shop) -> None:
    subscription = shop.subscribe()
    invoice = shop.pull.renew(subscription, succeeds=False)
    page = invoice["hosted_invoice_url"]

    refused = submit(shop, page + "/pay", number="4000000000000002")
    paid = submit(shop, page + "/pay")

    assert (refused.status_code, error_on(refused)) == (402, "Your card was declined.")
    assert (paid.status_code, shop.api.invoices.retrieve(invoice["id"]).status) == (303, "paid")
    assert shop.subscription(subscription).status == "active"


def test_a_charge_has_a_receipt(shop: Shop) -> None:
    charge = shop.charge()
    shop.pull.refund(charge.id, 200)

    page = shop.http.get(charge.receipt_url).text

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
def test_the_page_offers_what_the_session_takes(form: dict[str, Any], offered: list[str], shop: Shop) -> None:
    page = shop.http.get(shop.session(**form).url).text

    assert re.findall(r'name="method" value="(\w+)"', page) == offered
