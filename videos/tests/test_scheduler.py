"""Handing out slots in the database: fair, bounded, each once, without waiting for locks."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from billing.models import Tier, Wallet
from genvid.heygen.heygen_errors import Busy
from genvid.tests.asserts import statements_of
from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos import settlement
from videos.enums import Status
from videos.models import ProviderState, Video
from videos.pipeline import scheduler
from videos.provider import provider_gate
from videos.queue import queue_positions, queue_snapshot
from videos.tests.pipeline import fresh, gate, positions_now

pytestmark = pytest.mark.django_db
BUSY = Busy("rate_limit_exceeded", retry_after=20)


@pytest.fixture(autouse=True)
def slots(settings):
    settings.HEYGEN_MAX_CONCURRENT = 10


@pytest.fixture
def avatar(db):
    return make_avatar()


def give_tier(person, code: str) -> None:
    Wallet.objects.filter(pk=person.account.pk).update(tier=Tier.objects.get(code=code))


def queue_many(person, avatar, count: int) -> None:
    """Copies of one queued video, made with two statements."""
    template = make_video(person, avatar=avatar)
    facts = {
        field.attname: getattr(template, field.attname)
        for field in Video._meta.concrete_fields
        if field.attname not in ("id", "queued_at")
    }
    start = timezone.now()
    Video.objects.bulk_create(
        Video(**facts, queued_at=start + timedelta(microseconds=number)) for number in range(count - 1)
    )


def accounts_in_flight() -> dict:
    flying = Video.objects.in_flight().values_list("account_id", flat=True)
    return {account: list(flying).count(account) for account in set(flying)}


# ── Fairness


@pytest.mark.parametrize("first", ["small", "large"])
def test_a_thousand_videos_of_one_account_starve_no_other(avatar, first, settings):
    large, small = make_caller(), [make_caller() for _ in range(20)]
    give_tier(large, "business")
    steps = [lambda: queue_many(large, avatar, 1000), lambda: [make_video(person, avatar=avatar) for person in small]]
    for step in steps if first == "large" else reversed(steps):
        step()
    settings.HEYGEN_MAX_CONCURRENT = 21

    assert scheduler.hand_out_slots() == 21

    assert accounts_in_flight() == {person.account.pk: 1 for person in [large, *small]}


def test_slots_that_free_up_one_by_one_serve_small_accounts_beside_a_large_one(avatar):
    large, small = make_caller(), [make_caller() for _ in range(20)]
    give_tier(large, "business")
    queue_many(large, avatar, 100)
    for person in small:
        make_video(person, avatar=avatar)
    served = []
    for _ in range(23):
        scheduler.hand_out_slots()
        video = Video.objects.in_flight().order_by("submitted_at", "queued_at").first()
        served.append(video.account_id)
        Video.objects.filter(pk=video.pk).update(status=Status.FAILED)  # copies have no hold that could be settled
    assert {person.account.pk for person in small} <= set(served)
    assert served.count(large.account.pk) == 3


def test_an_account_never_has_more_in_flight_than_its_plan_permits(owner, avatar):
    queue_many(owner, avatar, 9)
    assert (scheduler.hand_out_slots(), scheduler.hand_out_slots()) == (5, 0)
    assert accounts_in_flight() == {owner.account.pk: 5}


def test_a_plan_of_higher_weight_gets_more_of_scarce_slots(avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 6
    free, pro = make_caller(), make_caller()
    give_tier(pro, "pro")
    for person in (free, pro):
        set_balance(person, 100)
        queue_many(person, avatar, 10)
    scheduler.hand_out_slots()
    assert accounts_in_flight() == {free.account.pk: 2, pro.account.pk: 4}


def test_the_oldest_video_of_an_account_is_claimed_first(owner, avatar):
    first, second = (make_video(owner, avatar=avatar) for _ in range(2))
    gate()
    provider_limit(1)
    scheduler.hand_out_slots()
    assert [fresh(video).status for video in (first, second)] == ["submitting", "queued"]


def provider_limit(count: int) -> None:
    ProviderState.objects.update(learned_limit=count, learned_at=timezone.now())


def test_queue_positions_are_the_order_in_which_slots_are_handed_out(avatar, settings):
    people = [make_caller() for _ in range(3)]
    for person, count in zip(people, (4, 2, 1), strict=True):
        set_balance(person, 100)
        queue_many(person, avatar, count)
    videos = list(Video.objects.queued())
    found = positions_now(videos)
    assert sorted(found.values()) == list(range(1, 8))
    settings.HEYGEN_MAX_CONCURRENT = 4
    scheduler.hand_out_slots()
    flying = set(Video.objects.in_flight().values_list("pk", flat=True))
    assert flying == {pk for pk, place in found.items() if place <= 4}


def test_the_predicted_queue_position_is_the_one_the_next_video_gets(owner, outsider, avatar):
    make_video(outsider, avatar=avatar)
    for person in (owner, outsider, owner):
        queue_snapshot.refresh()
        expected = queue_positions.next_positions(person.account.pk).found[0].position
        video = make_video(person, avatar=avatar)
        assert positions_now([video]) == {video.pk: expected}


def test_queue_positions_of_a_longer_queue_take_no_more_queries(owner, outsider, avatar):
    videos = [make_video(owner, avatar=avatar)]
    queue_snapshot.refresh()
    assert len(statements_of(lambda: queue_positions.queue_positions_of(videos))) == 1
    for person in (outsider, make_caller()):
        queue_many(person, avatar, 20)
    queue_snapshot.refresh()
    videos = list(Video.objects.queued())
    assert len(statements_of(lambda: queue_positions.queue_positions_of(videos))) == 1


# ── Limits


def test_a_refused_slot_lowers_the_limit_and_time_raises_it():
    now = timezone.now()
    provider_gate.trip(BUSY, ordered_at=now)
    limits = [provider_gate.read().limit(now + timedelta(seconds=seconds)) for seconds in (1, 31, 61, 3600)]
    assert limits == [5, 6, 7, 10]


def test_further_refused_slots_lower_the_limit_to_the_renders_in_progress(owner, avatar):
    for status in ("rendering", "rendering", "rendering", "submitting"):
        make_video(owner, status, avatar=avatar)
    for _ in range(3):
        provider_gate.trip(BUSY, ordered_at=timezone.now())
    assert provider_gate.read().limit(timezone.now()) == 3


def test_the_limit_never_falls_below_one():
    for _ in range(8):
        provider_gate.trip(BUSY, ordered_at=timezone.now())
    assert provider_gate.read().limit(timezone.now()) == 1


def test_no_account_is_read_while_all_slots_are_taken(owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    make_video(owner, "rendering", avatar=avatar)
    make_video(owner, avatar=avatar)
    assert not [each for each in statements_of(scheduler.hand_out_slots) if "GROUP BY" in each or "wallet" in each]
    settings.HEYGEN_MAX_CONCURRENT = 2
    assert [each for each in statements_of(scheduler.hand_out_slots) if "billing_wallet" in each]


def test_a_paused_provider_gets_no_orders_until_it_is_resumed(owner, avatar):
    video = make_video(owner, avatar=avatar)
    provider_gate.pause("ops@example.com")
    assert (scheduler.hand_out_slots(), fresh(video).status) == (0, "queued")
    provider_gate.resume("ops@example.com")
    assert (scheduler.hand_out_slots(), fresh(video).status) == (1, "submitting")


# ── Many workers


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_schedulers_hand_out_each_slot_once(settings):
    settings.HEYGEN_MAX_CONCURRENT = 3
    avatar = make_avatar()
    for person in (make_caller(), make_caller()):
        set_balance(person, 100)
        queue_many(person, avatar, 5)
    gate()
    handed_out = in_parallel([scheduler.hand_out_slots for _ in range(8)])
    assert sum(handed_out) == Video.objects.in_flight().count() == 3


def holding(sql: str, *parameters: object) -> "Holder":
    return Holder(sql, parameters)


class Holder:
    """Another worker in a transaction that has locked a row."""

    def __init__(self, sql: str, parameters: tuple[object, ...]) -> None:
        self.sql, self.parameters = sql, parameters
        self.has_it, self.may_end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            self.has_it.set()
            self.may_end.wait(120)
        connection.close()

    def __enter__(self) -> None:
        self.thread.start()
        assert self.has_it.wait(120)

    def __exit__(self, *_: object) -> None:
        self.may_end.set()
        self.thread.join()


@pytest.fixture
def no_waiting(transactional_db):
    """A statement that would wait for a lock raises instead."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1ms'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")


@pytest.mark.django_db(transaction=True)
def test_a_scheduler_passes_over_a_video_that_somebody_has_locked(no_waiting):
    person, avatar = make_caller(), make_avatar()
    first, second = (make_video(person, avatar=avatar) for _ in range(2))
    gate()
    with holding("SELECT 1 FROM videos_video WHERE id = %s FOR UPDATE", first.pk):
        assert scheduler.hand_out_slots() == 1
    assert [fresh(video).status for video in (first, second)] == ["queued", "submitting"]
    assert scheduler.hand_out_slots() == 1


@pytest.mark.django_db(transaction=True)
def test_a_scheduler_does_nothing_while_another_is_running(no_waiting):
    person, avatar = make_caller(), make_avatar()
    video = make_video(person, avatar=avatar)
    gate()
    with holding("SELECT 1 FROM videos_providerstate FOR UPDATE"):
        assert scheduler.hand_out_slots() == 0
    assert fresh(video).status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_video_canceled_while_slots_are_handed_out_is_canceled_or_claimed():
    person, avatar = make_caller(), make_avatar()
    videos = [make_video(person, avatar=avatar) for _ in range(3)]
    gate()
    cancels = [partial(settlement.cancel_video, fresh(video), reason="test") for video in videos]
    in_parallel([*cancels, *[scheduler.hand_out_slots] * 3])
    assert {fresh(video).status for video in videos} <= {"canceled", "submitting", "queued"}
    assert person.wallet.held == sum(fresh(video).credits_held for video in videos)


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_a_locked_video_cannot_use_goes_to_the_next_account(no_waiting, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    avatar = make_avatar()
    first, second = (make_video(make_caller(), avatar=avatar) for _ in range(2))
    gate()
    with holding("SELECT 1 FROM videos_video WHERE id = %s FOR UPDATE", first.pk):
        assert scheduler.hand_out_slots() == 1
    assert [fresh(video).status for video in (first, second)] == ["queued", "submitting"]


@pytest.mark.django_db(transaction=True)
def test_a_scheduler_does_not_wait_when_all_queued_videos_are_locked(no_waiting):
    avatar = make_avatar()
    videos = [make_video(make_caller(), avatar=avatar) for _ in range(2)]
    gate()
    with holding("SELECT 1 FROM videos_video FOR UPDATE"):
        assert scheduler.hand_out_slots() == 0
    assert [fresh(video).status for video in videos] == ["queued"] * 2


@pytest.mark.django_db(transaction=True)
def test_eight_schedulers_never_hand_out_more_than_there_is_while_renders_end(settings):
    """Slots in use never exceed the limit, and every video gets one in the end."""
    settings.HEYGEN_MAX_CONCURRENT = 3
    avatar, seen = make_avatar(), []
    for person in (make_caller(), make_caller(), make_caller()):
        set_balance(person, 100)
        queue_many(person, avatar, 8)
    gate()

    def work() -> None:
        for _ in range(12):
            scheduler.hand_out_slots()
            flying = list(Video.objects.in_flight()[:3])
            seen.append(Video.objects.in_flight().count())
            Video.objects.filter(pk__in=[video.pk for video in flying[:1]]).update(status=Status.FAILED)

    assert [error for error in in_parallel([work] * 8) if error] == []
    assert max(seen) <= 3
    assert Video.objects.filter(attempt__gt=1).count() == 0


# ── Queue positions


def test_queue_positions_predict_the_order_in_which_slots_come_one_by_one(avatar, settings):
    """With any plans and ages, while no render ends."""
    people = [make_caller() for _ in range(4)]
    give_tier(people[1], "pro")
    give_tier(people[2], "business")
    for person, count in zip(people, (3, 4, 2, 1), strict=True):
        set_balance(person, 100)
        queue_many(person, avatar, count)
    shuffle_ages()
    foretold = positions_now(Video.objects.queued())
    order = []
    for settings.HEYGEN_MAX_CONCURRENT in range(1, 11):
        assert scheduler.hand_out_slots() == 1
        order += Video.objects.in_flight().exclude(pk__in=order).values_list("pk", flat=True)
    assert [foretold[pk] for pk in order] == list(range(1, 11))


def shuffle_ages() -> None:
    """Gives each account old and young videos."""
    now = timezone.now()
    for number, pk in enumerate(Video.objects.queued().order_by("idempotency_key", "id").values_list("pk", flat=True)):
        Video.objects.filter(pk=pk).update(queued_at=now - timedelta(seconds=number * 37 % 101))


def serve(count: int) -> list:
    """End the oldest render in flight and hand out its slot; returns the accounts served, in order."""
    served = []
    for _ in range(count):
        oldest = Video.objects.in_flight().order_by("submitted_at", "id").first()
        Video.objects.filter(pk=oldest.pk).update(status=Status.STORING, rendered_at=timezone.now())
        before = set(Video.objects.in_flight().values_list("pk", flat=True))
        scheduler.hand_out_slots()
        served += Video.objects.in_flight().exclude(pk__in=before).values_list("account_id", flat=True)
    return served


@pytest.mark.parametrize("slots", [1, 2, 10])
def test_twenty_accounts_that_come_after_a_thousand_videos_get_the_next_slots(avatar, settings, slots):
    """The large account has all slots: freed ones go to the small accounts, in the order they came."""
    settings.HEYGEN_MAX_CONCURRENT = slots
    large = make_caller()
    give_tier(large, "business")
    queue_many(large, avatar, 1000)
    assert scheduler.hand_out_slots() == slots
    small = [make_video(make_caller(), avatar=avatar).account_id for _ in range(20)]
    assert serve(20) == small


def test_accounts_take_turns_with_one_slot(avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    first, second = make_caller(), make_caller()
    for person in (first, second):
        set_balance(person, 100)
        queue_many(person, avatar, 4)
    scheduler.hand_out_slots()
    one, other = first.account.pk, second.account.pk
    assert serve(5) == [other, one, other, one, other]
