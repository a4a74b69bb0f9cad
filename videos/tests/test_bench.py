"""That what `make bench-pipeline` is made of still fits the pipeline. The bench itself takes minutes."""

from contextlib import suppress

import pytest
from celery.exceptions import Retry

from bench.counting import StatementCounter, _covered, statements_in
from bench.measure import Figures
from bench.naive_worker import make_video as make_naively
from bench.orders import queue_videos
from bench.plan import QUICK, Case
from bench.report import tables, targets
from billing.models import Hold
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import set_balance
from videos.models import Video
from videos.tests.pipeline import Money, fresh, money_of, wait_until


@pytest.fixture
def ordered(pipeline, owner) -> list[Video]:
    set_balance(owner, 1_000)
    return [Video.objects.get(pk=pk) for pk in queue_videos([owner], 3)]


def figures(case: Case, **changes) -> Figures:
    given = {"seconds": 9.0, "completed": case.videos, "not_completed": 0, "peak_in_flight": 200, "statements": 800}
    given |= {"transactions": 400, "cpu": dict.fromkeys(("ours", "web", "postgres", "redis", "sandbox"), 4.0)}
    given |= {"requests": {"POST /v3/videos": 400, "GET /v3/videos/{video_id}": 400, "GET /files/x": 900}}
    given |= {"seen": [0.1, 0.2], "done": [0.3, 0.4], "done_aside": [0.2, 0.3]}
    return Figures(case=case, **given | changes)


def test_videos_queued_in_bulk_are_as_the_api_leaves_them(ordered, owner):
    held = sum(video.credits_held for video in ordered)

    assert {(video.status, video.events.count()) for video in ordered} == {("queued", 1)}
    assert money_of(owner) == Money(balance=1_000, held=held, holds=3)


def test_they_go_through_the_pipeline(ordered, pipeline):
    done = [pipeline.run(video) for video in ordered]

    assert {video.status for video in done} == {"completed"}
    assert the_ledger_proves()


def test_the_naive_worker_makes_a_video_and_charges_for_it(ordered):
    video = ordered[0]

    def looked() -> bool:
        with suppress(Retry):
            make_naively(str(video.pk))
        return fresh(video).status == "completed"

    wait_until(looked)
    assert fresh(video).credits_charged == Hold.objects.get(reference=video.money_reference).captured > 0
    assert len(fresh(video).file_sha256) == 64


def test_calls_beyond_one_order_and_one_read_are_extra():
    requests = {"POST /v3/videos": 400, "GET /v3/videos/{video_id}": 500, "GET /v3/videos/statuses": 100}

    assert figures(QUICK[0], requests=requests).extra_calls == 0.5


def test_the_table_shows_both_designs_and_their_ratio():
    naive = figures(QUICK[2], statements=3200)

    row = next(line for line in tables([figures(QUICK[0]), naive]) if line.startswith("SQL statements"))

    assert row.split()[-4:] == ["2.0", "-", "8.0", "4.0x"]


def test_a_missed_target_is_called_missed():
    kept = dict(targets([figures(QUICK[0], not_completed=1, done_aside=[2.0, 2.0])]))

    assert list(kept.values()) == [False, True, False]


def test_downloads_side_by_side_count_once():
    assert _covered([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]) == 4.0


def test_statements_are_counted_where_others_can_read_them(tmp_path):
    counter = StatementCounter(tmp_path)

    answers = [counter.count(lambda *call: call[0], "SELECT 1", (), False, {}) for _ in range(3)]

    assert (answers, [*statements_in(tmp_path).values()]) == (["SELECT 1"] * 3, [3])
