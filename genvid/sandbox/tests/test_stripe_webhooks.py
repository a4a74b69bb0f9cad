import json
import time
from typing import Any

import pytest
import stripe

from genvid.sandbox.tests.client import wait_for
from genvid.sandbox.tests.receiver import Received, Receiver
from genvid.sandbox.tests.stripe_shop import Shop


def listen(shop: Shop, receiver: Receiver, *events: str) -> Any:
    return shop.api.webhook_endpoints.create(
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


def test_a_delivery_is_signed_with_the_endpoints_secret(shop: Shop, receiver: Receiver) -> None:
    endpoint = listen(shop, receiver)

    customer = shop.customer

    wait_for(lambda: receiver.posts)
    event = receiver.posts[0].json
    assert is_true(receiver.posts[0], endpoint.secret)
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer)
    assert (event["api_version"], event["pending_webhooks"]) == ("2026-05-27.dahlia", 1)
    assert event["request"]["id"].startswith("req_")
    assert event["request"]["idempotency_key"] is not None


def test_the_secret_is_told_only_once(shop: Shop, receiver: Receiver) -> None:
    endpoint = listen(shop, receiver)

    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in shop.get(f"/v1/webhook_endpoints/{endpoint.id}")
    assert "secret" not in shop.get("/v1/webhook_endpoints")["data"][0]


def test_an_endpoint_hears_only_what_it_asked_for(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "charge.succeeded", "checkout.session.completed")

    shop.charge()

    wait_for(lambda: len(receiver.posts) == 2)
    assert sorted(types(receiver)) == ["charge.succeeded", "checkout.session.completed"]


def test_an_endpoint_is_changed_disabled_and_deleted(shop: Shop, receiver: Receiver) -> None:
    endpoint = listen(shop, receiver, "product.created")
    shop.api.webhook_endpoints.update(endpoint.id, {"enabled_events": ["customer.created"]})
    first = shop.customer
    wait_for(lambda: types(receiver) == ["customer.created"])

    shop.api.webhook_endpoints.update(endpoint.id, {"disabled": True})
    shop.api.customers.update(first, {"name": "A"})
    shop.api.webhook_endpoints.delete(endpoint.id)

    assert shop.api.webhook_endpoints.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        shop.api.webhook_endpoints.retrieve(endpoint.id)
    assert len(receiver.posts) == 1


def test_a_refused_delivery_is_made_again(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    listen(shop, receiver)

    assert shop.customer

    wait_for(lambda: len(receiver.posts) == 3)
    assert len({one.body for one in receiver.posts}) == 1
    delivery = wait_for(lambda: next((d for d in shop.pull.books()["deliveries"] if d["status"] == "delivered"), None))
    assert [attempt["answer"] for attempt in delivery["attempts"]] == [500, 503, 200]


def test_what_nobody_took_can_be_asked_for(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(webhook_retry_scale=100)
    listen(shop, receiver)
    receiver.answers = [500]
    lost = shop.api.customers.create({"name": "A"})
    wait_for(lambda: receiver.posts)
    shop.api.products.create({"name": "B"})
    wait_for(lambda: len(receiver.posts) == 2)
    wait_for(lambda: len(shop.pull.undelivered()) == 1)

    untaken, taken = (shop.api.events.list({"delivery_success": took}).data for took in (False, True))

    assert [(one.data.object.id, one.pending_webhooks) for one in untaken] == [(lost.id, 1)]
    assert [(one.type, one.pending_webhooks) for one in taken] == [("product.created", 0)]


def test_doubled_comes_twice(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="doubled")
    listen(shop, receiver)

    assert shop.customer

    wait_for(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0].json["id"] == receiver.posts[1].json["id"]


def test_off_is_lost_but_told_as_not_taken(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="off")
    listen(shop, receiver)
    assert shop.customer
    shop.sandbox.knobs(stripe_webhooks="normal")
    assert shop.product

    wait_for(lambda: len(shop.pull.undelivered()) == 1)
    assert types(receiver) == ["product.created"]
    assert [one.type for one in shop.api.events.list({"delivery_success": False}).data] == ["customer.created"]


def test_late_comes_late(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="late", webhook_late_seconds=0.4)
    listen(shop, receiver)
    begun = time.monotonic()

    assert shop.customer

    wait_for(lambda: receiver.posts)
    assert time.monotonic() - begun >= 0.4


def deliveries_after_one(shop: Shop) -> list[tuple[str, str]]:
    """Kind and state of all deliveries, as soon as one of them is recorded as delivered."""

    def found() -> list[tuple[str, str]] | None:
        all_of_them = [(one["event_type"], one["status"]) for one in shop.pull.books()["deliveries"]]
        return all_of_them if "delivered" in [status for _, status in all_of_them] else None

    deliveries: list[tuple[str, str]] = wait_for(found)
    return deliveries


def test_reordered_lets_the_second_come_first(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="reordered", webhook_late_seconds=3600)
    listen(shop, receiver)

    assert shop.customer
    assert shop.product

    assert deliveries_after_one(shop) == [("customer.created", "waiting"), ("product.created", "delivered")]
    assert types(receiver) == ["product.created"]


def test_reordered_counts_anew_when_it_is_set(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="reordered", webhook_late_seconds=3600)
    listen(shop, receiver, "customer.created", "product.created", "product.updated")
    assert shop.customer

    shop.sandbox.knobs(stripe_webhooks="reordered")
    assert shop.product
    shop.api.products.update(shop.product, {"name": "Other"})

    assert deliveries_after_one(shop) == [
        ("customer.created", "waiting"),
        ("product.created", "waiting"),
        ("product.updated", "delivered"),
    ]


def test_forged_does_not_verify(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="forged")
    endpoint = listen(shop, receiver)

    assert shop.customer

    wait_for(lambda: receiver.posts)
    assert not is_true(receiver.posts[0], endpoint.secret)


def test_chaos_does_all_of_it_and_forgers_make_events_up(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="chaos", seed=7, webhook_late_seconds=0.05)
    endpoint = listen(shop, receiver)

    for number in range(60):
        shop.api.customers.create({"name": str(number)})

    wait_for(lambda: not [one for one in shop.pull.books()["deliveries"] if one["status"] == "waiting"])
    modes = {one["mode"] for one in shop.pull.books()["deliveries"]}
    assert modes == {"normal", "doubled", "late", "reordered", "off", "forgery"}
    true = {event["id"] for event in shop.pull.events()}
    assert all(is_true(one, endpoint.secret) == (one.json["id"] in true) for one in receiver.posts)


def test_held_is_delivered_only_on_demand(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="held")
    endpoint = listen(shop, receiver)
    shop.charge()
    ids = [event["id"] for event in shop.pull.events()]
    assert ([one["id"] for one in shop.pull.undelivered()], receiver.posts) == (ids, [])

    answers = shop.pull.deliver(ids[::-1], parallel=False)

    assert [json.loads(one.body)["id"] for one in receiver.posts] == ids[::-1]
    assert [(one["event"], one["endpoint"], one["status"]) for one in answers] == [
        (one, endpoint.id, 200) for one in ids[::-1]
    ]
    assert all(is_true(one, endpoint.secret) for one in receiver.posts)
    assert shop.pull.undelivered() == []


def test_copies_are_delivered_side_by_side(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(stripe_webhooks="held")
    listen(shop, receiver)
    assert shop.customer
    receiver.answers = [500, 200, 400]

    answers = shop.pull.deliver([shop.mark()], copies=3)

    assert sorted(one["status"] for one in answers) == [200, 400, 500]
    assert len({one.body for one in receiver.posts}) == 1
    assert shop.pull.undelivered() == []


def test_nobody_home_is_told_as_no_answer(shop: Shop) -> None:
    shop.sandbox.knobs(stripe_webhooks="held")
    shop.api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    assert shop.customer

    assert [one["status"] for one in shop.pull.deliver([shop.mark()])] == [None]
    assert [one["id"] for one in shop.pull.undelivered()] == [shop.mark()]
