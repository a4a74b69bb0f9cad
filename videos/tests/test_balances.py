"""The wallet at HeyGen over time: kept, told, and alarmed days before it is empty."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from genvid.heygen.heygen_types import ProviderAccount
from genvid.tests.asserts import nothing_changes
from genvid.tests.test_metrics import series
from videos.models import OperatorAlarm, ProviderBalance
from videos.provider import balances

pytestmark = pytest.mark.django_db


def keep(*history: tuple[float, float], currency: str = "usd") -> None:
    """Balances by their age in days."""
    for days, remaining in history:
        read_at = timezone.now() - timedelta(days=days)
        ProviderBalance.objects.create(read_at=read_at, remaining=Decimal(str(remaining)), currency=currency)


def record(remaining: float | None, currency: str = "usd") -> None:
    left = None if remaining is None else Decimal(str(remaining))
    balances.record(ProviderAccount("wallet", currency, left))


def lasts() -> float | None:
    days = balances.days_left(balances.recent_balances())
    return None if days is None else round(days, 3)


@pytest.mark.parametrize(
    ("history", "days"),
    [
        ([], None),
        ([(0, 50)], None),
        ([(2, 90), (0, 50)], 2.5),
        ([(2, 50), (0, 50)], None),
        # What was paid in is not spent.
        ([(3, 40), (2, 10), (1, 110), (0, 50)], 1.667),
        ([(0.1, 60), (0, 50)], None),
        ([(30, 9000), (2, 90), (0, 50)], 2.5),
        ([(2, 10), (0, -1)], 0.0),
    ],
    ids=["nothing", "one read", "spent", "not spent", "topped up", "too short", "long ago", "overdrawn"],
)
def test_days_left_follow_the_spending_of_the_last_days(history, days):
    keep(*history)
    assert lasts() == days


def test_balances_of_a_former_currency_do_not_count():
    keep((3, 1000), currency="credits")
    keep((2, 90), (0, 50))
    assert lasts() == 2.5


def test_the_balance_is_kept(sandbox):
    sandbox.wallet(12.5)
    balances.read_balance()
    assert ProviderBalance.objects.values_list("remaining", "currency").get() == (Decimal("12.5"), "usd")


def test_old_balances_are_removed(sandbox):
    keep((91, 5), (89, 4))
    balances.read_balance()
    assert [row.remaining for row in ProviderBalance.objects.order_by("read_at")[:1]] == [4]
    assert ProviderBalance.objects.count() == 2


def test_an_unchanged_balance_is_not_kept_twice_in_a_minute():
    for remaining in (5, 5, 4, 5):
        record(remaining)
    assert [float(row.remaining) for row in ProviderBalance.objects.order_by("id")] == [5, 4]


def test_nothing_is_kept_where_heygen_names_no_balance():
    with nothing_changes():
        record(None)


def test_nothing_is_read_without_a_key(settings):
    settings.HEYGEN_API_KEY = ""
    with nothing_changes():
        balances.read_balance()


def test_a_heygen_that_does_not_answer_changes_nothing(settings, closed_url):
    settings.HEYGEN_BASE_URL = closed_url
    with nothing_changes():
        balances.read_balance()


@pytest.mark.parametrize(("threshold", "codes"), [(3, ["provider_balance_low"]), (2, []), (0, [])])
def test_staff_are_alarmed_days_before_the_wallet_is_empty(settings, threshold, codes):
    settings.HEYGEN_BALANCE_ALARM_DAYS = threshold
    keep((2, 90))
    record(50)
    assert list(OperatorAlarm.objects.values_list("code", flat=True)) == codes


def test_the_alarm_says_how_long_the_wallet_lasts():
    keep((2, 90))
    record(50)
    assert "holds 50 usd: 2.5 days by the spending" in OperatorAlarm.objects.get().text


def test_the_balance_and_its_days_are_gauges():
    keep((2, 90), (0, 50))
    page = series(Client().get("/metrics"))
    assert page["genvid_provider_balance", ("usd",)] == 50
    assert page["genvid_provider_balance_days", ()] == pytest.approx(2.5, abs=0.01)


def test_without_a_balance_there_is_no_gauge_of_it():
    assert [name for name, _ in series(Client().get("/metrics")) if "balance" in name] == []
