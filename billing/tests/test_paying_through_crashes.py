"""Customers pay while web and workers are killed and webhooks get lost: in the end the ledgers equal Stripe's lists."""

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
from billing.tests.stripe_model import expected_balance
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
def deployment(tmp_path: Path, sandbox: SandboxProcess, settings: Any) -> Iterator[list[OwnProcess]]:
    """One web and two workers; the sandbox's Stripe loses, repeats and delays deliveries."""
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
    """Buys three plans, and has some payments refunded or disputed."""

    def __init__(self, deployment: list[OwnProcess], sandbox: SandboxProcess, number: int) -> None:
        self.person: Person = make_caller()
        self.url = str(deployment[0].url)
        self.stripe, self.number = sandbox.stripe, number
        self.dice = random.Random(number)

    def live(self) -> None:
        try:
            self.buy_all()
        finally:
            connections.close_all()

    def buy_all(self) -> None:
        for step, code in enumerate(("pack-100", "pro-month", "pack-500")):
            session = self.stripe.pay(self.pay_page(code, f"{self.number}-{step}"))
            if session["payment_intent"] and self.dice.random() < 0.6:
                self.refund_or_dispute(session["payment_intent"])
            if session["subscription"]:
                self.stripe.renew(session["subscription"])

    def refund_or_dispute(self, payment_intent_id: str) -> None:
        if self.dice.random() < 0.5:
            self.stripe.refund(payment_intent_id, amount=self.dice.choice([300, 1_200]))
        else:
            dispute = self.stripe.dispute(payment_intent_id)
            self.stripe.close_dispute(dispute["id"], self.dice.choice(["won", "lost"]))

    def pay_page(self, code: str, key: str) -> str:
        """Repeats the request until it succeeds."""
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


def kill_until(deployment: list[OwnProcess], lives: list[Future[None]]) -> None:
    """Kills and restarts the processes in turn; from this thread, since a thread's processes end with it."""
    for number in count():
        process = deployment[number % len(deployment)]
        process.kill9()
        process.start()
        if number + 1 >= KILLS and not wait(lives, timeout=0.5).not_done:
            return


def waiting() -> list[tuple[str, ...]]:
    """Syncs that are still due."""
    return list(
        StripeSync.objects.filter(due_at__isnull=False).values_list("kind", "object_id", "error", "due_at", "tries")
    )


def test_every_ledger_equals_stripes_lists_after_crashes(deployment, sandbox):
    buyers = [Buyer(deployment, sandbox, number) for number in range(BUYERS)]
    with ThreadPoolExecutor(BUYERS) as pool:
        lives = [pool.submit(buyer.live) for buyer in buyers]
        kill_until(deployment, lives)
    assert [life.exception() for life in lives] == [None] * BUYERS
    # The reconciliation finds purchases whose events were lost.
    wait_until(lambda: waiting() == [], seconds=PATIENCE, why=lambda: str(waiting()))
    report = reconciliation.reconcile()
    wait_until(lambda: waiting() == [], seconds=PATIENCE, why=lambda: str(waiting()))
    lists = sandbox.stripe.records()
    customers = dict(Customer.objects.values_list("account_id", "stripe_customer_id"))
    expected = {
        buyer.person.account.pk: expected_balance(lists, customers[buyer.person.account.pk]) for buyer in buyers
    }
    assert {buyer.person.account.pk: buyer.person.wallet.balance for buyer in buyers} == expected
    assert report.unresolved == []
    assert the_ledger_proves()
    assert len(lists["sessions"]) == 3 * BUYERS
