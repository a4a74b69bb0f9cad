"""Every query for videos finds them by an index, and every index is there for such a query. PostgreSQL's own plans."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from genvid.tests.factories import Person, make_caller, make_key
from genvid.tests.query_plans import indexes_of, plan_of
from videos import gauges, upload_references, usage
from videos.admin import video_search
from videos.batch_progress import progress_of
from videos.batches import batch_actions, batch_results
from videos.enums import Status
from videos.filters import VideoFilter
from videos.lifecycle import account_erasure, retention
from videos.models import Batch, Video
from videos.pipeline import incoming_webhooks, overdue, polling, release_check, slot_claims, sweeper
from videos.provider import provider_gate
from videos.provider.gate_decisions import Trouble
from videos.queue import queue_positions, queue_snapshot, render_times
from videos.staff import pipeline_figures
from videos.streaming import changes
from videos.tests.video_rows import fill_videos

TABLE = "videos_video"
KEY, PROVIDER_ID = "videos_video_pkey", "videos_video_provider_video_id_key"
COUNT = 20_000
pytestmark = pytest.mark.django_db
NOW = timezone.now()


@dataclass(frozen=True)
class Rows:
    owner: Person
    """Of half of the videos."""
    account: UUID
    """Of fifty or so."""
    batch: Batch
    video: Video
    """Queued, of `account`."""

    def listed(self, account: UUID, **query: str) -> list[Video]:
        mine = Video.objects.of_account(account).order_by("-created_at", "-id")
        return list(VideoFilter(query, queryset=mine).qs[:21])

    def span(self) -> usage.Span:
        today = timezone.now().date()
        return usage.Span(today - timedelta(days=3), today)


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[Rows]:
    with django_db_blocker.unblock(), transaction.atomic():
        owner = make_caller()
        fill_videos(owner, make_key(owner).key, COUNT)
        waits = Video.objects.filter(status=Status.QUEUED, is_test=False).exclude(account=owner.account)
        video = waits.order_by("queued_at")[0]
        made = Batch.objects.filter(videos__isnull=False)
        yield Rows(owner, video.account_id, made[0], video)
        transaction.set_rollback(True)


Call = Callable[[Rows], Any]
QUERIES: dict[str, tuple[Call, set[str]]] = {
    # What clients ask for
    "first page": (lambda rows: rows.listed(rows.account), {"video_page"}),
    "first page of a large account": (
        lambda rows: rows.listed(rows.owner.account.pk),
        {"video_page", "video_newest"},
    ),
    "processing ones of a large account": (
        lambda rows: rows.listed(rows.owner.account.pk, status="processing"),
        {"video_being_made"},
    ),
    "queued ones of a large account": (
        lambda rows: rows.listed(rows.owner.account.pk, status="queued"),
        {"video_queue"},
    ),
    "page of a batch": (
        lambda rows: rows.listed(rows.batch.account_id, batch_id=str(rows.batch.pk)),
        {"video_batch_rows"},
    ),
    "one video": (lambda rows: Video.objects.of_account(rows.account).get(pk=rows.video.pk), {KEY}),
    "changes for streams": (lambda rows: changes.read_changes({rows.video.pk: NOW}, {}), {KEY}),
    "usage by day": (
        lambda rows: usage.usage_by_day(rows.account, rows.span()),
        {"video_usage_created", "video_usage_ended"},
    ),
    "usage by key": (
        lambda rows: usage.usage_by_key(rows.account, rows.span()),
        {"video_usage_created", "video_usage_ended"},
    ),
    "outcomes for staff": (lambda rows: pipeline_figures._outcomes(timedelta(days=1)), {"video_ended"}),
    "progress of batches": (lambda rows: progress_of([rows.batch]), {"video_batch_rows"}),
    "results of a batch": (lambda rows: list(batch_results.pages_of(rows.batch)), {"video_batch_rows"}),
    "rest of a canceled batch": (
        lambda rows: batch_actions._cancel_chunk(rows.batch.pk),
        {"video_queue", "video_batch_rows"},
    ),
    # Staff
    "newest of all": (lambda rows: list(Video.objects.order_by("-created_at", "-id")[:50]), {"video_newest"}),
    "found by staff by any id": (
        lambda rows: [Video.objects.filter(each).exists() for each in video_search._exact(str(rows.account))],
        {KEY, PROVIDER_ID, "video_of_request"},
    ),
    "export": (lambda rows: list(Video.objects.filter(account__in=[rows.account])), {"video_usage_created"}),
    # The queue
    "whether anything waits": (lambda rows: Video.objects.live().orderable().exists(), {"video_queue"}),
    "whether a test video waits": (lambda rows: Video.objects.test().queued().exists(), {"video_queue"}),
    "queues of all accounts": (
        lambda rows: queue_positions.account_queues(),
        {"video_queue", "video_being_made", "video_rendered"},
    ),
    "newer than the queue's snapshot": (
        lambda rows: list(Video.objects.queued_after(rows.video.queued_at, [rows.account])),
        {"video_queue"},
    ),
    "the queue's snapshot for an account": (lambda rows: queue_snapshot.read(rows.account), {"video_queue"}),
    "what the queue's snapshot is made of": (
        lambda rows: queue_snapshot.refresh(),
        {"video_queue", "video_being_made", "video_rendered"},
    ),
    "oldest orders of an account": (lambda rows: slot_claims.claim_oldest({rows.account: 3}), {"video_queue", KEY}),
    "probes of the gate": (
        lambda rows: provider_gate.allowance(provider_gate.read(), timezone.now()),
        {"video_being_made"},
    ),
    "orders taken from others": (lambda rows: _blame(rows.video), {KEY, "video_rendered", "video_being_made"}),
    "orders that await a release": (lambda rows: release_check.update_waiting_reasons(), {"video_queue", KEY}),
    # The pipeline
    "renders to poll": (lambda rows: polling._due_renders(), {"video_being_made"}),
    "renders due soon": (lambda rows: polling._renders_due_soon(50, []), {"video_being_made", "video_rendered"}),
    "test renders": (lambda rows: list(Video.objects.test().rendering().due()[:2]), {"video_being_made"}),
    "polls to bring forward": (lambda rows: polling.poll_sooner(), {"video_being_made", "video_rendered"}),
    "renders without a webhook": (lambda rows: incoming_webhooks._missing_since(NOW), {"video_being_made"}),
    "video of a webhook": (lambda rows: Video.objects.filter(provider_video_id="0123").first(), {PROVIDER_ID}),
    "steps that were lost": (lambda rows: sweeper.enqueue_due(), {"video_being_made"}),
    "overdue": (lambda rows: overdue.end_overdue(), {"video_deadlines"}),
    "batches to cancel": (lambda rows: sweeper.enqueue_cancellations(), {"video_queue", "video_batch_rows"}),
    "deleted ones to purge": (lambda rows: sweeper.enqueue_purges(), {"video_to_purge"}),
    "render times": (lambda rows: render_times._samples(), {"video_rendered"}),
    "whether webhooks arrive": (lambda rows: render_times._webhooks_arrive(), {"video_rendered"}),
    # Retention, erasure, metrics, mail
    "expiring soon": (lambda rows: retention.warn_of_expiry(), {"video_expiring"}),
    "expired": (lambda rows: retention.expire_due(), {"video_expiring"}),
    "failed ones with files": (lambda rows: retention.clear_failed(), {"video_rendered"}),
    "renders to delete": (lambda rows: retention.enqueue_render_deletions(), {"video_kept_at_heygen"}),
    "old words of HeyGen": (lambda rows: retention.clear_provider_texts(), {"video_words_old"}),
    "erasure of an account": (lambda rows: _erase(rows.account), {"video_usage_created"}),
    "erasure of a key": (lambda rows: Video.objects.filter(api_key=uuid4()).update(api_key=None), {"video_of_key"}),
    # Own material
    "uploads in use": (
        lambda rows: upload_references.of_videos([uuid4(), uuid4()]),
        {"video_of_picture", "video_of_audio", "video_of_background"},
    ),
    "videos of a speech": (lambda rows: Video.objects.filter(speech__in=[uuid4()]).exists(), {"video_of_speech"}),
    "gauges": (lambda rows: list(gauges.read_gauges(NOW)), {"video_queue", "video_being_made"}),
}


def _blame(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(gate_tripped_at=timezone.now())
    trouble = Trouble("insufficient_credits", "Empty", needs_staff=True)
    provider_gate._is_to_blame(video, trouble)


def _erase(account: UUID) -> None:
    mine = Video.objects.filter(account=account)
    mine.filter(status__in=(Status.QUEUED, Status.STORING)).count()
    account_erasure._undeleted(mine).count()


SIMILAR = {"video_usage_created"}
"""It begins with the account, too: where few of its rows match, PostgreSQL takes it as well, as its statistics fall."""


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_for_videos_uses_its_index(rows, name):
    call, indexes = QUERIES[name]
    plan = plan_of(lambda: call(rows), TABLE)
    assert (plan.indexes - indexes - SIMILAR, plan.whole) == (set(), [])
    assert plan.indexes & (indexes | SIMILAR)


def test_every_index_of_videos_is_used_by_a_query(rows):
    used = set().union(*(indexes for _, indexes in QUERIES.values()))
    assert set(indexes_of(TABLE)) == used


def test_no_index_of_videos_names_a_column_that_leases_and_polls_change():
    """PostgreSQL then writes no index for them: neither keys nor conditions may name such a column."""
    changing = {"status", "due_at", "tries", "calls", "waiting_reason", "updated_at", "moved_at", "render_links"}
    changing |= {"credits_held", "credits_charged", "progress_floor", "eta_ceiling", "stuck_at", "learned_by"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT attname FROM pg_depend JOIN pg_index ON objid = indexrelid "
            "JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid "
            "WHERE indrelid = %s::regclass AND refobjid = indrelid AND refobjsubid > 0",
            [TABLE],
        )
        named = {name for (name,) in cursor.fetchall()}
    assert ({"submitted_at", "provider_error"} <= named, named & changing) == (True, set())
