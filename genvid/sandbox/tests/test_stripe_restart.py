import threading

import httpx

from genvid.sandbox.tests.client import WAIT, wait_for
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


def test_a_kill_in_the_middle_leaves_every_payment_whole_or_undone(shop: Shop) -> None:
    sessions = [shop.session().id for _ in range(40)]
    form = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123"}
    paid = threading.Semaphore(0)

    def buyer(mine: list[str]) -> None:
        for session in mine:
            try:
                httpx.post(f"{shop.sandbox.url}/pay/{session}", data=form, timeout=WAIT, trust_env=False)
            except httpx.TransportError:
                return
            paid.release()

    buyers = [threading.Thread(target=buyer, args=(sessions[start::4],)) for start in range(4)]
    for one in buyers:
        one.start()
    for _ in range(12):
        assert paid.acquire(timeout=WAIT)
    shop.sandbox.kill()
    for one in buyers:
        one.join()
    shop.sandbox.start()

    books, told = shop.pull.books(), shop.types()
    complete = [one for one in books["sessions"] if one["status"] == "complete"]
    assert len(complete) >= 12
    assert {one["payment_intent"] for one in complete} == {one["payment_intent"] for one in books["charges"]}
    assert len(books["charges"]) == len(complete) == told.count("checkout.session.completed")
    assert all(one["payment_intent"] is None for one in books["sessions"] if one["status"] == "open")
