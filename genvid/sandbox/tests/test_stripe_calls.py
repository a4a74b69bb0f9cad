import base64
import threading
import time
from typing import Any

import httpx
import pytest
import stripe

from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.stripe.form_bodies import decoded
from genvid.sandbox.tests.sandbox_client import WAIT, wait_for
from genvid.sandbox.tests.stripe_merchant import KEY, Merchant


def error_of(answer: httpx.Response) -> tuple[int, str, str | None, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["type"], error.get("code"), error.get("param")


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("items[0][price]=p&items[1][price]=q", {"items": [{"price": "p"}, {"price": "q"}]}),
        ("a[b][0][c]=x", {"a": {"b": [{"c": "x"}]}}),
        ("expand[]=one&expand[]=two", {"expand": ["one", "two"]}),
        ("metadata[0]=zero", {"metadata": {"0": "zero"}}),
        ("name=Zo%C3%AB+%26+Co", {"name": "Zoë & Co"}),
    ],
)
def test_forms_are_decoded_as_stripe_does(form: str, tree: dict[str, Any]) -> None:
    assert decoded(form) == tree


def test_without_a_key_nothing_is_answered(merchant: Merchant) -> None:
    answer = httpx.get(merchant.sandbox.url + "/v1/account", timeout=WAIT, trust_env=False)

    assert error_of(answer) == (401, "invalid_request_error", None, None)


def test_a_key_that_is_no_secret_key_is_refused(merchant: Merchant) -> None:
    answer = merchant.http.get("/v1/account", headers={"Authorization": "Bearer pk_test_123"})

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Invalid API Key provided: pk_test_")


@pytest.mark.parametrize("key", [KEY, "rk_test_restricted"])
def test_a_key_may_come_as_the_user_of_basic_authentication(key: str, merchant: Merchant) -> None:
    header = "Basic " + base64.b64encode(f"{key}:".encode()).decode()

    assert merchant.http.get("/v1/account", headers={"Authorization": header}).json()["object"] == "account"


def test_answers_carry_a_request_id_and_the_version_asked_for(merchant: Merchant) -> None:
    answer = merchant.http.get("/v1/account", headers={"Stripe-Version": "2026-08-26.dahlia"})

    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2026-08-26.dahlia"
    assert merchant.http.get("/v1/account").headers["stripe-version"] == "2026-05-27.dahlia"


def test_the_account_is_found_by_its_id_too(merchant: Merchant) -> None:
    account = merchant.get("/v1/account")

    assert merchant.get(f"/v1/accounts/{account['id']}") == account
    assert merchant.get("/v1/accounts")["data"] == []


def test_an_unknown_id_is_a_missing_resource(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.api.customers.retrieve("cus_nobody")

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert refusal.value.user_message == "No such customer: 'cus_nobody'"


def test_an_unknown_id_in_a_parameter_is_a_bad_request(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.session(customer="cus_nobody")

    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, "resource_missing", "customer")


def test_a_missing_parameter_is_named(merchant: Merchant) -> None:
    assert error_of(merchant.http.post("/v1/products", data={})) == (
        400,
        "invalid_request_error",
        "parameter_missing",
        "name",
    )


def test_an_unknown_parameter_is_refused(merchant: Merchant) -> None:
    answer = merchant.http.post("/v1/customers", data={"colour": "red"})

    assert error_of(answer) == (400, "invalid_request_error", "parameter_unknown", "colour")
    assert merchant.actions.records()["counts"] == {}


def test_an_unknown_address_is_a_404_in_stripes_error_format(merchant: Merchant) -> None:
    answer = merchant.http.post("/v1/nonsense", data={})

    assert error_of(answer) == (404, "invalid_request_error", None, None)
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (POST: /v1/nonsense).")


def test_a_repeated_key_gets_the_first_answer(merchant: Merchant) -> None:
    posts = [
        merchant.http.post("/v1/customers", data={"email": "a@example.com"}, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]

    assert posts[0].json() == posts[1].json()
    assert [post.headers.get("idempotent-replayed") for post in posts] == [None, "true"]
    assert merchant.actions.records()["counts"]["customer"] == 1


def test_a_key_with_other_parameters_is_refused(merchant: Merchant) -> None:
    merchant.api.customers.create({"email": "a@example.com"}, {"idempotency_key": "one"})

    with pytest.raises(stripe.IdempotencyError) as refusal:
        merchant.api.customers.create({"email": "b@example.com"}, {"idempotency_key": "one"})

    assert refusal.value.http_status == 400
    assert merchant.actions.records()["counts"]["customer"] == 1


def test_a_key_at_another_address_is_refused(merchant: Merchant) -> None:
    merchant.api.customers.create({"name": "A"}, {"idempotency_key": "one"})

    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        merchant.api.products.create({"name": "A"}, {"idempotency_key": "one"})


def test_a_refused_request_leaves_its_key_free(merchant: Merchant) -> None:
    refused = merchant.http.post("/v1/products", data={}, headers={"Idempotency-Key": "one"})

    assert refused.status_code == 400
    assert merchant.api.products.create({"name": "A"}, {"idempotency_key": "one"}).name == "A"


def test_a_declined_card_is_an_outcome_that_its_key_keeps(merchant: Merchant) -> None:
    params = {"amount": "500", "currency": "usd", "confirm": "true", "payment_method": "pm_card_chargeDeclined"}
    posts = [
        merchant.http.post("/v1/payment_intents", data=params, headers={"Idempotency-Key": "one"}) for _ in range(2)
    ]

    assert [post.status_code for post in posts] == [402, 402]
    assert posts[0].json() == posts[1].json()
    assert merchant.actions.records()["counts"]["payment_intent"] == 1


def test_a_key_whose_request_is_under_way_conflicts(merchant: Merchant) -> None:
    merchant.sandbox.fault(path="/v1/customers", kind="delay", seconds=3600)
    first: list[httpx.Response] = []

    def post() -> httpx.Response:
        return httpx.post(
            merchant.sandbox.url + "/v1/customers",
            data={"name": "A"},
            headers={"Authorization": f"Bearer {KEY}", "Idempotency-Key": "one"},
            timeout=WAIT,
            trust_env=False,
        )

    thread = threading.Thread(target=lambda: first.append(post()))
    thread.start()
    wait_for(lambda: merchant.sandbox.records()["requests"].get("POST /v1/customers"))
    second = post()
    merchant.sandbox.clear_faults()
    thread.join()

    assert error_of(second) == (409, "idempotency_error", "idempotency_key_in_use", None)
    assert first[0].status_code == 200


def test_lists_come_newest_first_and_in_pages(merchant: Merchant) -> None:
    made = [merchant.api.customers.create({"name": str(number)}).id for number in range(5)]

    first = merchant.api.customers.list({"limit": 2})
    second = merchant.api.customers.list({"limit": 2, "starting_after": first.data[-1].id})
    back = merchant.api.customers.list({"limit": 2, "ending_before": second.data[0].id})

    assert [one.id for one in first.data] == made[:2:-1]
    assert ([one.id for one in second.data], second.has_more) == ([made[2], made[1]], True)
    assert [one.id for one in back.data] == [one.id for one in first.data]
    assert [one.id for one in merchant.api.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_one_to_a_hundred(limit: int, merchant: Merchant) -> None:
    answer = merchant.http.get("/v1/customers", params={"limit": limit})

    assert error_of(answer) == (400, "invalid_request_error", None, "limit")


def test_lists_can_be_bounded_in_time(merchant: Merchant) -> None:
    now = int(time.time())
    customer = merchant.customer

    assert [one.id for one in merchant.api.customers.list({"created": {"gte": now - 5}}).data] == [customer]
    assert merchant.api.customers.list({"created": {"lt": now - 5}}).data == []


def test_an_expanded_id_is_replaced_by_its_object(merchant: Merchant) -> None:
    session = merchant.buy()
    opened = merchant.api.checkout.sessions.retrieve(
        session["id"], {"expand": ["line_items", "payment_intent.latest_charge.balance_transaction", "customer"]}
    )

    assert opened.line_items.data[0].price.id == merchant.pack
    assert opened.payment_intent.latest_charge.balance_transaction.net == 1200 - 65
    assert opened.customer.email == "buyer@example.com"


def test_ids_in_a_list_are_expanded(merchant: Merchant) -> None:
    merchant.charge()

    assert merchant.api.charges.list({"expand": ["data.customer"]}).data[0].customer.name == "Bo Buyer"


def test_expanding_an_unexpandable_field_is_refused(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"This property cannot be expanded \(nonsense\)"):
        merchant.api.customers.retrieve(merchant.customer, {"expand": ["nonsense"]})


@pytest.mark.parametrize(
    ("status", "kind"), [(500, stripe.APIError), (429, stripe.RateLimitError), (503, stripe.APIError)]
)
def test_a_queued_fault_is_answered_in_stripes_error_format(
    status: int, kind: type[stripe.StripeError], merchant: Merchant
) -> None:
    merchant.sandbox.fault(path="/v1/account", status=status)

    with pytest.raises(kind) as failure:
        merchant.api.accounts.retrieve_current()

    assert failure.value.http_status == status
    assert merchant.http.get("/v1/account").status_code == 200


def test_a_gateways_error_page_is_html(merchant: Merchant) -> None:
    merchant.sandbox.fault(path="/v1/account", kind="html", status=502)

    assert merchant.http.get("/v1/account").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(("kind", "made"), [("drop", {}), ("lost", {"customer": 1, "event": 1})])
def test_an_answer_can_be_lost_before_and_after_the_action(kind: str, made: dict[str, int], merchant: Merchant) -> None:
    merchant.sandbox.fault(path="/v1/customers", method="POST", kind=kind)

    with pytest.raises(httpx.TransportError):
        merchant.http.post("/v1/customers", data={})

    assert merchant.actions.records()["counts"] == made


def test_a_lost_answer_is_found_again_under_its_key(merchant: Merchant) -> None:
    merchant.sandbox.fault(path="/v1/customers", method="POST", kind="lost")
    api = stripe.StripeClient(KEY, base_addresses={"api": merchant.sandbox.url}, max_network_retries=1).v1

    customer = api.customers.create({"name": "A"})

    assert [one["id"] for one in merchant.actions.records()["customers"]] == [customer.id]


def test_fault_rates_apply_to_stripe_as_well(merchant: Merchant) -> None:
    merchant.sandbox.configure(rate_limit_rate=1.0)

    assert error_of(merchant.http.get("/v1/account"))[:3] == (429, "invalid_request_error", "rate_limit")


def test_a_reset_deletes_stripes_objects_and_moves_time_back(merchant: Merchant) -> None:
    begun = int(time.time())
    merchant.charge()
    merchant.actions.advance_clock(3600)

    merchant.sandbox.reset()

    assert merchant.actions.records()["counts"] == {}
    assert begun <= merchant.actions.advance_clock(0)["now"] <= time.time()


def test_with_a_configured_api_key_any_other_key_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    with SandboxProcess(tmp_path_factory.mktemp("keyed"), stripe_key=KEY) as sandbox:
        answers = [
            httpx.get(
                f"{sandbox.url}/v1/account", headers={"Authorization": f"Bearer {key}"}, timeout=WAIT, trust_env=False
            )
            for key in (KEY, "sk_test_other")
        ]

    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("customers", {"metadata[" + "k" * 41 + "]": "v"}, "metadata"),
        ("customers", {"metadata[k]": "v" * 501}, "metadata[k]"),
        ("customers", {f"metadata[{number}]": "v" for number in range(51)}, "metadata"),
        ("customers", {"email": "nobody"}, "email"),
        ("payment_intents", {"amount": "1e3", "currency": "usd"}, "amount"),
        ("payment_intents", {"amount": "49", "currency": "usd"}, "amount"),
        ("payment_intents", {"amount": "9" * 30, "currency": "usd"}, "amount"),
        ("payment_intents", {"amount": "100000000", "currency": "usd"}, "amount"),
        ("payment_intents", {"amount": "500", "currency": "usd", "off_session": "true"}, "off_session"),
        ("webhook_endpoints", {"url": "nowhere", "enabled_events[]": "*"}, "url"),
        ("coupons", {"percent_off": "101"}, "percent_off"),
    ],
)
def test_a_parameter_value_that_stripe_rejects_is_refused(
    path: str, form: dict[str, str], param: str, merchant: Merchant
) -> None:
    answer = merchant.http.post(f"/v1/{path}", data=form)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert merchant.actions.records()["counts"] == {}
