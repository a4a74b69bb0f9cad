"""Credit operations in any order, compared with a model wallet of a few numbers and a list of lots."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from billing.credits import adjust, capture, charge, expire, hold, release
from billing.models import CreditLot, Hold
from genvid.errors import InsufficientCredits
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import Person, grant, make_caller
from genvid.tests.properties import (
    HealthCheck,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
    settings,
    st,
)

START = datetime(2100, 1, 1, tzinfo=UTC)
AMOUNTS = st.integers(min_value=1, max_value=40)
NAMES = st.integers(min_value=0, max_value=5)
DAYS = st.none() | st.integers(min_value=1, max_value=4)


@dataclass
class Model:
    """The expected wallet. `lots` are [expiry day or None, credits], oldest first."""

    lots: list[list] = field(default_factory=lambda: [[None, 30]])
    open: dict[str, int] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    @property
    def balance(self) -> int:
        return sum(left for _, left in self.lots)

    @property
    def held(self) -> int:
        return sum(self.open.values())

    @property
    def available(self) -> int:
        return self.balance - self.held

    @property
    def soonest_first(self) -> list[list]:
        return sorted(self.lots, key=lambda lot: (lot[0] is None, lot[0] or 0))

    def spend(self, amount: int) -> None:
        for lot in self.soonest_first:
            taken = min(lot[1], amount)
            lot[1] -= taken
            amount -= taken

    def expire(self, day: int) -> int:
        """Removes due lots, except credits that are held."""
        before, needed = self.balance, self.held
        for lot in self.soonest_first:
            kept = min(lot[1], needed)
            needed -= kept
            if lot[0] is not None and lot[0] <= day:
                lot[1] = kept
        return before - self.balance


class WalletMachine(RuleBasedStateMachine):
    person: Person

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        # As Django marks the transaction of a test: for the code under test it is none.
        self.example._from_testcase = True
        self.example.__enter__()

    def teardown(self) -> None:
        """Each example starts with an empty database."""
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize()
    def register(self) -> None:
        self.person, self.model, self.day = make_caller(), Model(), 0

    @property
    def account_id(self):
        return self.person.account.pk

    def name(self, kind: str, number: int) -> str:
        return f"{kind}{number}:{self.account_id}"

    @rule(number=NAMES, amount=AMOUNTS)
    def take_a_hold(self, number: int, amount: int) -> None:
        name = self.name("hold", number)
        known = name in self.model.open or name in self.model.settled
        if known:
            hold(self.account_id, Hold.objects.get(reference=name).amount, reference=name)
        elif amount <= self.model.available:
            hold(self.account_id, amount, reference=name)
            self.model.open[name] = amount
        else:
            with pytest.raises(InsufficientCredits):
                hold(self.account_id, amount, reference=name)

    @rule(number=NAMES, amount=st.integers(min_value=0, max_value=40))
    def capture_it(self, number: int, amount: int) -> None:
        name = self.name("hold", number)
        if name in self.model.open:
            charged = min(amount, self.model.open.pop(name))
            self.model.spend(charged)
            self.model.settled[name] = charged
        if name in self.model.settled:
            assert capture(name, amount) == self.model.settled[name]

    @rule(number=NAMES)
    def release_it(self, number: int) -> None:
        name = self.name("hold", number)
        if name in self.model.open:
            del self.model.open[name]
            self.model.settled[name] = 0
            assert release(name) is True
        elif name in self.model.settled:
            assert release(name) is False

    @rule(number=NAMES, amount=st.integers(min_value=0, max_value=40))
    def charge_it(self, number: int, amount: int) -> None:
        name = self.name("speech", number)
        if name not in self.model.settled and amount > self.model.available:
            with pytest.raises(InsufficientCredits):
                charge(self.account_id, amount, reference=name, description="")
            return
        if name not in self.model.settled:
            self.model.spend(amount)
            self.model.settled[name] = amount
        assert charge(self.account_id, amount, reference=name, description="") == self.model.settled[name]

    @rule(number=NAMES, amount=AMOUNTS, days=DAYS)
    def grant_some(self, number: int, amount: int, days: int | None) -> None:
        name = self.name("pack", number)
        due = None if days is None else self.day + days
        expires_at = None if due is None else START + timedelta(days=due)
        assert grant(self.person, amount, reference=name, expires_at=expires_at) is (name not in self.model.done)
        if name not in self.model.done:
            self.model.done.add(name)
            self.model.lots.append([due, amount])

    @rule(number=NAMES, amount=st.integers(min_value=-40, max_value=40).filter(bool))
    def adjust_it(self, number: int, amount: int) -> None:
        name = self.name("staff", number)
        if name not in self.model.done and self.model.available + amount < 0 and amount < 0:
            with pytest.raises(InsufficientCredits):
                adjust(self.account_id, amount, reference=name, description="")
            return
        assert adjust(self.account_id, amount, reference=name, description="") is (name not in self.model.done)
        if name not in self.model.done:
            self.model.done.add(name)
            if amount > 0:
                self.model.lots.append([None, amount])
            else:
                self.model.spend(-amount)

    @rule(days=st.integers(min_value=0, max_value=2))
    def let_time_pass(self, days: int) -> None:
        self.day += days
        assert expire(START + timedelta(days=self.day)) == self.model.expire(self.day)

    @invariant()
    def the_wallet_is_as_the_model_says(self) -> None:
        wallet = self.person.wallet
        assert (wallet.balance, wallet.held) == (self.model.balance, self.model.held)
        assert wallet.available >= 0

    @invariant()
    def the_lots_are_as_the_model_says(self) -> None:
        lots = CreditLot.objects.filter(wallet=self.account_id).order_by("id").values_list("remaining", flat=True)
        assert list(lots) == [left for _, left in self.model.lots]

    @invariant()
    def the_ledger_proves(self) -> None:
        assert the_ledger_proves()


@pytest.mark.django_db
def test_operations_in_any_order_match_the_model_wallet():
    run_state_machine_as_test(
        WalletMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
