"""Customers pay while web and workers are killed and webhooks go astray: in the end the ledgers are Stripe's books."""

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections

from billing.models import Customer, Plan, StripeSync
from billing.stripe_sync import reconciliation, stripe_setup
from billing.tests.stripe_model import balance
from genvid.sandbox.process import SandboxProcess
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import Person, make_caller
from genvid.tests.processes import OwnProcess, WebProcess, WorkerProcess
from videos.tests.pipeline import wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BUYERS, KILLS = 4, 4
PATIENCE = 900.0
PACE = {"BILLING_LEASE": "2", "BILLING_SWEEP_SECONDS": "0.3", "IDEMPOTENCY_LEASE": "1"}


@pytest.fixture
def house(tmp_path: Path, sandbox: SandboxProcess, settings: Any) -> Iterator[list[OwnProcess]]:
    """One web and two workers, and a Stripe whose deliveries go astray."""
    web = WebProcess(tmp_path, threads=4, STRIPE_API_HOST=sandbox.url, **PACE)
    settings.PUBLIC_URL = web.url
    workers = [
        WorkerProcess(tmp_path, name=name, beat=beat, PUBLIC_URL=web.url, STRIPE_API_HOST=sandbox.url, **PACE)
        for name, beat in (("first", True), ("second", False))
    ]
    sandbox.configure(stripe_webhooks="chaos", webhook_late_seconds=0.3, webhook_retry_scale=0.01, seed=4)
    stripe_setup.set_up_stripe()
    for process in (web, *workers):
        process.start()
    yield [web, *workers]
    for process in (web, *workers):
        process.kill9()


class Buyer:
    """Does not give up before the pay page is open, pays, and changes their mind about some of it."""

    def __init__(self, house: list[OwnProcess], sandbox: SandboxProcess, number: int) -> None:
        self.person: Person = make_caller()
        self.url = str(house[0].url)
        self.stripe, self.number = sandbox.stripe, number
        self.dice = random.Random(number)

    def live(self) -> None:
        try:
            self.shop()
        finally:
            connections.close_all()

    def shop(self) -> None:
        for step, code in enumerate(("pack-100", "pro-month", "pack-500")):
            session = self.stripe.pay(self.pay_page(code, f"{self.number}-{step}"))
            if session["payment_intent"] and self.dice.random() < 0.6:
                self.change_their_mind(session["payment_intent"])
            if session["subscription"]:
                self.stripe.renew(session["subscription"])

    def change_their_mind(self, payment_intent_id: str) -> None:
        if self.dice.random() < 0.5:
            self.stripe.refund(payment_intent_id, amount=self.dice.choice([300, 1_200]))
        else:
            dispute = self.stripe.dispute(payment_intent_id)
            self.stripe.close_dispute(dispute["id"], self.dice.choice(["won", "lost"]))

    def pay_page(self, code: str, key: str) -> str:
        """The same request until it is answered, whoever dies meanwhile."""
        seen: list[httpx.Response] = []
        wait_until(
            lambda: self.answered(code, key, seen),
            seconds=PATIENCE,
            why=lambda: str([(a.status_code, a.text[:300]) for a in seen[-5:]]),
        )
        return str(seen[-1].json()["data"]["session_id"])

    def answered(self, code: str, key: str, seen: list[httpx.Response]) -> bool:
        headers = {"Authorization": f"Bearer {self.person.tokens.access_token}", "Idempotency-Key": key}
        body = {"plan_id": str(Plan.objects.get(code=code).pk)}
        try:
            with httpx.Client(trust_env=False, timeout=60) as client:
                seen.append(client.post(f"{self.url}/api/v1/billing/checkout", json=body, headers=headers))
        except httpx.TransportError:
            return False
        return seen[-1].status_code == 201


def kill_until(house: list[OwnProcess], lives: list[Future[None]]) -> None:
    """Each time another one, as a power cut would; from this thread, since what a thread starts ends with it."""
    for number in count():
        process = house[number % len(house)]
        process.kill9()
        process.start()
        if number + 1 >= KILLS and not wait(lives, timeout=0.5).not_done:
            return


def waiting() -> list[tuple[str, ...]]:
    """What workers have still to look at."""
    return list(
        StripeSync.objects.filter(due_at__isnull=False).values_list("kind", "object_id", "error", "due_at", "tries")
    )


def test_every_ledger_is_what_stripes_books_say(house, sandbox):
    buyers = [Buyer(house, sandbox, number) for number in range(BUYERS)]
    with ThreadPoolExecutor(BUYERS) as pool:
        lives = [pool.submit(buyer.live) for buyer in buyers]
        kill_until(house, lives)
    assert [life.exception() for life in lives] == [None] * BUYERS
    # What was lost on the way is lost for good: the nightly look finds it.
    wait_until(lambda: waiting() == [], seconds=PATIENCE, why=lambda: str(waiting()))
    report = reconciliation.reconcile()
    wait_until(lambda: waiting() == [], seconds=PATIENCE, why=lambda: str(waiting()))
    books = sandbox.stripe.records()
    customers = dict(Customer.objects.values_list("account_id", "stripe_customer_id"))
    expected = {buyer.person.account.pk: balance(books, customers[buyer.person.account.pk]) for buyer in buyers}
    assert {buyer.person.account.pk: buyer.person.wallet.balance for buyer in buyers} == expected
    assert report.unresolved == []
    assert the_ledger_proves()
    assert len(books["sessions"]) == 3 * BUYERS
