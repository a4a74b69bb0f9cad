"""The parts of the benches still fit the service. The benches themselves take minutes."""

from contextlib import suppress

import pytest
from celery.exceptions import Retry

from bench.counting import StatementCounter, _covered, statements_in
from bench.measure import Figures
from bench.naive_worker import make_video as make_naively
from bench.orders import queue_videos, set_render_times
from bench.plan import BY_WEBHOOK, FULL, MANY_SHORT_POLLS, Case
from bench.plan import SHORT_POLLS as SHORT
from bench.report import tables, targets
from bench.requests import report
from bench.requests.__main__ import main as bench_requests
from bench.requests.cases import Case as RequestCase
from bench.requests.cases import make_cases
from bench.requests.measure import COUNTED, measure
from bench.requests.wsgi_calls import Request
from billing.models import Hold
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import make_video, set_balance
from videos.models import Video
from videos.queue import render_times
from videos.tests.pipeline import Money, fresh, money_of, wait_until


@pytest.fixture
def ordered(pipeline, owner) -> list[Video]:
    set_balance(owner, 1_000)
    return [Video.objects.get(pk=pk) for pk in queue_videos([owner], 3)]


def make_figures(case: Case, **changes) -> Figures:
    given = {"seconds": 9.0, "completed": case.videos, "not_completed": 0, "peak_in_flight": 200, "statements": 800}
    given |= {"transactions": 400, "cpu": dict.fromkeys(("ours", "web", "postgres", "redis", "sandbox"), 1.0)}
    given |= {"requests": {"POST /v3/videos": 400, "GET /v3/videos/{video_id}": 400, "GET /files/x": 900}}
    given |= {"seen": [0.1, 0.2], "done": [0.3, 0.4], "done_aside": [0.2, 0.3]}
    return Figures(case=case, **given | changes)


def test_videos_queued_in_bulk_have_the_rows_that_the_api_makes(ordered, owner):
    held = sum(video.credits_held for video in ordered)

    assert {(video.status, video.events.count()) for video in ordered} == {("queued", 1)}
    assert money_of(owner) == Money(balance=1_000, held=held, holds=3)


def test_videos_queued_in_bulk_go_through_the_pipeline(ordered, pipeline):
    done = [pipeline.run(video) for video in ordered]

    assert {video.status for video in done} == {"completed"}
    assert the_ledger_proves()


def test_the_pipeline_learns_the_render_times_of_the_bench_from_the_warm_up(owner):
    set_balance(owner, 1_000)
    made = [make_video(owner, "completed") for _ in range(20)]

    set_render_times(SHORT)

    learned = render_times.render_times_for(made[0].engine, made[0].estimated_seconds)
    assert 8 < learned.p50 < 12


def test_the_naive_worker_makes_a_video_and_charges_for_it(ordered):
    video = ordered[0]

    def looked() -> bool:
        with suppress(Retry):
            make_naively(str(video.pk))
        return fresh(video).status == "completed"

    wait_until(looked)
    assert fresh(video).credits_charged == Hold.objects.get(reference=video.money_reference).captured > 0
    assert len(fresh(video).file_sha256) == 64


def test_bench_counts_calls_beyond_one_order_and_one_read_as_extra():
    requests = {"POST /v3/videos": 400, "GET /v3/videos/{video_id}": 500, "GET /v3/videos/statuses": 100}

    assert make_figures(BY_WEBHOOK, requests=requests).extra_calls == 0.5


def test_the_bench_table_shows_both_designs_and_their_ratio():
    naive = make_figures(next(case for case in FULL if case.design == "naive"), statements=3200)

    row = next(line for line in tables([make_figures(BY_WEBHOOK), naive]) if line.startswith("SQL statements"))

    assert row.split()[-4:] == ["2.0", "-", "8.0", "4.0x"]


def missed(figures: Figures) -> list[str]:
    return [" ".join(target.split()) for target, kept in targets([figures]) if not kept]


def test_a_bench_whose_goals_are_met_misses_nothing():
    assert missed(make_figures(BY_WEBHOOK, done=[0.05, 0.06])) == []


def test_a_missed_bench_goal_is_named_with_its_figure():
    figures = make_figures(BY_WEBHOOK, statements=8000, not_completed=1, done=[0.05, 0.06])
    assert missed(figures) == [
        "webhooks-200-60s all 400 videos completed",
        "webhooks-200-60s SQL statements a video 20.00 of 16",
    ]


def test_bench_goals_of_polling_count_status_calls_and_refusals():
    requests = {"GET /v3/videos/statuses": 120}
    assert missed(make_figures(SHORT, requests=requests)) == ["polling-200-10s status calls a video 0.20 of 0.15"]
    assert missed(make_figures(MANY_SHORT_POLLS, refused=1)) == ["polling-2000-10s calls that HeyGen refused 1.00 of 0"]


def test_parallel_downloads_are_counted_once_in_the_bench_time():
    assert _covered([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]) == 4.0


def test_statements_are_counted_in_a_file_that_other_processes_can_read(tmp_path):
    counter = StatementCounter(tmp_path)

    answers = [counter.count(lambda *call: call[0], "SELECT 1", (), False, {}) for _ in range(3)]

    assert (answers, [*statements_in(tmp_path).values()]) == (["SELECT 1"] * 3, [3])


def request_figures(*rounds: float, beside: str = "") -> report.Figures:
    return report.Figures([*rounds], statements=4, commands=2, beside=beside)


# Without `transaction=True` the requests would close the connection that holds the test's transaction.
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_benched_request_is_timed_and_counted_and_its_orders_are_canceled(settings):
    settings.ROOT_URLCONF, settings.RATE_LIMITS = "bench.requests.urls", True
    cases = make_cases()

    result = measure(cases, rounds=2, requests=1, warm_up=1)

    assert [*result] == [case.name for case in cases]
    assert all(len(figures.rounds) == 2 and min(figures.rounds) > 0 for figures in result.values())
    assert all(figures.commands > 0 for figures in result.values() if figures.beside)
    assert {name: (each.statements, each.commands) for name, each in result.items() if not each.beside} == {
        "reference: list of 20 avatars": (3, 0),
        "reference: list of 20 videos": (3, 0),
        "reference: one video": (2, 0),
        "reference: create a video": (5, 0),
    }
    ordered = Video.objects.filter(metadata={"order": "4711"}).exclude(status="draft")
    assert [*ordered.values_list("status", flat=True)] == ["canceled"] * (1 + COUNTED + 2)


@pytest.mark.django_db
def test_a_benched_request_with_a_wrong_answer_is_not_measured():
    case = RequestCase(name="GET healthz", request=lambda: Request("GET", "/healthz"), status=201)

    with pytest.raises(RuntimeError, match=r"^GET healthz answered 200, not 201"):
        measure([case], rounds=1, requests=1, warm_up=1)


def test_bench_runs_are_pooled_and_compared_independently_of_the_machine(tmp_path, capsys, monkeypatch):
    def run(name: str, ours: list[float], reference: list[float]) -> str:
        result = {"GET x": request_figures(*ours, beside="ref"), "ref": request_figures(*reference)}
        report.write(result, tmp_path / name)
        return str(tmp_path / name)

    before, later = run("before", [100.0], [50.0]), [run("a", [100.0], [90.0]), run("b", [100.0], [110.0])]
    monkeypatch.setattr("sys.argv", ["bench.requests", "--read", *later, "--compare", before])
    bench_requests()

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["GET", "x", "100", "100", "0%", "4", "2", "1.01"]
    assert rows[5] == ["GET", "x", "100", "100", "1.00", "0.51", "+0", "+0"]
    assert rows[6] == ["ref", "50", "100", "2.00", "+0", "+0"]
