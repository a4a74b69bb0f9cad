import json
import time
from typing import Any

import pytest
import stripe

from genvid.sandbox.tests.receiver import Received, Receiver
from genvid.sandbox.tests.sandbox_client import wait_for
from genvid.sandbox.tests.stripe_merchant import Merchant


def listen(merchant: Merchant, receiver: Receiver, *events: str) -> Any:
    return merchant.api.webhook_endpoints.create(
        {"url": receiver.url + "/hook", "enabled_events": list(events) or ["*"], "api_version": "2026-05-27.dahlia"}
    )


def types(receiver: Receiver) -> list[str]:
    return [one.json["type"] for one in receiver.posts]


def is_true(received: Received, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(received.body.decode(), received.headers["stripe-signature"], secret, 300)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_a_delivery_is_signed_with_the_endpoints_secret(merchant: Merchant, receiver: Receiver) -> None:
    endpoint = listen(merchant, receiver)

    customer = merchant.customer

    wait_for(lambda: receiver.posts)
    event = receiver.posts[0].json
    assert is_true(receiver.posts[0], endpoint.secret)
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer)
    assert (event["api_version"], event["pending_webhooks"]) == ("2026-05-27.dahlia", 1)
    assert event["request"]["id"].startswith("req_")
    assert event["request"]["idempotency_key"] is not None


def test_the_signing_secret_is_shown_only_at_creation(merchant: Merchant, receiver: Receiver) -> None:
    endpoint = listen(merchant, receiver)

    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in merchant.get(f"/v1/webhook_endpoints/{endpoint.id}")
    assert "secret" not in merchant.get("/v1/webhook_endpoints")["data"][0]


def test_an_endpoint_gets_only_its_enabled_events(merchant: Merchant, receiver: Receiver) -> None:
    listen(merchant, receiver, "charge.succeeded", "checkout.session.completed")

    merchant.charge()

    wait_for(lambda: len(receiver.posts) == 2)
    assert sorted(types(receiver)) == ["charge.succeeded", "checkout.session.completed"]


def test_an_endpoint_is_changed_disabled_and_deleted(merchant: Merchant, receiver: Receiver) -> None:
    endpoint = listen(merchant, receiver, "product.created")
    merchant.api.webhook_endpoints.update(endpoint.id, {"enabled_events": ["customer.created"]})
    first = merchant.customer
    wait_for(lambda: types(receiver) == ["customer.created"])

    merchant.api.webhook_endpoints.update(endpoint.id, {"disabled": True})
    merchant.api.customers.update(first, {"name": "A"})
    merchant.api.webhook_endpoints.delete(endpoint.id)

    assert merchant.api.webhook_endpoints.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        merchant.api.webhook_endpoints.retrieve(endpoint.id)
    assert len(receiver.posts) == 1


def test_a_refused_delivery_is_retried(merchant: Merchant, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    listen(merchant, receiver)

    assert merchant.customer

    wait_for(lambda: len(receiver.posts) == 3)
    assert len({one.body for one in receiver.posts}) == 1
    delivery = wait_for(
        lambda: next((d for d in merchant.actions.records()["deliveries"] if d["status"] == "delivered"), None)
    )
    assert [attempt["answer"] for attempt in delivery["attempts"]] == [500, 503, 200]


def test_undelivered_events_are_listed(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(webhook_retry_scale=100)
    listen(merchant, receiver)
    receiver.answers = [500]
    lost = merchant.api.customers.create({"name": "A"})
    wait_for(lambda: receiver.posts)
    merchant.api.products.create({"name": "B"})
    wait_for(lambda: len(receiver.posts) == 2)
    wait_for(lambda: len(merchant.actions.undelivered()) == 1)

    untaken, taken = (merchant.api.events.list({"delivery_success": took}).data for took in (False, True))

    assert [(one.data.object.id, one.pending_webhooks) for one in untaken] == [(lost.id, 1)]
    assert [(one.type, one.pending_webhooks) for one in taken] == [("product.created", 0)]


def test_doubled_webhooks_are_delivered_twice(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="doubled")
    listen(merchant, receiver)

    assert merchant.customer

    wait_for(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0].json["id"] == receiver.posts[1].json["id"]


def test_webhooks_that_are_off_are_listed_as_undelivered(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="off")
    listen(merchant, receiver)
    assert merchant.customer
    merchant.sandbox.configure(stripe_webhooks="normal")
    assert merchant.product

    wait_for(lambda: len(merchant.actions.undelivered()) == 1)
    assert types(receiver) == ["product.created"]
    assert [one.type for one in merchant.api.events.list({"delivery_success": False}).data] == ["customer.created"]


def test_late_webhooks_are_delivered_late(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="late", webhook_late_seconds=0.4)
    listen(merchant, receiver)
    begun = time.monotonic()

    assert merchant.customer

    wait_for(lambda: receiver.posts)
    assert time.monotonic() - begun >= 0.4


def deliveries_after_one(merchant: Merchant) -> list[tuple[str, str]]:
    """Kind and state of all deliveries, as soon as one of them is recorded as delivered."""

    def found() -> list[tuple[str, str]] | None:
        all_of_them = [(one["event_type"], one["status"]) for one in merchant.actions.records()["deliveries"]]
        return all_of_them if "delivered" in [status for _, status in all_of_them] else None

    deliveries: list[tuple[str, str]] = wait_for(found)
    return deliveries


def test_reordered_webhooks_deliver_the_second_event_first(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="reordered", webhook_late_seconds=3600)
    listen(merchant, receiver)

    assert merchant.customer
    assert merchant.product

    assert deliveries_after_one(merchant) == [("customer.created", "waiting"), ("product.created", "delivered")]
    assert types(receiver) == ["product.created"]


def test_reordered_webhooks_count_anew_when_the_mode_is_set(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="reordered", webhook_late_seconds=3600)
    listen(merchant, receiver, "customer.created", "product.created", "product.updated")
    assert merchant.customer

    merchant.sandbox.configure(stripe_webhooks="reordered")
    assert merchant.product
    merchant.api.products.update(merchant.product, {"name": "Other"})

    assert deliveries_after_one(merchant) == [
        ("customer.created", "waiting"),
        ("product.created", "waiting"),
        ("product.updated", "delivered"),
    ]


def test_forged_webhooks_do_not_verify(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="forged")
    endpoint = listen(merchant, receiver)

    assert merchant.customer

    wait_for(lambda: receiver.posts)
    assert not is_true(receiver.posts[0], endpoint.secret)


def test_chaotic_webhooks_come_in_all_modes_and_with_invented_events(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="chaos", seed=7, webhook_late_seconds=0.05)
    endpoint = listen(merchant, receiver)

    for number in range(60):
        merchant.api.customers.create({"name": str(number)})

    wait_for(lambda: not [one for one in merchant.actions.records()["deliveries"] if one["status"] == "waiting"])
    modes = {one["mode"] for one in merchant.actions.records()["deliveries"]}
    assert modes == {"normal", "doubled", "late", "reordered", "off", "forgery"}
    true = {event["id"] for event in merchant.actions.events()}
    assert all(is_true(one, endpoint.secret) == (one.json["id"] in true) for one in receiver.posts)


def test_held_webhooks_are_delivered_only_on_demand(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="held")
    endpoint = listen(merchant, receiver)
    merchant.charge()
    ids = [event["id"] for event in merchant.actions.events()]
    assert ([one["id"] for one in merchant.actions.undelivered()], receiver.posts) == (ids, [])

    answers = merchant.actions.deliver(ids[::-1], parallel=False)

    assert [json.loads(one.body)["id"] for one in receiver.posts] == ids[::-1]
    assert [(one["event"], one["endpoint"], one["status"]) for one in answers] == [
        (one, endpoint.id, 200) for one in ids[::-1]
    ]
    assert all(is_true(one, endpoint.secret) for one in receiver.posts)
    assert merchant.actions.undelivered() == []


def test_copies_are_delivered_side_by_side(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(stripe_webhooks="held")
    listen(merchant, receiver)
    assert merchant.customer
    receiver.answers = [500, 200, 400]

    answers = merchant.actions.deliver([merchant.mark()], copies=3)

    assert sorted(one["status"] for one in answers) == [200, 400, 500]
    assert len({one.body for one in receiver.posts}) == 1
    assert merchant.actions.undelivered() == []


def test_a_delivery_without_an_answer_has_no_status(merchant: Merchant) -> None:
    merchant.sandbox.configure(stripe_webhooks="held")
    merchant.api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    assert merchant.customer

    assert [one["status"] for one in merchant.actions.deliver([merchant.mark()])] == [None]
    assert [one["id"] for one in merchant.actions.undelivered()] == [merchant.mark()]
