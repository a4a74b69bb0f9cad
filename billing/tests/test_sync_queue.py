"""Queue of Stripe syncs: one row per object, leases, retries, retention."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing import jobs
from billing.enums import SyncKind
from billing.models import Payment, StripeSync
from billing.stripe import event_types
from billing.stripe.event_types import EVENT_TYPES
from billing.stripe_sync import sync_queue
from genvid.jobs import backlog, enqueue
from genvid.mail import outbox
from genvid.tests.asserts import lies_ahead
from genvid.tests.clocks import still_clocks
from genvid.tests.test_metrics import series

pytestmark = pytest.mark.django_db
CHARGE = {"id": "ch_1", "object": "charge"}


@pytest.mark.parametrize(
    ("event_type", "obj", "target"),
    [
        ("charge.refunded", {"id": "ch_1"}, (SyncKind.CHARGE, "ch_1")),
        ("charge.dispute.created", {"id": "du_1", "charge": "ch_1"}, (SyncKind.CHARGE, "ch_1")),
        ("refund.failed", {"id": "re_1", "charge": "ch_1"}, (SyncKind.CHARGE, "ch_1")),
        ("radar.early_fraud_warning.created", {"id": "issfr_1", "charge": "ch_1"}, (SyncKind.CHARGE, "ch_1")),
        ("checkout.session.completed", {"id": "cs_1"}, (SyncKind.SESSION, "cs_1")),
        ("invoice.paid", {"id": "in_1"}, (SyncKind.INVOICE, "in_1")),
        ("customer.subscription.deleted", {"id": "sub_1"}, (SyncKind.SUBSCRIPTION, "sub_1")),
        ("payment_intent.succeeded", {"id": "pi_1"}, (SyncKind.PAYMENT_INTENT, "pi_1")),
        ("customer.deleted", {"id": "cus_1"}, (SyncKind.CUSTOMER, "cus_1")),
        ("refund.created", {"id": "re_1", "charge": None}, None),
        ("product.created", {"id": "prod_1"}, None),
    ],
)
def test_the_target_of_a_sync_follows_from_the_event(event_type, obj, target):
    assert event_types.target_of(event_type, obj) == target


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_subscribed_event_type_has_a_sync_target(event_type):
    assert event_types.target_of(event_type, {"id": "x_1", "charge": "ch_1"}) is not None


def test_many_events_of_one_object_are_one_sync():
    for _ in range(3):
        sync_queue.request_sync_for_event("charge.refunded", CHARGE)
    assert list(StripeSync.objects.values_list("object_id", "version")) == [("ch_1", 3)]


def test_a_sync_that_is_not_due_does_not_run():
    row = sync_queue.request_sync(SyncKind.CHARGE, "ch_1")
    StripeSync.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert sync_queue.run_sync(row.pk) is False
    assert StripeSync.objects.get().tries == 0


def test_the_sync_of_an_object_unknown_to_stripe_ends(sandbox):
    row = sync_queue.request_sync(SyncKind.CHARGE, "ch_nobody_knows")
    assert sync_queue.run_sync(row.pk) is True
    row.refresh_from_db()
    assert (row.due_at, row.error, Payment.objects.count()) == (None, "", 0)


def test_the_pause_grows_with_each_unexpected_failure_of_a_sync():
    row = sync_queue.request_sync(SyncKind.CHARGE, "ch_1")
    StripeSync.objects.update(kind="unheard_of")
    for wait in (5, 10, 20, 40, 80, 160, 320, 640, 900):
        before = timezone.now()
        StripeSync.objects.update(due_at=before)
        sync_queue.run_sync(row.pk)
        row.refresh_from_db()
        assert lies_ahead(row.due_at, wait, since=before)


def test_a_sync_of_a_dead_worker_is_due_again_after_its_lease(settings, sandbox):
    row = sync_queue.request_sync(SyncKind.CHARGE, "ch_1")
    now = timezone.now()
    StripeSync.objects.update(due_at=now + timedelta(seconds=settings.BILLING_LEASE), tries=1)
    assert sync_queue.sweep_syncs() == 0
    with still_clocks(now + timedelta(seconds=settings.BILLING_LEASE + 1)):
        assert sync_queue.sweep_syncs() == 1
        assert sync_queue.run_sync(row.pk) is True
    assert StripeSync.objects.get().due_at is None


def test_the_sweep_does_not_lengthen_a_full_queue(monkeypatch):
    row = sync_queue.request_sync(SyncKind.CHARGE, "ch_1")
    monkeypatch.setattr(sync_queue, "BATCH_SIZE", backlog(jobs.RUN_SYNC) + 1)
    enqueue(jobs.RUN_SYNC, str(row.pk))
    assert sync_queue.sweep_syncs() == 0
    monkeypatch.setattr(sync_queue, "BATCH_SIZE", backlog(jobs.RUN_SYNC) + 1)
    assert sync_queue.sweep_syncs() == 1


def test_finished_syncs_are_deleted_after_their_retention_and_failed_ones_kept():
    old = timezone.now() - timedelta(days=61)
    for object_id, error in (("ch_1", ""), ("ch_2", "not_found")):
        StripeSync.objects.create(kind="charge", object_id=object_id, due_at=None, noted_at=old, error=error)
    assert (sync_queue.delete_finished_syncs(), StripeSync.objects.get().object_id) == (1, "ch_2")


def test_the_metrics_show_due_and_failed_syncs():
    now = timezone.now()
    StripeSync.objects.create(kind="charge", object_id="ch_1", due_at=now - timedelta(seconds=90))
    StripeSync.objects.create(kind="charge", object_id="ch_2", due_at=now + timedelta(hours=1))
    StripeSync.objects.create(kind="charge", object_id="ch_3", due_at=None, error="not_found")
    outbox.write("billing.receipt")
    page = series(Client().get("/metrics"))
    names = ("genvid_stripe_looks_due", "genvid_stripe_looks_stuck", "genvid_letters_due")
    assert [page[name, ()] for name in names] == [1, 1, 1]
    late = (timezone.now() - now).total_seconds() + 90
    assert 90 <= page["genvid_stripe_looks_late_seconds", ()] <= late
