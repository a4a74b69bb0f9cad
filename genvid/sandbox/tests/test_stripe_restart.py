import threading

import httpx

from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.sandbox_client import WAIT, wait_for
from genvid.sandbox.tests.stripe_merchant import KEY, Merchant


def test_a_stopped_sandbox_keeps_stripes_objects(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    before = merchant.actions.records()

    merchant.sandbox.restart()

    assert merchant.actions.records() == before
    assert merchant.actions.renew(subscription)["status"] == "paid"


def test_a_killed_sandbox_keeps_stripes_objects(merchant: Merchant) -> None:
    posted = {"data": {"name": "A"}, "headers": {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "one"}}
    first = merchant.http.post("/v1/customers", **posted)
    merchant.actions.pay(merchant.session().id, method="bank")
    before, events = merchant.actions.records(), merchant.types()

    merchant.sandbox.kill()
    merchant.sandbox.start()

    assert (merchant.actions.records(), merchant.types()) == (before, events)
    assert merchant.http.post("/v1/customers", **posted).json() == first.json()


def test_what_was_not_delivered_before_a_kill_is_delivered_after(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.configure(webhook_retry_scale=0.1)
    merchant.api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    receiver.answers = [500]
    assert merchant.customer
    wait_for(lambda: receiver.posts)

    merchant.sandbox.kill()
    merchant.sandbox.start()

    wait_for(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0].json == receiver.posts[1].json
    wait_for(lambda: merchant.actions.undelivered() == [])


def test_a_kill_in_the_middle_leaves_every_payment_whole_or_undone(merchant: Merchant) -> None:
    sessions = [merchant.session().id for _ in range(40)]
    form = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123"}
    paid = threading.Semaphore(0)

    def buyer(mine: list[str]) -> None:
        for session in mine:
            try:
                httpx.post(f"{merchant.sandbox.url}/pay/{session}", data=form, timeout=WAIT, trust_env=False)
            except httpx.TransportError:
                return
            paid.release()

    buyers = [threading.Thread(target=buyer, args=(sessions[start::4],)) for start in range(4)]
    for one in buyers:
        one.start()
    for _ in range(12):
        assert paid.acquire(timeout=WAIT)
    merchant.sandbox.kill()
    for one in buyers:
        one.join()
    merchant.sandbox.start()

    books, told = merchant.actions.records(), merchant.types()
    complete = [one for one in books["sessions"] if one["status"] == "complete"]
    assert len(complete) >= 12
    assert {one["payment_intent"] for one in complete} == {one["payment_intent"] for one in books["charges"]}
    assert len(books["charges"]) == len(complete) == told.count("checkout.session.completed")
    assert all(one["payment_intent"] is None for one in books["sessions"] if one["status"] == "open")
