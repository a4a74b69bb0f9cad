"""Allotment of slots and queue positions, compared with a simulation that hands out one slot after the other."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

import pytest

from genvid.tests.properties import given, st
from videos.queue.fairness import AccountQueue, allot_slots, per_weight
from videos.queue.queue_order import QueueOrder, order_of, unpacked

MAY = 1_777_593_600_000_000
SECOND = 1_000_000


def queue_of(
    number: int, *, waiting: int = 1, in_flight: int = 0, weight: int = 1, limit: int = 10, **more: int
) -> AccountQueue:
    head = MAY - more.get("age", 0) * SECOND
    return AccountQueue(UUID(int=number), weight, limit, in_flight, waiting, head, more.get("rendered", 0))


def ordered(queues: list[AccountQueue]) -> QueueOrder:
    """As requests get it, with the videos of an account a second apart."""
    keys = {each.account_id: [(each.head + nth * SECOND, nth) for nth in range(each.waiting)] for each in queues}
    order = unpacked(order_of((each, keys[each.account_id]) for each in queues).packed())
    assert order is not None
    return order


def position_of(order: QueueOrder, each: AccountQueue, nth: int) -> int:
    return order.position(order.share_of(each.account_id), nth).position


def turns(queues: list[AccountQueue]) -> list[int]:
    """The accounts in the order of their videos, by their positions."""
    order = ordered(queues)
    placed = [(position_of(order, each, nth), each.account_id.int) for each in queues for nth in range(each.waiting)]
    assert sorted(where for where, _ in placed) == list(range(1, len(placed) + 1))
    return [number for _, number in sorted(placed)]


def simulated(queues: list[AccountQueue]) -> list[int]:
    """Accounts in the order in which single slots go to them: first those below their limit, by their load."""
    given: Counter[int] = Counter()
    order = []
    while waiting := [each for each in queues if given[each.account_id.int] < each.waiting]:
        chosen = min(waiting, key=lambda each: key_of(each, given[each.account_id.int]))
        given[chosen.account_id.int] += 1
        order.append(chosen.account_id.int)
    return order


def key_of(each: AccountQueue, taken: int) -> tuple:
    flying = each.in_flight + taken
    lately = Fraction(each.rendered, each.weight)
    return flying >= each.limit, Fraction(flying, each.weight), lately, each.head, each.account_id


class ExactQueue:
    """The model: an account's queue in fractions, counted over all accounts for each position."""

    def __init__(self, queue: AccountQueue) -> None:
        self.queue, self.claimable = queue, min(queue.waiting, max(0, queue.limit - queue.in_flight))
        self.tie = (Fraction(queue.rendered, queue.weight), queue.head, queue.account_id)

    def rank(self, nth: int) -> tuple:
        return nth >= self.claimable, Fraction(self.queue.in_flight + nth, self.queue.weight), self.tie

    def ahead_of(self, rank: tuple) -> int:
        return sum(self.rank(nth) < rank for nth in range(self.queue.waiting))


def exact_position(queues: list[AccountQueue], each: AccountQueue, nth: int) -> int:
    """Where the account's queue is longer than it was, so that it has an `nth` video."""
    longer = ExactQueue(replace(each, waiting=max(each.waiting, nth + 1)))
    others = [ExactQueue(other) for other in queues if other.account_id != each.account_id]
    return nth + 1 + sum(other.ahead_of(longer.rank(nth)) for other in others)


many_queues = st.lists(
    st.builds(
        dict,
        waiting=st.integers(1, 6),
        in_flight=st.integers(0, 5),
        weight=st.integers(1, 4),
        limit=st.integers(1, 6),
        age=st.integers(0, 3),
        rendered=st.integers(0, 2),
    ),
    min_size=1,
    max_size=5,
).map(lambda drawn: [queue_of(number, **each) for number, each in enumerate(drawn, start=1)])


@given(many_queues)
def test_positions_match_a_simulation_of_one_slot_after_another(queues):
    assert turns(queues) == simulated(queues)


@given(many_queues)
def test_positions_equal_the_exact_order_of_waiting_and_of_new_videos(queues):
    order = ordered(queues)
    for each in queues:
        for nth in range(each.waiting + 3):
            found = order.position(order.share_of(each.account_id), nth)
            assert found.position == exact_position(queues, each, nth)
            assert found.is_beyond_own_slots == (nth >= each.limit - each.in_flight)


@given(many_queues, st.integers(1, 4), st.integers(1, 6), st.integers(0, 8))
def test_positions_of_an_account_new_in_the_queue_equal_the_exact_order(queues, weight, limit, nth):
    newcomer = queue_of(99, waiting=0, weight=weight, limit=limit, age=-1)
    order = ordered(queues)
    assert order.share_of(newcomer.account_id) is None
    found = order.position(order.newcomer(weight, limit), nth)
    assert found.position == exact_position(queues, newcomer, nth)


@given(many_queues)
def test_each_waiting_video_is_found_by_its_time_and_id(queues):
    order = ordered(queues)
    for each in queues:
        share = order.share_of(each.account_id)
        found = [order.earlier(share, (each.head + nth * SECOND, nth)) for nth in range(each.waiting)]
        assert found == list(range(each.waiting))


def test_videos_queued_at_one_moment_go_by_their_ids():
    queue = queue_of(1, waiting=3)
    order = order_of([(queue, [(MAY, 5), (MAY, 7), (MAY, 9)])])
    share = order.share_of(queue.account_id)
    assert [order.earlier(share, (MAY, number)) for number in (4, 5, 6, 7, 9, 10)] == [0, 0, 1, 1, 2, 3]


@pytest.mark.parametrize(
    "change", [lambda it: b"", lambda it: b"queue-9?" + it[8:], lambda it: it[:-1], lambda it: it[:9]]
)
def test_a_packed_order_of_another_form_is_not_read(change):
    packed = order_of([(queue_of(1), [(MAY, 1)])]).packed()
    assert unpacked(packed) is not None
    assert unpacked(change(packed)) is None


@given(st.integers(0, 10**6), st.integers(1, 32767), st.integers(0, 10**6), st.integers(1, 32767))
def test_integer_shares_compare_as_fractions_do(count, weight, other, other_weight):
    assert (per_weight(count, weight) < per_weight(other, other_weight)) == (
        Fraction(count, weight) < Fraction(other, other_weight)
    )


@given(many_queues, st.integers(0, 20))
def test_slots_go_to_the_first_positions(queues, slots):
    total = sum(each.claimable for each in queues)
    first = Counter(UUID(int=number) for number in simulated(queues)[: min(slots, total)])
    assert allot_slots(queues, slots) == first


@given(many_queues, st.integers(0, 20))
def test_no_account_gets_more_slots_than_its_own_limit(queues, slots):
    given_out = allot_slots(queues, slots)
    assert all(each.in_flight + given_out[each.account_id] <= max(each.limit, each.in_flight) for each in queues)


@given(many_queues)
def test_no_slot_is_left_free_while_an_account_may_claim_it(queues):
    total = sum(each.claimable for each in queues)
    assert allot_slots(queues, total + 5).total() == total


def test_accounts_of_equal_weight_take_turns():
    assert turns([queue_of(1, waiting=3, age=9), queue_of(2, waiting=2)]) == [1, 2, 1, 2, 1]


def test_an_account_with_a_heavier_weight_gets_more_turns():
    assert turns([queue_of(1, waiting=4, weight=2, age=9), queue_of(2, waiting=2)]) == [1, 2, 1, 1, 2, 1]


def test_an_account_with_much_in_flight_waits():
    assert turns([queue_of(1, waiting=2, in_flight=2, age=9), queue_of(2, waiting=2)]) == [2, 2, 1, 1]


def test_an_equal_account_that_has_waited_longest_goes_first():
    assert turns([queue_of(1), queue_of(2, age=5)]) == [2, 1]


def test_an_equal_account_that_was_served_lately_waits():
    assert turns([queue_of(1, age=9, rendered=1), queue_of(2)]) == [2, 1]


def test_recent_renders_count_for_less_than_renders_in_flight():
    assert turns([queue_of(1, rendered=9), queue_of(2, in_flight=1, age=9)]) == [1, 2]


def test_recent_renders_are_divided_by_the_weight():
    assert turns([queue_of(1, rendered=3, weight=4), queue_of(2, rendered=1, age=9)]) == [1, 2]


@given(many_queues, st.integers(1, 12))
def test_many_slots_at_once_are_allotted_as_one_by_one(queues, slots):
    remaining, by_one = queues, Counter()
    for _ in range(slots):
        share = allot_slots(remaining, 1)
        by_one += share
        remaining = [each.after(share[each.account_id], share[each.account_id]) for each in remaining]
    assert by_one == allot_slots(queues, slots)


def test_no_slots_or_no_queues_allot_nothing():
    assert (allot_slots([], 5), allot_slots([queue_of(1)], 0)) == (Counter(), Counter())


def test_an_account_that_could_not_use_its_share_gets_no_more_later():
    assert queue_of(1, waiting=5, in_flight=1).after(1, 3).claimable == 0
    assert queue_of(1, waiting=5, in_flight=1).after(2, 2) == queue_of(1, waiting=3, in_flight=3)


def test_videos_beyond_the_limit_of_their_account_come_after_all_others():
    assert turns([queue_of(1, waiting=3, limit=1, age=9), queue_of(2, waiting=2, in_flight=5)]) == [1, 2, 2, 1, 1]


@pytest.mark.parametrize("position", range(21))
def test_twenty_accounts_with_one_video_go_before_the_second_video_of_another(position):
    """Whenever the account with a thousand videos came."""
    others = [queue_of(number, age=20 - number) for number in range(1, 21)]
    queues = [*others, queue_of(99, waiting=1000, limit=1000, age=20 - position)]
    given_out = allot_slots(queues, 21)
    assert given_out == Counter({each.account_id: 1 for each in queues})
