"""`make bench-web` without its load: rows, requests, counting, table and goals."""

import asyncio
import json
import uuid

import pytest
from django.core.cache import cache

from accounts.models import Account, Membership, Session, User
from avatars.models import Avatar
from bench.web import goals, load, load_client, results, rows, traffic
from bench.web.callers import make_traffic
from bench.web.calls import CALLS, TITLES
from bench.web.load import Load, LoadError
from bench.web.results import Counts, Figures, Result
from bench.web.server_counts import statements_in
from bench.web.sizes import AVATARS, TEAM, Size
from bench.web.stack import image_application, image_environment
from billing.models import Hold, Wallet
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import JsonClient
from videos.models import Video

SMALL = Size(videos=1_000, large=100, owners=30, accounts=40, waiting=80, rounds=1, seconds=1, warm_up=1)
LINE = 'figures {"requests": 300, "seconds": 2.0, "p50": 4.5, "p99": 20.25, "refused": 0, "broken": 0}'


@pytest.fixture
def loaded(db, monkeypatch):
    """The rows of a small run. VACUUM cannot run in the transaction of a test."""
    monkeypatch.setattr(rows, "settle", lambda: None)
    rows.load(SMALL)
    cache.clear()


def of_rates(*rates: float, p99: float = 10.0, counts: Counts | None = None) -> Figures:
    return Figures([Load(int(rate), 1.0, p50=5.0, p99=p99, cpu=900.0) for rate in rates], counts)


def make_result(**calls: tuple[Figures, Figures]) -> Result:
    return Result({}, {name: {"ours": ours, "reference": theirs} for name, (ours, theirs) in calls.items()})


def missed(result: Result) -> list[str]:
    return [goal for goal, kept in goals.checks(result) if not kept]


def answer_to(request: bytes):
    """The answer of our application to a request as the bench sends it."""
    head, _, body = request.replace(traffic.KEY, uuid.uuid4().hex.encode()).decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ") for line in lines)
    del headers["Host"]
    return JsonClient().generic(
        method, path, body, content_type=headers.pop("Content-Type", "application/json"), headers=headers
    )


def test_loaded_accounts_have_people_sessions_and_credits_that_the_ledger_proves(loaded):
    assert [model.objects.count() for model in (User, Membership, Session)] == [40 + TEAM] * 3
    assert (Account.objects.count(), Wallet.objects.count()) == (41, 41)
    assert the_ledger_proves()


def test_loaded_videos_are_shared_by_the_accounts_and_the_largest_has_its_number(loaded):
    counts = [Video.objects.filter(account=account).count() for account in Account.objects.all()]

    assert (sum(counts), max(counts), counts.count(0)) == (1_000, 100, 10)
    assert min(count for count in counts if count) >= 20
    assert set(Video.objects.values_list("status", flat=True)) == {"completed", "failed", "canceled", "draft"}


def test_waiting_videos_are_of_all_accounts_and_have_holds_that_the_ledger_proves(loaded):
    rows.load_waiting(SMALL)

    waiting = Video.objects.filter(status="queued")
    assert (waiting.count(), waiting.values("account").distinct().count(), Hold.objects.count()) == (80, 40, 80)
    assert the_ledger_proves()


def test_what_the_bench_ordered_is_removed_and_nothing_else(loaded):
    begun = Video.objects.latest("created_at").created_at
    create = next(make_traffic(SMALL)["ours"].create())
    assert answer_to(create).status_code == 201

    rows.forget_created(begun)

    assert (Video.objects.count(), Hold.objects.count()) == (1_000, 0)
    assert the_ledger_proves()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_our_server_accepts_the_requests_of_each_call(loaded, call):
    requests = call.among(make_traffic(SMALL)["ours"])

    assert answer_to(next(iter(requests))).status_code in (200, 201)


def test_both_servers_get_the_same_requests_but_for_paths_names_and_sign_ins(loaded):
    both = make_traffic(SMALL)

    ours, theirs = (
        [text.replace(server.path("videos").encode(), b"/videos") for text in both[server.name].page()]
        for server in (traffic.OURS, traffic.REFERENCE)
    )
    assert ours == theirs
    assert {each.email for each in both["ours"].signers} & {each.email for each in both["reference"].signers} == set()


def test_the_mix_has_its_shares(loaded):
    mixed = make_traffic(SMALL)["ours"].mix()

    pages = sum(text.startswith(b"GET /api/v1/videos HTTP") for text in mixed)
    single = sum(text.startswith(b"GET /api/v1/videos/") for text in mixed)
    avatars = sum(text.startswith(b"GET /api/v1/avatars HTTP") for text in mixed)
    orders = sum(text.startswith(b"POST /api/v1/videos HTTP") for text in mixed)
    assert (single, pages, avatars, orders) == (1_000, 500, 400, 100)


def test_a_row_of_a_field_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"^Avatar has no colour$"):
        rows.insert(Avatar, "generate_series(1, 2) n", colour="'red'")


def test_loaded_catalogue_is_offered_to_clients(loaded):
    assert Avatar.objects.offered_to(Account.objects.first().pk).count() == AVATARS


def test_a_request_is_written_as_it_goes_over_the_wire(tmp_path):
    text = traffic.request("POST", "/x", token="t", body={"a": 1}, with_key=True)

    assert text.split(b"\r\n") == [
        b"POST /x HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Accept: application/json",
        b"User-Agent: bench",
        b"Authorization: Bearer t",
        b"Idempotency-Key: \x1f",
        b"Content-Type: application/json",
        b"Content-Length: 8",
        b"",
        b'{"a": 1}',
    ]
    assert traffic.write([text, b"second"], tmp_path / "x").read_bytes() == b"\x1e" + text + b"\x1esecond"


def test_figures_of_a_load_are_read_from_the_clients_output():
    found = load.parse(f"Running 2s test\n{LINE}\nRequests/sec: 150\n")

    assert found == Load(requests=300, seconds=2.0, p50=4.5, p99=20.25)
    assert found.rate == 150.0


def test_output_without_figures_is_an_error():
    with pytest.raises(LoadError, match=r"^no figures in: unable to connect$"):
        load.parse("unable to connect")


@pytest.mark.parametrize(
    ("requests", "refused", "broken"),
    [(0, 0, 0), (300, 1, 0), (300, 0, 1)],
)
def test_a_load_with_refusals_or_without_answers_is_not_measured(requests, refused, broken):
    with pytest.raises(LoadError, match=rf"^page: {refused} of {requests} answers were refusals, {broken} did not"):
        load.checked(Load(requests, 2.0, 4.5, 20.0, refused, broken), "page")


def test_a_machine_without_wrk_is_measured_with_our_own_client(monkeypatch, tmp_path):
    monkeypatch.setattr(load.shutil, "which", lambda name: None)

    words = load.command("http://127.0.0.1:1", tmp_path / "x", clients=32, seconds=2.5)

    assert (words[1:5], words[-2:]) == (
        ["-m", "bench.web.load_client", "http://127.0.0.1:1", str(tmp_path / "x")],
        ["32", "2.5"],
    )
    assert load.client_name() == "bench.web.load_client"


def test_our_own_client_sends_every_request_in_turn_with_keys_of_its_own(tmp_path):
    seen: list[bytes] = []

    async def serve(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            seen.append(head)
            status = b"404 Not Found" if b"/b" in head else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")

    async def run():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return await load_client.run(url, file, "k", clients=2, seconds=0.2)

    texts = [traffic.request("GET", "/a"), traffic.request("GET", "/b", with_key=True)]
    file = traffic.write(texts, tmp_path / "requests")
    found = asyncio.run(run())

    assert found["requests"] == len(seen) > 4
    assert found["refused"] == sum(b"GET /b" in head for head in seen) > 1
    keys = [head for head in seen if b"Idempotency-Key" in head]
    assert len({*keys}) == len(keys)


def test_latencies_of_our_own_client_are_quantiles_of_all_answers():
    found = load_client.figures([(float(number), 200) for number in range(1, 102)] + [(51.0, 500), (51.0, 0)], 2.0)

    assert found == {
        "requests": 103,
        "seconds": 2.0,
        "p50": 51.0,
        "p99": pytest.approx(99.98),
        "refused": 1,
        "broken": 1,
    }


def test_statements_are_counted_in_the_log_of_postgresql_without_the_transaction_around_them():
    log = """2026-11-29 22:00:00.000 UTC [7] LOG:  statement: BEGIN
2026-11-29 22:00:00.001 UTC [7] LOG:  execute <unnamed>: SELECT 1
\tFROM x
2026-11-29 22:00:00.001 UTC [7] DETAIL:  Parameters: $1 = 'LOG:'
2026-11-29 22:00:00.002 UTC [7] LOG:  statement: SAVEPOINT "s1"
2026-11-29 22:00:00.002 UTC [7] LOG:  execute _pg3_0: INSERT INTO y
2026-11-29 22:00:00.003 UTC [7] LOG:  statement: RELEASE SAVEPOINT "s1"
2026-11-29 22:00:00.003 UTC [7] LOG:  statement: COMMIT
"""

    assert statements_in(log) == (4, 2)


def test_the_servers_are_started_as_the_image_starts_them():
    given = {"GRANIAN_INTERFACE": "wsgi", "GRANIAN_WORKERS": "2", "GRANIAN_BLOCKING_THREADS": "2"}

    assert image_application() == "genvid.wsgi:application"
    assert {name: image_environment().get(name) for name in given} == given


def test_a_ratio_is_the_median_over_rounds_that_followed_each_other():
    result = make_result(page=(of_rates(200, 300, 900), of_rates(100, 300, 300)))

    assert (result.ratio("page"), result.figures("page", "ours").rate) == (2.0, 300.0)


def test_the_table_shows_both_servers_their_ratio_and_what_a_request_asks_for():
    counts = Counts(statements=1, savepoints=0, trips=2)
    result = make_result(page=(of_rates(1_500, p99=42.0, counts=counts), of_rates(500, counts=Counts(3, 0, 0))))

    header, row = results.table(result, TITLES)

    assert header.split()[:3] == ["ours/s", "p50", "p99"]
    assert row.split() == [
        *("GET", "videos,", "first", "page"),
        *("1,500", "5.0", "42.0", "500", "5.0", "10.0", "3.00", "900", "900", "1", "2", "3"),
    ]


def test_a_call_that_is_only_counted_has_no_rates_in_the_table():
    result = make_result(create_waiting=(Figures(counts=Counts(9, 0, 2)), Figures(counts=Counts(5, 0, 0))))

    assert [*results.table(result, TITLES)][1].split()[-3:] == ["9", "2", "5"]
    assert not result.was_loaded("create_waiting")


def test_a_call_that_ended_before_the_reference_was_asked_has_no_ratio():
    result = make_result(page=(of_rates(100), Figures()))

    assert [*results.table(result, TITLES)][1].split() == ["GET", "videos,", "first", "page"]
    assert [*goals.checks(result)] == []


def test_kept_goals_are_called_kept():
    result = make_result(video=(of_rates(2_116, counts=Counts(1, 0, 1)), of_rates(1_058)))

    assert [*goals.checks(result)] == [
        ("video: 2.00 of at least 2.0 x reference", True),
        ("video: 1 of at most 1 statements", True),
        ("video: 1 of at most 1 Redis trips", True),
    ]


def test_missed_ratios_counts_and_latencies_are_called_missed():
    result = make_result(
        create=(of_rates(90, counts=Counts(24, 4, 6)), of_rates(100)), mix=(of_rates(300, p99=51.0), of_rates(100))
    )

    assert missed(result) == [
        "create: 0.90 of at least 1.0 x reference",
        "mix: p99 51 of at most 50 x 1.00 ms",
        "create: 24 of at most 9 statements",
        "create: 6 of at most 2 Redis trips",
        "create: 4 of no savepoint statements",
    ]


def test_latencies_may_be_longer_on_a_machine_on_which_the_reference_is_slower():
    half = {name: (of_rates(10_000), of_rates(rate / 2)) for name, rate in goals.PROPORTIONS.items()}

    assert missed(make_result(**half, mix=(of_rates(900, p99=99.0), of_rates(300)))) == []
    assert missed(make_result(**half, mix=(of_rates(900, p99=101.0), of_rates(300)))) == [
        "mix: p99 101 of at most 50 x 2.00 ms"
    ]


def test_sign_ins_are_held_against_the_hashes_that_the_machine_can_do():
    def checks(rate: float) -> list[tuple[str, bool]]:
        result = make_result(login=(of_rates(rate), of_rates(60)))
        result.about["bcrypt_rate"] = 40.0
        return [*goals.checks(result)]

    assert checks(36.0) == [("login: 36.0 of at least 0.9 x 40.0 a second", True)]
    assert checks(35.0) == [("login: 35.0 of at least 0.9 x 40.0 a second", False)]


def test_pages_with_a_long_queue_and_of_the_largest_account_are_held_against_the_usual_one():
    result = make_result(
        page=(of_rates(1_000), of_rates(500)),
        waiting=(of_rates(900), of_rates(490)),
        large=(of_rates(800), of_rates(200)),
    )

    assert missed(result) == ["large: 1.25 of at most 1.15 x a median account"]


def test_a_reference_whose_calls_are_out_of_proportion_is_called_a_straw_man():
    def reference(**rates: float) -> Result:
        return make_result(**{name: (of_rates(10_000), of_rates(rate)) for name, rate in rates.items()})

    fair = reference(avatars=421, video=529, page=256, create=259)
    unfair = reference(avatars=421, video=529, page=100, create=259)

    assert [kept for _, kept in goals.proportions(fair)] == [True]
    assert [*goals.proportions(unfair)] == [
        ("reference: 994 : 1249 : 236 : 611 for 843 : 1058 : 512 : 518, 2.56 of at most 1.25 apart", False)
    ]


def test_figures_goals_and_machine_are_written_for_programs(tmp_path):
    counts = Counts(statements=1, savepoints=0, trips=2)
    result = make_result(page=(of_rates(1_500, counts=counts), of_rates(500)))
    result.about["cores"] = 2

    results.write(result, [("page: 3.00", True)], tmp_path / "figures")

    written = json.loads((tmp_path / "figures").read_text())
    assert (written["cores"], written["ratios"], written["goals"]) == (
        2,
        {"page": 3.0},
        [{"goal": "page: 3.00", "kept": True}],
    )
    assert written["calls"]["page"]["ours"] == {
        "rounds": [
            {
                "requests": 1500,
                "seconds": 1.0,
                "p50": 5.0,
                "p99": 10.0,
                "refused": 0,
                "broken": 0,
                "cpu": 900.0,
                "rate": 1500.0,
            }
        ],
        "counts": {"statements": 1, "savepoints": 0, "trips": 2},
    }
