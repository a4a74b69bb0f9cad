"""Whose turn it is: the arithmetic against a plain simulation of handing out one slot after the other."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from genvid.tests.properties import given, st
from videos.queue.fairness import AccountQueue, allot_slots, position_of

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def line(
    number: int, *, waiting: int = 1, in_flight: int = 0, weight: int = 1, limit: int = 10, **more: int
) -> AccountQueue:
    head = MAY - timedelta(seconds=more.get("age", 0))
    return AccountQueue(UUID(int=number), weight, limit, in_flight, waiting, head, more.get("rendered", 0))


def turns(lines: list[AccountQueue]) -> list[int]:
    """The accounts in the order of their videos, as `place` sees them."""
    placed = [
        (position_of(lines, each.account_id, nth), each.account_id.int) for each in lines for nth in range(each.waiting)
    ]
    assert sorted(where for where, _ in placed) == list(range(1, len(placed) + 1))
    return [number for _, number in sorted(placed)]


def simulated(lines: list[AccountQueue]) -> list[int]:
    """One slot after the other: to the lightest account that has claimable, then to those that have none."""
    given: Counter[int] = Counter()
    order = []
    while waiting := [each for each in lines if given[each.account_id.int] < each.waiting]:
        chosen = min(waiting, key=lambda each: key_of(each, given[each.account_id.int]))
        given[chosen.account_id.int] += 1
        order.append(chosen.account_id.int)
    return order


def key_of(each: AccountQueue, taken: int) -> tuple:
    flying = each.in_flight + taken
    lately = Fraction(each.rendered, each.weight)
    return flying >= each.limit, Fraction(flying, each.weight), lately, each.head, each.account_id


many_lines = st.lists(
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
).map(lambda drawn: [line(number, **each) for number, each in enumerate(drawn, start=1)])


@given(many_lines)
def test_places_are_those_of_one_slot_after_the_other(lines):
    assert turns(lines) == simulated(lines)


@given(many_lines, st.integers(0, 20))
def test_slots_go_to_the_first_places(lines, slots):
    rooms = sum(each.claimable for each in lines)
    first = Counter(UUID(int=number) for number in simulated(lines)[: min(slots, rooms)])
    assert allot_slots(lines, slots) == first


@given(many_lines, st.integers(0, 20))
def test_nobody_gets_more_than_its_own_limit(lines, slots):
    given_out = allot_slots(lines, slots)
    assert all(each.in_flight + given_out[each.account_id] <= max(each.limit, each.in_flight) for each in lines)


@given(many_lines)
def test_free_slots_are_not_left_while_somebody_has_room(lines):
    rooms = sum(each.claimable for each in lines)
    assert allot_slots(lines, rooms + 5).total() == rooms


def test_accounts_take_turns():
    assert turns([line(1, waiting=3, age=9), line(2, waiting=2)]) == [1, 2, 1, 2, 1]


def test_a_heavier_weight_gets_its_share():
    assert turns([line(1, waiting=4, weight=2, age=9), line(2, waiting=2)]) == [1, 2, 1, 1, 2, 1]


def test_who_has_much_in_flight_waits():
    assert turns([line(1, waiting=2, in_flight=2, age=9), line(2, waiting=2)]) == [2, 2, 1, 1]


def test_between_equals_the_one_that_has_waited_longest_goes_first():
    assert turns([line(1), line(2, age=5)]) == [2, 1]


def test_between_equals_the_one_that_was_served_lately_waits():
    assert turns([line(1, age=9, rendered=1), line(2)]) == [2, 1]


def test_what_was_rendered_lately_counts_for_less_than_what_is_in_flight():
    assert turns([line(1, rendered=9), line(2, in_flight=1, age=9)]) == [1, 2]


def test_what_was_rendered_lately_is_weighed():
    assert turns([line(1, rendered=3, weight=4), line(2, rendered=1, age=9)]) == [1, 2]


@given(many_lines, st.integers(1, 12))
def test_many_slots_at_once_go_as_one_by_one(lines, slots):
    standing, by_one = lines, Counter()
    for _ in range(slots):
        share = allot_slots(standing, 1)
        by_one += share
        standing = [each.after(share[each.account_id], share[each.account_id]) for each in standing]
    assert by_one == allot_slots(lines, slots)


def test_no_slots_and_no_lines_are_nothing():
    assert (allot_slots([], 5), allot_slots([line(1)], 0)) == (Counter(), Counter())


def test_who_could_not_use_its_share_gets_no_more():
    assert line(1, waiting=5, in_flight=1).after(1, 3).claimable == 0
    assert line(1, waiting=5, in_flight=1).after(2, 2) == line(1, waiting=3, in_flight=3)


def test_videos_beyond_an_accounts_own_limit_come_after_all_others():
    assert turns([line(1, waiting=3, limit=1, age=9), line(2, waiting=2, in_flight=5)]) == [1, 2, 2, 1, 1]


@pytest.mark.parametrize("position", range(21))
def test_twenty_with_one_video_go_before_the_second_of_a_thousand(position):
    """Whenever the account with a thousand videos came."""
    crowd = [line(number, age=20 - number) for number in range(1, 21)]
    lines = [*crowd, line(99, waiting=1000, limit=1000, age=20 - position)]
    given_out = allot_slots(lines, 21)
    assert given_out == Counter({each.account_id: 1 for each in lines})
