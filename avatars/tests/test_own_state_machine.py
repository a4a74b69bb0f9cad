"""Property test: money, status and copies at HeyGen after any sequence of orders, answers, crashes and deletions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from avatars.enums import PENDING, SOURCES, CreationKind, EntryStatus
from avatars.models import Creation, CreationEvent, Upload
from avatars.own import changes, clients, orders, orphans, review, work
from avatars.own.orders import Consent, CreationRequest
from avatars.own.removal import SETTLE_TIME
from avatars.tests.fake_maker import Crash, FakeMaker
from avatars.tests.own_entries import CONTENT
from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry, Tier
from genvid.errors import InsufficientCredits, InvalidState, SlotsFull
from genvid.heygen.avatar_making import MakingState
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import Person, make_caller
from genvid.tests.properties import (
    Bundle,
    HealthCheck,
    Phase,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
    st,
)
from genvid.tests.properties import settings as trials

BALANCE, MOST, SLOTS = 100, 5, 3
CREATIONS = ["lost", "unknown", "busy", "full", "in_progress", "refused", "operator", "crash", "crash_after"]
plans = st.lists(st.sampled_from(["ok", "ok", *CREATIONS]), max_size=3)
failures = st.sampled_from(["", "", "training_failed", "insufficient_credit"])


class CreationLife(RuleBasedStateMachine):
    """Every rule may happen at any time, any number of times."""

    heygen = FakeMaker()
    owner: Person
    staff: User
    creations = Bundle("creations")

    def __init__(self) -> None:
        super().__init__()
        # Rolled back at the end: each example starts from an empty database.
        self.example = transaction.atomic()
        # As Django marks the transaction of a test: for the code under test it is none.
        self.example._from_testcase = True
        self.example.__enter__()
        self.heygen.made, self.heygen.keys, self.heygen.plan = {}, {}, []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def attempt(self, action: Callable[[], Any], plan: list[str]) -> None:
        """Run `action` with HeyGen answering as planned; a crash ends it in the middle."""
        self.heygen.plan = list(plan)
        try:
            action()
        except Crash:
            pass
        finally:
            self.heygen.plan = []

    # ── Clients and staff

    @rule(target=creations, kind=st.sampled_from(list(CreationKind)), is_me=st.booleans())
    def order(self, kind: CreationKind, is_me: bool) -> Any:
        if Creation.objects.count() >= MOST:
            return multiple()
        upload = Upload.objects.create(account=self.owner.account, kind=CONTENT[kind][0], provider_asset_id="asset")
        request = CreationRequest(kind, "Ada", upload.pk, Consent(is_me, "Ada"), "English")
        try:
            return orders.order(self.owner.caller, request).pk
        except (InsufficientCredits, SlotsFull):
            return multiple()

    @rule(creation=creations)
    def delete(self, creation: Any) -> None:
        changes.delete(self.owner.caller, Creation.objects.get(pk=creation))

    @rule(creation=creations, approves=st.booleans())
    def judge(self, creation: Any, approves: bool) -> None:
        row = Creation.objects.get(pk=creation)
        try:
            if approves:
                review.approve(row, staff_id=self.staff.pk)
            else:
                review.refuse(row, reason="Not you.", staff_id=self.staff.pk)
        except InvalidState:
            pass

    # ── HeyGen

    @rule(number=st.integers(0, 4), failure=failures)
    def end_making(self, number: int, failure: str) -> None:
        running = [each for each in self.heygen.made.values() if each.state is MakingState.PROCESSING]
        for made in running[number : number + 1]:
            state = MakingState.FAILED if failure else MakingState.COMPLETED
            self.heygen.change(made.id, state=state, failure=failure)

    @rule(number=st.integers(0, 4))
    def consent(self, number: int) -> None:
        for made in list(self.heygen.made.values())[number : number + 1]:
            self.heygen.change(made.id, consented=True)

    # ── Workers

    @rule(creation=creations, plan=plans)
    def step(self, creation: Any, plan: list[str]) -> None:
        self.make_due(creation)
        self.attempt(lambda: work.work_on(str(creation)), plan)

    @rule(creation=creations)
    def advance(self, creation: Any) -> None:
        """Several steps that succeed, with HeyGen finishing what it has begun."""
        for _ in range(3):
            self.make_due(creation)
            work.work_on(str(creation))
            for made in self.heygen.live():
                self.heygen.change(made.id, consented=True)
                if made.state is MakingState.PROCESSING:
                    self.heygen.change(made.id, state=MakingState.COMPLETED)

    @rule(creation=creations)
    def let_time_pass(self, creation: Any) -> None:
        """Its status lasts too long, and a removal has settled."""
        past = timezone.now() - SETTLE_TIME
        rows = Creation.objects.filter(pk=creation)
        rows.filter(deleted_at__isnull=False).update(deleted_at=past)
        rows.update(moved_at=past, ordered_at=past)
        rows.filter(deadline_at__isnull=False).update(deadline_at=past)

    @rule(plan=plans)
    def remove_orphans(self, plan: list[str]) -> None:
        self.attempt(orphans.remove_orphans, plan)

    @rule()
    def sweep(self) -> None:
        work.sweep_creations()

    def make_due(self, creation: Any) -> None:
        Creation.objects.filter(pk=creation, due_at__isnull=False).update(due_at=timezone.now())

    # ── What always holds

    @invariant()
    def money_follows_the_status(self) -> None:
        assert the_ledger_proves()
        for creation in Creation.objects.all():
            held = Hold.objects.get(reference=creation.money_reference)
            expected = {EntryStatus.READY: HoldStatus.CAPTURED}.get(
                EntryStatus(creation.status), HoldStatus.OPEN if creation.status in PENDING else HoldStatus.RELEASED
            )
            assert held.status == expected, (creation.status, held.status)
            assert creation.credits_charged == held.captured
        assert (
            LedgerEntry.objects.filter(kind=EntryKind.CHARGE).count()
            == Creation.objects.filter(status=EntryStatus.READY).count()
        )

    @invariant()
    def the_entry_has_the_status(self) -> None:
        for creation in Creation.objects.select_related("avatar", "voice"):
            assert creation.entry.status == creation.status
            assert creation.entry.is_available == (creation.deleted_at is None)
            assert (creation.entry.provider_id is not None) == (creation.ready_at is not None)

    @invariant()
    def every_move_is_permitted_and_in_the_history(self) -> None:
        for event in CreationEvent.objects.exclude(from_status="").exclude(reason__in=("deleted",)):
            if event.from_status != event.to_status:
                assert EntryStatus(event.from_status) in SOURCES[EntryStatus(event.to_status)]

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        for creation in Creation.objects.filter(deleted_at=None, status__in=PENDING):
            assert creation.deadline_at is not None
            assert creation.due_at is not None or creation.status == EntryStatus.REVIEW

    @invariant()
    def the_plan_is_kept(self) -> None:
        assert Creation.objects.occupying(orders.AVATARS).count() <= SLOTS
        assert Creation.objects.occupying(orders.VOICES).count() <= SLOTS

    @invariant()
    def what_was_removed_is_not_there(self) -> None:
        there = {each.name.split()[1] for each in self.heygen.live()}
        removed = Creation.objects.filter(removed_at__isnull=False).values_list("pk", flat=True)
        assert not there & {str(pk) for pk in removed}

    @invariant()
    def nothing_is_made_twice_by_one_order(self) -> None:
        names = [each.name for each in self.heygen.made.values()]
        assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_creation_keeps_its_promises_whatever_happens(monkeypatch):
    Tier.objects.update(own_avatars=SLOTS, own_voices=SLOTS)
    CreationLife.owner = make_caller(balance=BALANCE)
    CreationLife.staff = User.objects.create_superuser("boss@example.com", "correct horse battery staple")
    for module in (clients, orphans):
        monkeypatch.setattr(module, "AvatarMaker", lambda client: CreationLife.heygen)
    run_state_machine_as_test(
        CreationLife,
        settings=trials(
            max_examples=20,
            phases=[Phase.generate],
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
