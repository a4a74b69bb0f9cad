"""Decisions of the provider gate: how long it stays shut, what reopens it, and how many orders may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from videos.provider.gate_decisions import (
    CHECK_SECONDS,
    LIMIT_STEP_SECONDS,
    MAX_BUSY_SECONDS,
    MAX_PROBE_SECONDS,
    Gate,
    Trouble,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN = Gate(max_in_flight=10, changed_at=NOW)
EMPTY = Trouble("insufficient_credit", "Your account has 0 credits.", needs_staff=True)
FAILED_LATER = Trouble("movio_payment", "", needs_staff=True, was_taken=True)
BUSY = Trouble("rate_limit_exceeded", "", needs_staff=False, seconds=20)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def trip(gate: Gate, trouble: Trouble, seconds: float = 0, *, rendering: int = 0) -> Gate:
    return gate.tripped(trouble, after(seconds), rendering=rendering)


def wait_of(gate: Gate, seconds: float = 0) -> float:
    """Seconds that the gate is still shut."""
    return (gate.closed_until - after(seconds)).total_seconds() if gate.closed_until else 0


# ── Closing


def test_a_new_gate_is_open():
    assert (OPEN.is_shut(NOW), OPEN.is_half_open(NOW), OPEN.limit(NOW)) == (False, False, 10)


def test_a_problem_of_our_account_shuts_the_gate_and_leaves_it_half_open():
    gate = trip(OPEN, EMPTY)
    assert [(gate.is_shut(after(s)), gate.is_half_open(after(s))) for s in (0, 14, 15)] == [
        (True, False),
        (True, False),
        (False, True),
    ]


def test_load_shuts_the_gate_and_leaves_it_open():
    gate = trip(OPEN, BUSY)
    assert [(gate.is_shut(after(s)), gate.is_half_open(after(s))) for s in (19, 20)] == [(True, False), (False, False)]


@pytest.mark.parametrize(("asked", "waits"), [(None, 5), (0, 5), (20, 20), (MAX_BUSY_SECONDS + 1, MAX_BUSY_SECONDS)])
def test_load_shuts_the_gate_for_as_long_as_heygen_asks_up_to_six_hours(asked, waits):
    assert wait_of(trip(OPEN, replace(BUSY, seconds=asked))) == waits


def test_each_consecutive_problem_doubles_the_wait_of_the_gate_up_to_ten_minutes():
    gate, waits, seconds = OPEN, [], 0.0
    for _ in range(8):
        gate = trip(gate, EMPTY, seconds)
        waits.append(wait_of(gate, seconds))
        seconds += waits[-1]
    assert (waits, gate.closings) == ([15, 30, 60, 120, 240, 480, 600, 600], 8)


def test_the_wait_of_the_gate_stays_at_its_maximum():
    assert wait_of(trip(replace(OPEN, closings=5000), EMPTY)) == MAX_PROBE_SECONDS


def test_a_problem_met_while_the_gate_is_shut_for_it_changes_nothing():
    assert trip(trip(OPEN, EMPTY), replace(EMPTY, code="unauthorized", account_id=uuid4()), 14) == trip(OPEN, EMPTY)


def test_a_problem_of_an_order_sent_before_the_trip_changes_nothing():
    gate = trip(OPEN, EMPTY)
    assert trip(gate, replace(EMPTY, ordered_at=after(-1)), 60) == gate
    assert trip(gate, replace(EMPTY, ordered_at=after(0)), 60).closings == 2


def test_a_known_problem_still_notes_that_only_a_render_is_proof():
    gate = trip(OPEN, EMPTY)
    assert trip(gate, FAILED_LATER, 1) == replace(gate, until_rendered=True)
    assert trip(trip(gate, FAILED_LATER, 1), EMPTY, 2) == replace(gate, until_rendered=True)


def test_load_neither_replaces_a_problem_of_the_gate_nor_shortens_its_wait():
    gate = trip(OPEN, EMPTY)
    assert trip(gate, replace(BUSY, seconds=1)) == gate
    assert trip(gate, replace(BUSY, seconds=90)) == replace(gate, closed_until=after(90))


def test_further_load_does_not_shorten_the_wait_of_the_gate():
    assert wait_of(trip(trip(OPEN, replace(BUSY, seconds=90)), BUSY)) == 90


def test_load_does_not_lengthen_the_wait_of_the_next_problem():
    gate = OPEN
    for _ in range(6):
        gate = trip(gate, BUSY)
    assert wait_of(trip(gate, EMPTY, 21), 21) == 15


def test_a_render_failed_by_load_needs_no_render_to_reopen_the_gate():
    assert trip(OPEN, replace(BUSY, was_taken=True, ordered_at=NOW)) == trip(OPEN, BUSY)


def test_the_gate_keeps_the_first_time_at_which_staff_were_needed():
    gate = trip(trip(OPEN, EMPTY), EMPTY, 60)
    assert (gate.needs_staff_since, gate.changed_at) == (NOW, after(60))


def test_provider_texts_are_cut_to_the_length_of_the_gates_columns():
    gate = trip(OPEN, Trouble("c" * 99, "m" * 999, needs_staff=True))
    assert (gate.code, gate.message) == ("c" * 60, "m" * 500)


def test_the_gate_notes_the_account_that_tripped_it_except_for_load():
    account_id = uuid4()
    assert trip(OPEN, replace(EMPTY, account_id=account_id)).tripped_by_id == account_id
    assert trip(OPEN, replace(BUSY, account_id=account_id)).tripped_by_id is None


# ── Reopening


@pytest.mark.parametrize("is_rendered", [False, True])
@pytest.mark.parametrize(("ordered", "now", "opens"), [(0, 15, True), (20, 30, True), (-1, 15, False), (0, 14, False)])
def test_an_accepted_order_since_the_trip_reopens_the_gate_after_its_wait(is_rendered, ordered, now, opens):
    gate = trip(OPEN, EMPTY)
    expected = replace(OPEN, changed_at=after(now)) if opens else gate
    assert gate.succeeded(after(ordered), after(now), is_rendered=is_rendered) == expected


def test_only_a_render_reopens_the_gate_where_renders_fail_for_credit():
    gate = trip(OPEN, FAILED_LATER)
    assert gate.succeeded(after(20), after(30), is_rendered=False) == gate
    assert gate.succeeded(after(20), after(30), is_rendered=True) == replace(OPEN, changed_at=after(30))


def test_an_open_gate_is_not_reopened():
    assert OPEN.reopened(after(60)) == OPEN.succeeded(NOW, after(60), is_rendered=True) == OPEN


def test_reopening_the_gate_keeps_pause_limit_and_time_of_the_last_check():
    kept = replace(
        OPEN, paused_at=NOW, paused_by="sam", learned_limit=3, learned_at=NOW, looked_at=NOW, changed_at=after(9)
    )
    assert trip(replace(kept, balance_seen=Decimal(1)), EMPTY).reopened(after(9)) == kept


def test_a_second_pause_keeps_the_time_and_author_of_the_first():
    gate = OPEN.paused("s" * 300, NOW)
    assert (gate.paused_at, gate.paused_by, gate.is_shut(NOW)) == (NOW, "s" * 254, True)
    assert gate.paused("alex", after(1)) == gate


# ── The balance is checked before a probe


def test_an_open_gate_needs_no_check():
    assert [gate.checking_balance(after(60)) == gate for gate in (OPEN, trip(OPEN, BUSY))] == [True, True]


def test_a_half_open_gate_is_shut_while_one_worker_checks():
    claimed = trip(OPEN, EMPTY).checking_balance(after(15))
    assert (claimed.looked_at, wait_of(claimed, 15)) == (after(15), CHECK_SECONDS)
    assert claimed.checking_balance(after(16)) == claimed


def test_a_shut_gate_is_checked_every_thirty_seconds():
    gate = trip(replace(OPEN, closings=5), EMPTY)
    checks = []
    for seconds in (0, 1, 29, 30, 59, 60):
        claimed = gate.checking_balance(after(seconds))
        checks.append(claimed != gate)
        assert claimed.closed_until == gate.closed_until
        gate = claimed
    assert checks == [True, False, False, True, False, True]


@pytest.mark.parametrize("seconds", [0, 15])
def test_a_paused_gate_is_not_checked(seconds):
    gate = trip(OPEN, EMPTY)
    paused = gate.paused("sam", NOW)
    assert paused.checking_balance(after(seconds)) == paused
    assert gate.checking_balance(after(seconds)) != gate


def checked(balance: str | None, *, seconds: float = 15, is_early: bool = False, seen: str | None = None) -> bool:
    """Whether a probe may go after the check."""
    gate = replace(trip(OPEN, EMPTY), balance_seen=seen and Decimal(seen), closed_until=after(9999))
    gate = gate.with_balance(balance and Decimal(balance), after(seconds), is_early=is_early)
    return not gate.is_shut(after(seconds))


@pytest.mark.parametrize(("balance", "kept"), [("5", Decimal(5)), ("0", Decimal(0)), (None, Decimal(2))])
def test_the_gate_keeps_the_balance_that_heygen_tells(balance, kept):
    gate = trip(replace(OPEN, balance_seen=Decimal(2)), EMPTY)
    checked_gate = gate.with_balance(balance and Decimal(balance), after(1), is_early=False)
    assert checked_gate == replace(gate, balance_seen=kept, closed_until=checked_gate.closed_until)


@pytest.mark.parametrize(("balance", "goes"), [("0.01", True), ("0", False), ("-1", False), (None, False)])
def test_a_probe_goes_after_the_wait_if_the_balance_is_positive(balance, goes):
    assert checked(balance) == goes


@pytest.mark.parametrize("balance", ["0", "-1", None])
def test_a_probe_goes_after_the_longest_wait_whatever_the_balance(balance):
    assert [checked(balance, seconds=MAX_PROBE_SECONDS - 1), checked(balance, seconds=MAX_PROBE_SECONDS)] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("seen", "balance", "goes"),
    [
        ("1", "2", True),
        ("1", "1", False),
        ("2", "1", False),
        ("-1", "0", False),
        (None, "2", False),
        ("1", None, False),
    ],
)
def test_a_probe_goes_before_the_end_of_the_wait_only_if_the_wallet_was_refilled(seen, balance, goes):
    assert checked(balance, is_early=True, seen=seen) == goes
    assert checked(balance, is_early=True, seen=seen, seconds=MAX_PROBE_SECONDS) == goes


def test_a_check_that_ends_after_the_gate_was_reopened_changes_nothing():
    gate = trip(OPEN, BUSY)
    assert gate.with_balance(Decimal(5), after(1), is_early=False) == gate


# ── Allowance


@pytest.mark.parametrize(("in_flight", "slots"), [(0, 10), (9, 1), (10, 0), (12, 0)])
def test_an_open_gate_hands_out_all_free_slots(in_flight, slots):
    assert OPEN.allowance(NOW, in_flight=in_flight, probes=in_flight) == slots


@pytest.mark.parametrize(("in_flight", "probes", "slots"), [(0, 0, 1), (9, 0, 1), (10, 0, 0), (1, 1, 0), (3, 2, 0)])
def test_a_half_open_gate_hands_out_one_slot_at_a_time(in_flight, probes, slots):
    gate = trip(OPEN, EMPTY)
    assert gate.allowance(after(15), in_flight=in_flight, probes=probes) == slots


@pytest.mark.parametrize("gate", [trip(OPEN, EMPTY), trip(OPEN, BUSY), OPEN.paused("sam", NOW)])
def test_a_shut_gate_hands_out_no_slot(gate):
    assert gate.allowance(NOW, in_flight=0, probes=0) == 0


def refuse_slot(gate: Gate, rendering: int, ordered: float = 0, now: float = 0) -> Gate:
    return trip(gate, replace(BUSY, ordered_at=after(ordered)), now, rendering=rendering)


def test_a_refused_slot_lowers_the_limit_and_time_raises_it():
    gate = refuse_slot(OPEN, rendering=7)
    assert [gate.limit(after(LIMIT_STEP_SECONDS * steps)) for steps in range(5)] == [7, 8, 9, 10, 10]


@pytest.mark.parametrize(("rendering", "limit"), [(0, 5), (5, 5), (7, 7), (10, 10), (30, 10)])
def test_one_refused_slot_at_most_halves_the_limit(rendering, limit):
    assert refuse_slot(OPEN, rendering).learned_limit == limit


def test_the_learned_limit_falls_to_the_renders_at_heygen_and_never_below_one():
    limits = {}
    for rendering in (0, 3):
        gate = OPEN
        for seconds in range(8):
            gate = refuse_slot(gate, rendering, seconds, seconds)
        limits[rendering] = gate.limit(after(8))
    assert limits == {0: 1, 3: 3}


def test_a_slot_refused_at_the_time_of_the_last_change_lowers_the_limit_further():
    assert refuse_slot(refuse_slot(OPEN, 0), 0).learned_limit == 2


def test_a_clock_that_runs_behind_lowers_no_limit_below_one():
    assert replace(OPEN, learned_limit=1, learned_at=NOW).limit(after(-2 * LIMIT_STEP_SECONDS)) == 1


def test_a_burst_of_refused_slots_lowers_the_limit_once():
    gate = OPEN
    for seconds in (1, 2, 3):
        gate = refuse_slot(gate, 0, 0, seconds)
    assert gate.limit(after(3)) == 5


def test_problems_other_than_refused_slots_lower_no_limit():
    troubles = [BUSY, replace(EMPTY, ordered_at=NOW), replace(BUSY, was_taken=True, ordered_at=NOW)]
    assert [trip(OPEN, trouble).learned_limit for trouble in troubles] == [None] * 3
