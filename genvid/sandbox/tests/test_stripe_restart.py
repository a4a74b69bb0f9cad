from genvid.sandbox.tests.client import wait_for
from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.stripe_shop import KEY, Shop


def test_a_stopped_sandbox_keeps_stripes_books(shop: Shop) -> None:
    subscription = shop.subscribe()
    before = shop.pull.books()

    shop.sandbox.restart()

    assert shop.pull.books() == before
    assert shop.pull.renew(subscription)["status"] == "paid"


def test_a_killed_sandbox_keeps_them_too(shop: Shop) -> None:
    posted = {"data": {"name": "A"}, "headers": {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "one"}}
    first = shop.http.post("/v1/customers", **posted)
    shop.pull.pay(shop.session().id, method="bank")
    before, events = shop.pull.books(), shop.types()

    shop.sandbox.kill()
    shop.sandbox.start()

    assert (shop.pull.books(), shop.types()) == (before, events)
    assert shop.http.post("/v1/customers", **posted).json() == first.json()


def test_what_was_not_delivered_before_a_kill_is_delivered_after(shop: Shop, receiver: Receiver) -> None:
    shop.sandbox.knobs(webhook_retry_scale=0.1)
    shop.api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    receiver.answers = [500]
    assert shop.customer
    wait_for(lambda: receiver.posts)

    shop.sandbox.kill()
    shop.sandbox.start()

    wait_for(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0].json == receiver.posts[1].json
    wait_for(lambda: shop.pull.undelivered() == [])
