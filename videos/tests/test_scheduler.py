"""Slots over real rows: fair, bounded, claimed once, and nobody waits for anybody's lock."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from billing.models import Tier, Wallet
from genvid.heygen.heygen_errors import Busy
from genvid.tests.asserts import queries_once_warm
from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos import settlement
from videos.enums import Status
from videos.models import ProviderState, Video
from videos.pipeline import scheduler
from videos.provider import provider_gate
from videos.queue import queue_positions
from videos.tests.pipeline import fresh, gate

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
    """Copies of one queued video: as many rows as wanted, at the cost of two statements."""
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


def owners_of_flying() -> dict:
    flying = Video.objects.in_flight().values_list("account_id", flat=True)
    return {account: list(flying).count(account) for account in set(flying)}


# ── Fairness


@pytest.mark.parametrize("first", ["crowd", "giant"])
def test_a_thousand_videos_starve_nobody(avatar, first, settings):
    giant, crowd = make_caller(), [make_caller() for _ in range(20)]
    give_tier(giant, "business")
    deeds = [lambda: queue_many(giant, avatar, 1000), lambda: [make_video(person, avatar=avatar) for person in crowd]]
    for deed in deeds if first == "giant" else reversed(deeds):
        deed()
    settings.HEYGEN_MAX_CONCURRENT = 21

    assert scheduler.hand_out_slots() == 21

    assert owners_of_flying() == {person.account.pk: 1 for person in [giant, *crowd]}


def test_slots_that_free_up_one_by_one_serve_the_crowd_beside_the_giant(avatar):
    giant, crowd = make_caller(), [make_caller() for _ in range(20)]
    give_tier(giant, "business")
    queue_many(giant, avatar, 100)
    for person in crowd:
        make_video(person, avatar=avatar)
    served = []
    for _ in range(23):
        scheduler.hand_out_slots()
        video = Video.objects.in_flight().order_by("submitted_at", "queued_at").first()
        served.append(video.account_id)
        Video.objects.filter(pk=video.pk).update(status=Status.FAILED)  # copies have no hold that could be settled
    assert {person.account.pk for person in crowd} <= set(served)
    assert served.count(giant.account.pk) == 3


def test_an_account_never_flies_more_than_its_tier_lets_it(owner, avatar):
    queue_many(owner, avatar, 9)
    assert (scheduler.hand_out_slots(), scheduler.hand_out_slots()) == (5, 0)
    assert owners_of_flying() == {owner.account.pk: 5}


def test_a_better_tier_gets_more_of_scarce_slots(avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 6
    free, pro = make_caller(), make_caller()
    give_tier(pro, "pro")
    for person in (free, pro):
        set_balance(person, 100)
        queue_many(person, avatar, 10)
    scheduler.hand_out_slots()
    assert owners_of_flying() == {free.account.pk: 2, pro.account.pk: 4}


def test_the_oldest_of_an_account_goes_first(owner, avatar):
    first, second = (make_video(owner, avatar=avatar) for _ in range(2))
    gate()
    provider_limit(1)
    scheduler.hand_out_slots()
    assert [fresh(video).status for video in (first, second)] == ["submitting", "queued"]


def provider_limit(count: int) -> None:
    ProviderState.objects.update(learned_limit=count, learned_at=timezone.now())


def test_places_are_the_order_in_which_slots_are_handed_out(avatar, settings):
    people = [make_caller() for _ in range(3)]
    for person, count in zip(people, (4, 2, 1), strict=True):
        set_balance(person, 100)
        queue_many(person, avatar, count)
    videos = list(Video.objects.queued())
    found = queue_positions.positions_of(videos)
    assert sorted(found.values()) == list(range(1, 8))
    settings.HEYGEN_MAX_CONCURRENT = 4
    scheduler.hand_out_slots()
    flying = set(Video.objects.in_flight().values_list("pk", flat=True))
    assert flying == {pk for pk, place in found.items() if place <= 4}


def test_the_place_of_the_next_is_the_place_it_gets(owner, outsider, avatar):
    make_video(outsider, avatar=avatar)
    for person in (owner, outsider, owner):
        expected = queue_positions.position_of_next(person.account.pk)
        video = make_video(person, avatar=avatar)
        assert queue_positions.positions_of([video]) == {video.pk: expected}


def test_a_longer_queue_takes_no_more_queries(owner, outsider, avatar):
    video = make_video(owner, avatar=avatar)
    before = queries_once_warm(lambda: queue_positions.positions_of([video]))
    for person in (outsider, make_caller()):
        queue_many(person, avatar, 20)
    assert queries_once_warm(lambda: queue_positions.positions_of(list(Video.objects.queued()))) == before + 1


# ── Limits


def test_a_refused_slot_lowers_the_limit_and_time_raises_it():
    now = timezone.now()
    provider_gate.trip(BUSY, ordered_at=now)
    limits = [provider_gate.read().limit(now + timedelta(seconds=seconds)) for seconds in (1, 31, 61, 3600)]
    assert limits == [5, 6, 7, 10]


def test_further_refused_slots_lower_the_limit_to_what_heygen_renders(owner, avatar):
    for status in ("rendering", "rendering", "rendering", "submitting"):
        make_video(owner, status, avatar=avatar)
    for _ in range(3):
        provider_gate.trip(BUSY, ordered_at=timezone.now())
    assert provider_gate.read().limit(timezone.now()) == 3


def test_the_limit_never_falls_below_one():
    for _ in range(8):
        provider_gate.trip(BUSY, ordered_at=timezone.now())
    assert provider_gate.read().limit(timezone.now()) == 1


def test_a_paused_provider_gets_no_orders_until_it_is_resumed(owner, avatar):
    video = make_video(owner, avatar=avatar)
    provider_gate.pause("ops@example.com")
    assert (scheduler.hand_out_slots(), fresh(video).status) == (0, "queued")
    provider_gate.resume("ops@example.com")
    assert (scheduler.hand_out_slots(), fresh(video).status) == (1, "submitting")


# ── Many workers


@pytest.mark.django_db(transaction=True)
def test_of_eight_schedulers_each_slot_is_handed_out_once(settings):
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
    """Another worker, in the middle of a transaction that has locked a row."""

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
def test_a_scheduler_leaves_the_work_to_one_that_is_at_it(no_waiting):
    person, avatar = make_caller(), make_avatar()
    video = make_video(person, avatar=avatar)
    gate()
    with holding("SELECT 1 FROM videos_providerstate FOR UPDATE"):
        assert scheduler.hand_out_slots() == 0
    assert fresh(video).status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_video_canceled_while_slots_are_handed_out_is_either_or():
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
def test_all_waiting_videos_locked_is_no_reason_to_wait(no_waiting):
    avatar = make_avatar()
    videos = [make_video(make_caller(), avatar=avatar) for _ in range(2)]
    gate()
    with holding("SELECT 1 FROM videos_video FOR UPDATE"):
        assert scheduler.hand_out_slots() == 0
    assert [fresh(video).status for video in videos] == ["queued"] * 2


@pytest.mark.django_db(transaction=True)
def test_eight_schedulers_never_hand_out_more_than_there_is_while_renders_end(settings):
    """Slots come free all the time: what is out never exceeds the limit, and all is out in the end."""
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


# ── The order in which slots come


def test_places_foretell_the_order_in_which_slots_come_one_by_one(avatar, settings):
    """Whatever the plans and the ages: while nothing ends, everybody goes when their place said."""
    people = [make_caller() for _ in range(4)]
    give_tier(people[1], "pro")
    give_tier(people[2], "business")
    for person, count in zip(people, (3, 4, 2, 1), strict=True):
        set_balance(person, 100)
        queue_many(person, avatar, count)
    shuffle_ages()
    foretold = queue_positions.positions_of(Video.objects.queued())
    order = []
    for settings.HEYGEN_MAX_CONCURRENT in range(1, 11):
        assert scheduler.hand_out_slots() == 1
        order += Video.objects.in_flight().exclude(pk__in=order).values_list("pk", flat=True)
    assert [foretold[pk] for pk in order] == list(range(1, 11))


def shuffle_ages() -> None:
    """Each account has old videos and young ones."""
    now = timezone.now()
    for number, pk in enumerate(Video.objects.queued().order_by("idempotency_key", "id").values_list("pk", flat=True)):
        Video.objects.filter(pk=pk).update(queued_at=now - timedelta(seconds=number * 37 % 101))


def serve(count: int) -> list:
    """Each render that is out the longest ends, and somebody gets its slot: who, in order."""
    served = []
    for _ in range(count):
        oldest = Video.objects.in_flight().order_by("submitted_at", "id").first()
        Video.objects.filter(pk=oldest.pk).update(status=Status.STORING, rendered_at=timezone.now())
        before = set(Video.objects.in_flight().values_list("pk", flat=True))
        scheduler.hand_out_slots()
        served += Video.objects.in_flight().exclude(pk__in=before).values_list("account_id", flat=True)
    return served


@pytest.mark.parametrize("slots", [1, 2, 10])
def test_twenty_that_come_after_a_thousand_get_the_next_slots(avatar, settings, slots):
    """Though the giant has them all: what comes free goes to the crowd, the first come first."""
    settings.HEYGEN_MAX_CONCURRENT = slots
    giant = make_caller()
    give_tier(giant, "business")
    queue_many(giant, avatar, 1000)
    assert scheduler.hand_out_slots() == slots
    crowd = [make_video(make_caller(), avatar=avatar).account_id for _ in range(20)]
    assert serve(20) == crowd


def test_with_one_slot_accounts_take_turns(avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    first, second = make_caller(), make_caller()
    for person in (first, second):
        set_balance(person, 100)
        queue_many(person, avatar, 4)
    scheduler.hand_out_slots()
    one, other = first.account.pk, second.account.pk
    assert serve(5) == [other, one, other, one, other]
