"""The metrics of the pipeline on the Prometheus page, and the log line of each move."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import Delivery, WebhookEndpoint
from accounts.webhooks import outgoing_events
from billing.models import Wallet
from genvid.heygen.heygen_errors import OperatorProblem
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_caller, make_video
from genvid.tests.test_metrics import series
from videos import settlement
from videos.enums import LearnedBy, Status
from videos.models import ProviderState, ProviderWebhook, Video, WebhookDelivery, seconds_from_now
from videos.provider import provider_gate
from videos.tests.pipeline import fresh
from videos.tests.test_incoming_webhooks import SECRET, post_delivery, success, work_off_all

pytestmark = pytest.mark.django_db


def metrics_page() -> dict[tuple[str, tuple[str, ...]], float]:
    return series(Client().get("/metrics"))


def gauge(name: str, *labels: str) -> float:
    return metrics_page()["genvid_" + name, labels]


@pytest.fixture
def counts(django_capture_on_commit_callbacks):
    """How much a counter grows by an action whose transaction then commits."""

    def of(action, name: str, *labels: str) -> float:
        before = metrics_page().get(("genvid_" + name, labels), 0)
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return metrics_page().get(("genvid_" + name, labels), 0) - before

    return of


@pytest.fixture
def endpoint() -> ProviderWebhook:
    return ProviderWebhook.objects.create(endpoint_id="ep_1", url="http://testserver/webhooks/heygen/", secret=SECRET)


# ── Gauges


def test_videos_are_counted_by_status(owner):
    for status in ("queued", "queued", "rendering", "completed", "draft"):
        make_video(owner, status)
    found = {labels[0]: value for (name, labels), value in metrics_page().items() if name == "genvid_videos"}
    assert found == {"queued": 2, "submitting": 0, "rendering": 1, "storing": 0}


def test_videos_of_test_keys_are_not_counted_as_heygens(owner):
    make_video(owner, "rendering", is_test=True)
    assert (gauge("videos", "rendering"), gauge("slots_used")) == (0, 0)


def test_the_age_metric_is_that_of_the_oldest_waiting_video(owner):
    make_video(owner, "rendering")
    begun = timezone.now() - timedelta(seconds=500)
    make_video(owner, "rendering", moved_at=begun)
    assert 500 <= gauge("oldest_seconds", "rendering") <= (timezone.now() - begun).total_seconds()
    assert gauge("oldest_seconds", "storing") == 0


def test_slots_in_use_and_their_limit_are_measured(owner, settings):
    settings.HEYGEN_MAX_CONCURRENT = 7
    for status in ("submitting", "rendering", "storing"):
        make_video(owner, status)
    ProviderState.objects.create(name=provider_gate.NAME, learned_limit=4, learned_at=timezone.now())
    assert [gauge(f"slots_{name}") for name in ("used", "limit", "max")] == [2, 4, 7]


def test_the_state_of_the_gate_is_measured():
    assert [gauge(f"gate_{name}") for name in ("closed", "paused", "needs_staff")] == [0, 0, 0]
    provider_gate.trip(OperatorProblem("unauthorized"))
    provider_gate.pause("sam@example.com")
    assert [gauge(f"gate_{name}") for name in ("closed", "paused", "needs_staff")] == [1, 1, 1]


def test_credits_held_and_wallets_that_owe_are_measured(owner, outsider):
    video = make_video(owner)
    Wallet.objects.filter(pk=outsider.account.pk).update(balance=-5)
    assert (gauge("credits_held"), gauge("wallets_overdrawn")) == (video.credits_held, 1)


def test_waiting_webhook_deliveries_of_heygen_are_counted():
    WebhookDelivery.objects.create(key="a", event_type="avatar_video.success", payload={})
    WebhookDelivery.objects.create(key="b", event_type="x", payload={}, processed_at=timezone.now())
    assert gauge("webhook_backlog") == 1


def test_webhooks_to_clients_that_are_due_are_counted(owner):
    endpoint = WebhookEndpoint.objects.create(
        account=owner.account, url="https://client.example/hook", events=["*"], secret="whsec_x"
    )
    outgoing_events.publish(owner.account.pk, "video.completed", {}, object_id="1")
    outgoing_events.publish(owner.account.pk, "video.completed", {}, object_id="2")
    later = Delivery.objects.filter(endpoint=endpoint).order_by("pk").first()
    Delivery.objects.filter(pk=later.pk).update(next_attempt_at=seconds_from_now(60))
    assert gauge("outbox_backlog") == 1


def test_the_metrics_page_takes_as_many_queries_for_one_video_as_for_twenty(owner):
    make_video(owner)
    before = queries_of(metrics_page)
    for status in ("queued", "rendering", "storing", "completed"):
        for _ in range(5):
            make_video(make_caller(), status)
    assert (queries_of(metrics_page), before) == (15, 15)


def test_counters_stay_on_the_metrics_page_without_a_database(monkeypatch):
    def away(*_: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(connection, "cursor", away)
    found = metrics_page()
    assert (found["genvid_gauges_readable", ()], ("genvid_credits_held", ()) in found) == (0, False)


# ── Counts


@pytest.mark.parametrize(
    ("status", "step", "stage"),
    [
        ("queued", Status.SUBMITTING, "queue_wait"),
        ("submitting", Status.RENDERING, "submit"),
        ("rendering", Status.STORING, "render"),
        ("storing", Status.COMPLETED, "store"),
    ],
)
def test_each_stage_of_a_video_is_timed(owner, counts, status, step, stage):
    video = make_video(owner, status, moved_at=seconds_from_now(-65))
    assert counts(lambda: fresh(video).move(step, reason="test"), f"{stage}_seconds_bucket", "120.0") == 1
    assert counts(lambda: fresh(video).move(step, reason="again"), f"{stage}_seconds_bucket", "120.0") == 0


def test_a_failed_video_is_counted_with_its_error_code(owner, counts):
    video = make_video(owner, "rendering")
    words = {"code": "render_timeout", "message": "Late.", "retryable": True, "reason": "test"}
    assert (
        counts(lambda: settlement.fail_video(video, **words), "videos_settled_total", "render_timeout", "failed") == 1
    )


def test_a_canceled_video_is_counted_as_canceled(owner, counts):
    video = make_video(owner)
    assert counts(lambda: settlement.cancel_video(video, reason="test"), "videos_settled_total", "", "canceled") == 1


def test_a_finished_render_is_counted_by_how_we_learned_of_it(owner, counts):
    video = make_video(owner, "rendering")
    assert counts(lambda: video.move(Status.STORING, reason="x", learned_by=LearnedBy.WEBHOOK),
                  "completions_total", "webhook") == 1  # fmt: skip


def test_a_move_that_is_rolled_back_is_not_counted(owner):
    video = make_video(owner)
    before = metrics_page().get(("genvid_videos_settled_total", ("", "canceled")), 0)
    settlement.cancel_video(video, reason="never committed: the test's transaction is open")
    assert metrics_page().get(("genvid_videos_settled_total", ("", "canceled")), 0) == before


def test_a_poll_and_its_video_ids_are_counted(pipeline, owner, counts):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.submit(pipeline.order(owner))
    assert counts(lambda: pipeline.poll(video), "poll_calls_total") == 1
    assert counts(lambda: pipeline.poll(video), "polled_ids_total") == 1


@pytest.mark.parametrize(
    ("deliveries", "received"),
    [([{}], "fresh"), ([{}, {}], "again"), ([{"Heygen_Signature": "0" * 64}], "forged")],
)
def test_a_delivery_is_counted_as_fresh_repeated_or_forged(client, endpoint, counts, deliveries, received):
    def action() -> None:
        for headers in deliveries:
            post_delivery(client, success(), **headers)

    assert counts(action, "webhook_deliveries_total", received) == 1


def test_a_delivery_is_counted_by_its_outcome(client, endpoint, counts):
    post_delivery(client, success(kind="avatar.created"))
    assert counts(work_off_all, "webhook_outcomes_total", "not for us") == 1


# ── The log line of a move


def test_the_log_line_of_a_move_has_every_field(owner, caplog, django_capture_on_commit_callbacks):
    begun = seconds_from_now(-90)
    video = make_video(owner, "queued", moved_at=begun)
    caplog.set_level("INFO")
    with django_capture_on_commit_callbacks(execute=True):
        video.move(Status.SUBMITTING, reason="slot", attempt=1)
    (line,) = [record.msg for record in caplog.records if record.msg["event"] == "video_moved"]
    said = {name: line[name] for name in ("video_id", "account_id", "from", "to", "reason", "attempt")}
    assert said == {
        "video_id": str(video.pk),
        "account_id": str(owner.account.pk),
        "from": "queued",
        "to": "submitting",
        "reason": "slot",
        "attempt": 1,
    }
    assert 90 <= line["seconds"] <= (timezone.now() - begun).total_seconds()


def test_the_logged_time_in_a_status_starts_with_the_move(owner):
    video, before = make_video(owner, moved_at=seconds_from_now(-90)), timezone.now()
    video.move(Status.SUBMITTING, reason="slot")
    assert before <= Video.objects.get(pk=video.pk).moved_at <= timezone.now()
