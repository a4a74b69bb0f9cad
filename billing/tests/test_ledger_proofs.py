"""The nightly proof of the ledger: kept, measured, and mailed when it fails."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from billing.gauges import read_gauges
from billing.ledger.ledger_check import MAX_FOUND, check_all_wallets
from billing.ledger.ledger_proofs import MAX_LISTED, RETENTION, prove_ledger
from billing.models import LedgerEntry, LedgerProof, Wallet
from billing.tasks import prove_ledger as task
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import queries_of
from genvid.tests.factories import grant, make_caller
from genvid.tests.generated_rows import copy_row

pytestmark = pytest.mark.django_db


def gauges() -> dict[str, float]:
    return {metric.name: metric.samples[0].value for metric in read_gauges() if "ledger" in metric.name}


def meddle(person) -> None:
    Wallet.objects.filter(pk=person.account.pk).update(balance=F("balance") + 1)


def alarms() -> list[str]:
    return list(QueuedMail.objects.filter(key__contains="ledger").values_list("data__text", flat=True))


def test_a_proof_is_kept_with_its_figures(owner, outsider):
    task()
    proof = LedgerProof.objects.get()
    assert (proof.wallets, proof.discrepancies, proof.text, proof.seconds > 0) == (2, 0, "", True)
    assert alarms() == []


def test_a_failed_proof_names_what_is_wrong_and_alarms_staff_once_a_day(owner):
    meddle(owner)
    for _ in range(2):
        task()
    said = f"{owner.account.pk}: balance should be 30, is 31"
    assert [(proof.discrepancies, proof.text) for proof in LedgerProof.objects.all()] == [(1, said)] * 2
    (alarm,) = alarms()
    assert said in alarm


def test_a_proof_lists_the_first_discrepancies_and_counts_all(owner):
    grant(owner, 1)
    entry = LedgerEntry.objects.order_by("-sequence")[0]
    columns = {"id": "gen_random_uuid()", "sequence": "n + 100", "reference": "'x' || n", "balance_after": "-1"}
    copy_row(entry, MAX_FOUND + 100, **columns)
    proof, found = prove_ledger()
    # And the wallet's balance and its lots.
    assert proof.discrepancies == len(found) == MAX_FOUND + 2
    assert proof.text.count("\n") == MAX_LISTED
    assert proof.text.endswith(f"and {MAX_FOUND + 2 - MAX_LISTED} more: manage.py check_ledger")


def test_metrics_say_nothing_of_a_ledger_that_was_never_proved():
    assert gauges() == {}


def test_metrics_have_age_and_result_of_the_last_proof(owner):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        task()
        meddle(owner)
        task()
        clock.shift(60)
        found = gauges()
    assert (found["genvid_ledger_proof_age_seconds"], found["genvid_ledger_discrepancies"]) == (60, 1)


def test_old_proofs_are_deleted(owner):
    old = {"seconds": 1, "wallets": 1, "discrepancies": 0}
    LedgerProof.objects.create(begun_at=timezone.now() - RETENTION - timedelta(hours=1), **old)
    task()
    assert LedgerProof.objects.count() == 1


def test_the_ledger_is_proved_in_as_many_queries_for_one_wallet_as_for_ten(owner):
    few = queries_of(lambda: list(check_all_wallets()))
    for _ in range(9):
        make_caller()
    assert (few, queries_of(lambda: list(check_all_wallets()))) == (3, 3)
