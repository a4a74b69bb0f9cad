"""The snapshot of the queue: how old it may be, who computes it, what reading it costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.utils import timezone

from billing.models import Tier, Wallet
from genvid.leasing import from_now
from genvid.tests.asserts import data_of, queries_of, queries_once_warm, statements_of, still_process_caches
from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos.gauges import read_gauges
from videos.models import OperatorAlarm, ProviderState, QueueSnapshot, Video
from videos.pipeline import scheduler, sweeper
from videos.provider import provider_gate
from videos.queue import queue_facts, queue_positions, queue_snapshot, waiting_reasons
from videos.tests.pipeline import fresh, positions_now

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"
REAL_MAX_AGE = queue_snapshot.MAX_AGE_SECONDS
MAY, SECOND = datetime(2026, 5, 1, tzinfo=UTC), timedelta(seconds=1)


@pytest.fixture
def avatar(db):
    return make_avatar()


@pytest.fixture
def payload(avatar) -> dict:
    return {"script": "Hello.", "avatar_id": str(avatar.pk)}


def age_by(seconds: float) -> None:
    QueueSnapshot.objects.update(computed_at=from_now(-seconds))


def shown(person, video: Video) -> tuple:
    data = data_of(person.client.get(f"{VIDEOS}/{video.pk}"))
    return data["queue_position"], data["eta_seconds"], data["waiting_for"]


def version() -> int:
    return QueueSnapshot.objects.values_list("version", flat=True).get()


# ── Age


def test_a_snapshot_is_read_for_ten_seconds():
    """The tests of this file are given longer: a busy machine may need ten seconds between two lines."""
    assert REAL_MAX_AGE == 10.0


def test_positions_of_a_snapshot_that_is_nearly_too_old_are_shown(owner):
    queue_snapshot.refresh()
    video = make_video(owner)
    age_by(queue_snapshot.MAX_AGE_SECONDS - 300)
    assert shown(owner, video) == (1, 144, "slot")


def test_a_snapshot_that_is_too_old_by_the_databases_clock_says_nothing(owner, payload):
    queue_snapshot.refresh()
    video = make_video(owner)
    age_by(queue_snapshot.MAX_AGE_SECONDS + 0.5)
    assert shown(owner, video) == (None, None, "slot")
    made = data_of(owner.client.post(VIDEOS, payload), 201)
    assert (made["queue_position"], made["eta_seconds"], made["waiting_for"]) == (None, None, "slot")
    quote = data_of(owner.client.post(f"{VIDEOS}/quote", payload))
    assert (quote["eta_seconds"], quote["waiting_for"]) == (None, "slot")
    assert fresh(Video.objects.get(pk=made["id"])).promised_at is None


def test_without_a_snapshot_nothing_is_promised_and_nothing_fails(owner, settings):
    video = make_video(owner)
    assert shown(owner, video) == (None, None, "slot")
    settings.HEYGEN_API_KEY = ""
    assert shown(owner, video) == (None, None, "provider")
    assert waiting_reasons.reasons([fresh(video)])[video.pk] == "HEYGEN_API_KEY is empty"


def test_a_stale_snapshot_still_says_what_waits_for_staff(owner):
    aside = make_video(owner, set_aside_at=timezone.now())
    assert shown(owner, aside) == (None, None, "staff")


def test_a_stale_snapshot_is_logged_once_a_minute(owner, caplog):
    video = make_video(owner)
    for _ in range(3):
        shown(owner, video)
    assert sum("queue_snapshot_stale" in str(record.msg) for record in caplog.records) == 1


def test_a_promised_time_outlasts_a_snapshot_that_was_too_old(owner):
    queue_snapshot.refresh()
    video = make_video(owner)
    age_by(queue_snapshot.MAX_AGE_SECONDS + 1)
    assert shown(owner, video)[:2] == (None, None)
    queue_snapshot.refresh()
    assert shown(owner, video)[:2] == (1, 144)


# ── What came or went since


def test_the_first_video_in_an_idle_system_has_its_position_at_once(owner, payload):
    queue_snapshot.refresh()
    made = data_of(owner.client.post(VIDEOS, payload), 201)
    assert (made["queue_position"], made["eta_seconds"], made["waiting_for"]) == (1, 132, "slot")
    assert data_of(owner.client.get(f"{VIDEOS}/{made['id']}"))["queue_position"] == 1


def test_videos_newer_than_the_snapshot_follow_those_of_their_account(owner, outsider, avatar):
    make_video(owner, avatar=avatar)
    make_video(outsider, avatar=avatar)
    queue_snapshot.refresh()
    for _ in range(3):
        make_video(owner, avatar=avatar)
    # By the snapshot: the owner's first, the outsider's, then the owner's others.
    listed = data_of(owner.client.get(VIDEOS))
    assert [row["queue_position"] for row in listed] == [5, 4, 3, 1]
    alone = [shown(owner, video)[0] for video in Video.objects.filter(account=owner.account).order_by("queued_at")]
    assert alone == [1, 3, 4, 5]


def test_videos_of_several_accounts_newer_than_the_snapshot_have_positions_together(owner, outsider, avatar):
    queue_snapshot.refresh()
    videos = [make_video(person, avatar=avatar) for person in (owner, outsider, owner, owner)]
    found = queue_positions.queue_positions_of(videos[1:]).found
    assert [found[video.pk].position for video in videos[1:]] == [1, 2, 3]


def test_a_new_account_beyond_its_own_slots_is_told_so_before_the_next_snapshot(owner, avatar):
    Tier.objects.update(max_in_flight=2)
    queue_snapshot.refresh()
    videos = [make_video(owner, avatar=avatar) for _ in range(3)]
    assert [shown(owner, video)[2] for video in videos] == ["slot", "slot", "own_slots"]


def test_the_plan_of_a_new_account_counts_before_the_next_snapshot(owner, outsider, avatar):
    Wallet.objects.filter(pk=owner.account.pk).update(tier=Tier.objects.create(code="fast", weight=4, max_in_flight=9))
    for _ in range(2):
        make_video(outsider, avatar=avatar)
    queue_snapshot.refresh()
    videos = [make_video(owner, avatar=avatar) for _ in range(3)]
    before = [shown(owner, video)[0] for video in videos]
    assert before == [2, 3, 4] == [positions_now([video])[video.pk] for video in videos]


def test_a_video_that_left_the_queue_since_the_snapshot_has_no_position(owner):
    video = make_video(owner)
    queue_snapshot.refresh()
    owner.client.post(f"{VIDEOS}/{video.pk}/cancel")
    assert shown(owner, video) == (None, None, None)


def test_a_video_that_came_back_to_the_queue_has_the_position_of_its_time(owner, avatar):
    first = make_video(owner, "submitting", avatar=avatar)
    make_video(owner, avatar=avatar)
    queue_snapshot.refresh()
    Video.objects.filter(pk=first.pk).update(status="queued", submitted_at=None)
    assert shown(owner, first)[0] == 1


def test_an_account_sees_only_its_own_new_videos_counted(owner, outsider, avatar):
    queue_snapshot.refresh()
    for _ in range(3):
        make_video(outsider, avatar=avatar)
    assert shown(owner, make_video(owner, avatar=avatar))[0] == 1


# ── Computing


@pytest.fixture
def one_period(monkeypatch) -> None:
    """No new period begins: a busy machine may take longer than one between two lines."""
    monkeypatch.setattr(queue_facts, "RECOMPUTE_SECONDS", 10**12)


@pytest.mark.usefixtures("one_period")
def test_an_unchanged_queue_is_not_computed_again(owner):
    make_video(owner)
    queue_snapshot.refresh_if_changed()
    before = version()
    age_by(-600)
    assert queries_of(queue_snapshot.refresh_if_changed) == 1
    assert version() == before


def test_an_unchanged_queue_is_computed_again_in_the_next_period(owner, monkeypatch):
    """Plans change the order without a trace in what is compared."""
    monkeypatch.setattr(queue_facts, "RECOMPUTE_SECONDS", 10**12)
    make_video(owner)
    queue_snapshot.refresh_if_changed()
    before = version()
    monkeypatch.setattr(queue_facts, "RECOMPUTE_SECONDS", 1)
    queue_snapshot.refresh_if_changed()
    assert version() != before


def test_an_unchanged_queue_is_confirmed_before_it_is_too_old(owner):
    queue_snapshot.refresh_if_changed()
    before = version()
    age_by(queue_snapshot.RENEW_SECONDS + 1000)
    assert queries_of(queue_snapshot.refresh_if_changed) == 2
    assert (version(), queue_snapshot.age_seconds() < 500) == (before, True)


@pytest.mark.usefixtures("one_period")
@pytest.mark.parametrize("change", ["queued", "claimed", "set aside", "rendered"])
def test_a_changed_queue_is_computed_again(owner, avatar, change):
    video, going = make_video(owner, avatar=avatar), make_video(owner, "rendering", avatar=avatar)
    queue_snapshot.refresh_if_changed()
    before = version()
    if change == "queued":
        make_video(owner, avatar=avatar)
    elif change == "claimed":
        scheduler.hand_out_slots()
    elif change == "set aside":
        Video.objects.filter(pk=video.pk).update(set_aside_at=timezone.now())
    else:
        going.move("storing", reason="test")
    queue_snapshot.refresh_if_changed()
    assert version() != before


@pytest.mark.usefixtures("one_period")
def test_a_gate_that_shuts_is_shown_without_the_order_being_computed_again(owner):
    video = make_video(owner)
    queue_snapshot.refresh_if_changed()
    before = version()
    provider_gate.pause("staff@example.com")
    queue_snapshot.refresh_if_changed()
    assert (version(), shown(owner, video)) == (before, (1, None, "provider"))


def test_an_idle_system_reads_no_rows_of_accounts():
    queue_snapshot.refresh()
    assert not any("billing_wallet" in each for each in statements_of(queue_snapshot.refresh))


@pytest.mark.django_db(transaction=True)
def test_while_one_process_computes_others_leave_it_to_it():
    queue_snapshot.refresh()
    with transaction.atomic():
        QueueSnapshot.objects.select_for_update().get()
        assert in_parallel([queue_snapshot.refresh]) == [False]


@pytest.mark.django_db(transaction=True)
def test_processes_that_compute_at_once_leave_one_whole_snapshot(owner, avatar):
    videos = [make_video(owner, avatar=avatar) for _ in range(3)]
    assert any(in_parallel([queue_snapshot.refresh for _ in range(4)]))
    assert QueueSnapshot.objects.count() == 1
    assert [shown(owner, video)[0] for video in videos] == [1, 2, 3]


def test_a_snapshot_of_another_release_says_nothing_until_it_is_computed_again(owner):
    video = make_video(owner)
    queue_snapshot.refresh()
    QueueSnapshot.objects.update(version=1, payload=b"queue-7l and more")
    assert shown(owner, video) == (None, None, "slot")
    queue_snapshot.refresh()
    assert shown(owner, video)[0] == 1


# ── Statements, whatever the queue


def copies(accounts: int, avatar) -> None:
    """Accounts with a waiting video each, made with few statements."""
    pattern = make_video(make_caller(), avatar=avatar)
    names = [field.attname for field in Video._meta.concrete_fields if field.attname not in ("id", "account_id")]
    values = {name: getattr(pattern, name) for name in names}
    model = type(pattern.account)
    made = model.objects.bulk_create(model(name=f"Account {number}") for number in range(accounts))
    Wallet.objects.bulk_create(Wallet(account=account) for account in made)
    Video.objects.bulk_create(
        Video(**values | {"queued_at": pattern.queued_at - timedelta(seconds=n)}, account=account)
        for n, account in enumerate(made)
    )


@pytest.mark.parametrize("accounts", [1, 500])
def test_calls_cost_the_same_statements_with_any_number_of_waiting_accounts(owner, avatar, payload, accounts):
    set_balance(owner, 1000)
    video = make_video(owner, avatar=avatar)
    copies(accounts, avatar)
    queue_snapshot.refresh()
    owner.client.get(VIDEOS)
    for path in (f"{VIDEOS}/{video.pk}", VIDEOS):
        queue_snapshot.refresh()
        with still_process_caches():
            assert len(statements_of(lambda path=path: owner.client.get(path))) == 2
            assert len(statements_of(lambda path=path: owner.client.get(path))) == 1
    owner.client.post(VIDEOS, payload)
    statements = statements_of(lambda: data_of(owner.client.post(VIDEOS, payload), 201))
    assert [each for each in statements if "queuesnapshot" in each] == [one_read(statements)]
    assert not [each for each in statements if "providerstate" in each or "GROUP BY" in each]


def one_read(statements: list[str]) -> str:
    return next(each for each in statements if "queuesnapshot" in each)


def test_a_page_without_queued_videos_reads_no_snapshot(owner, avatar):
    queue_snapshot.refresh()
    for status in ("draft", "rendering", "completed"):
        make_video(owner, status, avatar=avatar)
    assert queries_once_warm(lambda: owner.client.get(VIDEOS)) == 1


# ── Nobody computes


def test_the_sweep_computes_a_stale_queue_and_alarms_staff_the_second_time(owner):
    video = make_video(owner)
    sweeper.compute_stale_queue()
    assert (shown(owner, video)[0], OperatorAlarm.objects.count()) == (1, 0)
    age_by(queue_snapshot.MAX_AGE_SECONDS + 1)
    sweeper.compute_stale_queue()
    assert (shown(owner, video)[0], OperatorAlarm.objects.get().code) == (1, "queue_not_computed")


def test_the_sweep_alarms_nobody_where_a_tick_computed_in_between(owner):
    make_video(owner)
    sweeper.compute_stale_queue()
    queue_snapshot.refresh_if_changed()
    age_by(queue_snapshot.MAX_AGE_SECONDS + 1)
    sweeper.compute_stale_queue()
    assert OperatorAlarm.objects.count() == 0


def test_the_sweep_leaves_a_current_queue_alone():
    queue_snapshot.refresh()
    before = version()
    sweeper.compute_stale_queue()
    assert version() == before


def test_the_age_of_the_snapshot_is_a_gauge():
    queue_snapshot.refresh()
    age_by(30)
    found = {metric.name: metric.samples[0].value for metric in read_gauges(timezone.now())}
    assert 30 <= found["genvid_queue_snapshot_seconds"] < 900


# ── On SQLite


@pytest.fixture
def sqlite(db) -> Iterator[Sqlite]:
    """A database in memory with the tables that the snapshot needs, without the rows that these refer to."""
    wrapper = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    connections["sqlite"] = wrapper
    wrapper.disable_constraint_checking()
    with wrapper.schema_editor() as editor:
        for model in (QueueSnapshot, ProviderState, Video, Wallet):
            editor.create_model(model)
    wrapper.disable_constraint_checking()
    yield wrapper
    wrapper.close()
    del connections["sqlite"]


def copied_to_sqlite(video: Video, **fields) -> Video:
    copy = Video(**{field.attname: getattr(video, field.attname) for field in Video._meta.concrete_fields} | fields)
    copy.save(using="sqlite", force_insert=True)
    return copy


def read_on_sqlite(sqlite: Sqlite, video: Video) -> tuple:
    account = video.account_id.hex
    moment = sqlite.ops.adapt_datetimefield_value(video.queued_at)
    with sqlite.cursor() as cursor:
        cursor.execute(queue_snapshot.STATEMENTS["sqlite"], [5, account, moment, video.pk.hex, account])
        return cursor.fetchone()


def test_sqlite_tells_age_payload_new_videos_and_plan_in_one_statement(owner, avatar, sqlite):
    pattern = make_video(owner, avatar=avatar)
    Wallet(account=owner.account, tier_id="pro").save(using="sqlite", force_insert=True)
    seen, new, later = (copied_to_sqlite(pattern, id=UUID(int=n), queued_at=MAY + n * SECOND) for n in (1, 2, 3))
    row = {"pk": queue_facts.ROW, "newest_queued_at": seen.queued_at, "payload": b"x", "usable_slots": 7}
    QueueSnapshot.objects.using("sqlite").create(**row, version=4)
    QueueSnapshot.objects.using("sqlite").update(computed_at=from_now(-100))
    version, age, *others = read_on_sqlite(sqlite, new)
    assert (version, *others) == (4, b"x", 0, 7, 0, 1, "pro")
    assert 99.9 <= age < 1000
    QueueSnapshot.objects.using("sqlite").update(version=5)
    assert read_on_sqlite(sqlite, later)[2:] == (None, 0, 7, 0, 2, "pro")


def test_sqlite_tells_gate_counts_and_snapshot_in_one_statement(owner, avatar, sqlite):
    for status, more in (("queued", {}), ("queued", {"set_aside_at": MAY}), ("rendering", {"stuck_at": MAY})):
        copied_to_sqlite(make_video(owner, status, avatar=avatar), queued_at=MAY, **more)
    ProviderState(name="heygen", code="busy", learned_limit=4).save(using="sqlite", force_insert=True)
    query = queue_facts.facts_query(timezone.now()).using("sqlite")
    (row,) = query
    gate, counts = provider_gate.gate_of_columns(row[:-7]), row[-7]
    assert (gate.code, gate.learned_limit, row[-6:]) == ("busy", 4, (None,) * 6)
    assert counts | {"moved": None} == {"queued": 2, "aside": 1, "flying": 1, "stuck": 1, "moved": None}
    QueueSnapshot.objects.using("sqlite").create(pk=queue_facts.ROW, version=7, fingerprint="x", free_slots=3)
    QueueSnapshot.objects.using("sqlite").update(computed_at=from_now(-100))
    (row,) = query.all()
    assert row[-6:-1] == (7, "x", False, 0, 3)
    assert 99.9 <= row[-1].total_seconds() < 1000


def test_the_first_tick_of_an_empty_database_makes_the_rows_that_it_reads(db):
    assert (ProviderState.objects.count(), QueueSnapshot.objects.count()) == (0, 0)
    queue_snapshot.refresh_if_changed()
    assert [each.name for each in ProviderState.objects.all()] == [provider_gate.NAME]
    assert (QueueSnapshot.objects.get().free_slots, queue_snapshot.is_stale()) == (10, False)


@pytest.mark.parametrize("fraction", [0, 1, 120_000, 999_999])
def test_moments_are_the_same_integers_on_sqlite_and_in_python(owner, avatar, sqlite, fraction):
    moment = MAY + timedelta(microseconds=fraction)
    video = copied_to_sqlite(make_video(owner, avatar=avatar), queued_at=moment)
    rows = Video.objects.using("sqlite").queue_rows(timezone.now())
    expected = (owner.account.pk, "queued", queue_snapshot.microseconds(moment), video.pk)
    assert list(rows) == [expected]


def test_moments_are_the_same_integers_on_postgresql_and_in_python(owner, avatar):
    video = make_video(owner, avatar=avatar)
    (row,) = Video.objects.queue_rows(timezone.now())
    assert row == (owner.account.pk, "queued", queue_snapshot.microseconds(video.queued_at), video.pk)
