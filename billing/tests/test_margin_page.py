"""The staff's margin page: figures by day, tier and engine, its form, its CSV, who sees it."""

import csv
import json
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from billing.admin import home_panels
from billing.credits import charge
from billing.models import Hold, Payment, StripeSync, Tier, Wallet
from billing.purchases import daily_margin
from billing.purchases.daily_margin import Line
from billing.purchases.margin import margin_report
from billing.purchases.margin_by_product import by_product
from genvid.staff_home import count_rows
from genvid.tests.asserts import queries_of
from genvid.tests.factories import PASSWORD, make_caller, make_payment, make_video
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import plan_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/margin/"
COST = 166_750
"""Of a video of 2.5 seconds, in micro-dollars."""


def today() -> date:
    return timezone.now().date()


@pytest.fixture
def staff() -> Client:
    user = User.objects.create_user("sam@example.com", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client = Client()
    client.force_login(user)
    return client


def section(client: Client, name: str, **query: Any) -> list[list[str]]:
    sections = client.get(PAGE, query).context["sections"]
    rows: list[list[str]] = next(each["rows"] for each in sections if each["name"] == name)
    return rows


def table(client: Client, name: str, **query: Any) -> list[dict[str, str]]:
    answer = client.get(PAGE, {"csv": name} | query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(StringIO(answer.content.decode())))


def test_a_day_has_its_revenue_cost_and_margin(staff, owner):
    make_payment(owner, amount_refunded=200)
    make_video(owner, "completed")
    assert section(staff, "day")[-1] == [today().isoformat(), "10.00 USD", "0.17 USD", "9.83 USD", "98.3", "1"]


def test_days_without_anything_are_there(staff):
    rows = section(staff, "day")
    assert (len(rows), rows[0][0]) == (30, (today() - timedelta(days=29)).isoformat())
    assert {tuple(row[1:]) for row in rows} == {("0.00 USD", "0.00 USD", "0.00 USD", "-", "0")}


def test_the_days_add_up_to_the_margin_report(owner):
    make_payment(owner)
    make_payment(make_caller())
    make_video(owner, "completed")
    make_video(owner, "failed")
    report = margin_report(today(), today()).total
    lines = daily_margin.by_day(today() - timedelta(days=3), today())
    added = daily_margin.total(lines, "")
    assert (added.revenue, added.provider_microdollars, added.margin) == (1200 * 2, COST, report.margin)


def test_tiers_are_apart_and_the_best_stands_first(staff, owner):
    Wallet.objects.filter(pk=owner.account.pk).update(tier=Tier.objects.get(code="pro"))
    make_payment(owner)
    make_video(make_caller(), "completed")
    rows = section(staff, "tier")
    assert [row[3] for row in rows] == ["12.00 USD", "-0.17 USD"]
    assert rows[0][0] == Tier.objects.get(code="pro").name


def test_engines_are_apart_with_what_they_cost(staff, owner):
    make_video(owner, "completed")
    make_video(owner, "failed")
    engine = make_video(owner, "completed").engine
    assert section(staff, "engine") == [[engine, "2", "5", "6", "0.33 USD"]]


@pytest.fixture
def fees_charged(owner) -> None:
    """A minute and a half of speech, heard twice; two faces; a voice whose cost is unknown."""
    paid = [("speech:1", 1, 40_000), ("speech:2", 0, 20_000), ("avatar:1", 20, 1_000_000), ("avatar:2", 0, 1_000_000)]
    for reference, amount, cost in [*paid, ("voice:1", 5, None)]:
        charge(owner.account.pk, amount, reference=reference, description="", provider_microdollars=cost)


def test_products_are_apart_with_what_they_earned_and_cost(staff, owner, fees_charged):
    make_video(make_caller(), "completed")
    assert section(staff, "product") == [
        ["avatar", "2", "20", "2.00 USD"],
        ["voice", "1", "5", "unknown"],
        ["video", "1", "3", "0.17 USD"],
        ["speech", "2", "1", "0.06 USD"],
    ]


def test_a_day_with_an_unknown_cost_has_a_margin_of_at_most(staff, owner, fees_charged):
    make_payment(owner)
    day = [today().isoformat(), "12.00 USD", "2.06 USD and 1 unknown", "at most 9.94 USD", "82.8", "5"]
    assert section(staff, "day")[-1] == day
    assert section(staff, "tier")[0][2:4] == day[2:4]


def test_csv_leaves_a_cost_empty_of_which_nothing_is_known(staff, owner, fees_charged):
    rows = {row["product"]: (row["provider_cost"], row["unknown_costs"]) for row in table(staff, "product")}
    assert rows == {"avatar": ("200", "0"), "voice": ("", "1"), "speech": ("6", "0")}
    day = table(staff, "day")[-1]
    assert (day["provider_cost"], day["unknown_costs"]) == ("206", "1")


def test_a_video_whose_cost_is_unknown_is_one_of_its_engine(staff, owner):
    make_video(owner, "completed")
    Hold.objects.update(provider_microdollars=None)
    assert section(staff, "engine")[0][-1] == "unknown"


def test_a_reference_of_one_word_is_a_product_of_its_name(owner):
    charge(owner.account.pk, 3, reference="odd", description="")
    assert [(row.name, row.units["credits"]) for row in by_product(today(), today())] == [("odd", 3)]


def test_the_money_of_the_home_page_says_that_a_cost_is_unknown(owner, fees_charged):
    rows = home_panels.read_money(HttpRequest())["rows"]
    assert [(row["cost"], row["margin"]) for row in rows] == [("2.06 USD and 1 unknown", "at most -2.06 USD")] * 2


def test_the_margin_page_counts_only_the_days_that_were_asked_for(staff, owner):
    make_payment(owner)
    make_video(owner, "completed")
    day = (today() - timedelta(days=1)).isoformat()
    span = {"first": day, "last": day}
    assert section(staff, "day", **span) == [[day, "0.00 USD", "0.00 USD", "0.00 USD", "-", "0"]]
    assert (section(staff, "tier", **span), section(staff, "engine", **span)) == ([], [])


def test_the_margin_page_shows_one_currency(staff, owner):
    make_payment(owner, currency="eur", amount=500)
    assert section(staff, "day", currency="EUR")[-1][1] == "5.00 EUR"


def test_there_is_no_margin_between_two_currencies(staff, owner):
    """Rendering costs dollars."""
    make_payment(owner, currency="eur", amount=500)
    make_video(owner, "completed")
    assert section(staff, "day", currency="eur")[-1][1:] == ["5.00 EUR", "0.17 USD", "-", "-", "1"]
    row = table(staff, "day", currency="eur")[-1]
    assert (row["revenue"], row["margin"], row["margin_percent"]) == ("500", "", "")
    charts = [each["chart"]["data"] for each in staff.get(PAGE, {"currency": "eur"}).context["sections"]]
    assert [each["label"] for each in json.loads(charts[0])["datasets"]] == ["revenue EUR", "provider USD"]
    assert section(staff, "day", currency="usd")[-1][1] == "0.00 USD"


@pytest.mark.parametrize(("newest", "revenue"), [(2, "500 JPY"), (3, "24.00 USD")])
def test_the_margin_page_begins_with_the_currency_of_most_of_the_newest_payments(
    staff, owner, monkeypatch, newest, revenue
):
    monkeypatch.setattr(daily_margin, "NEWEST", newest)
    for hours in (1, 2):
        make_payment(owner, paid_at=timezone.now() - timedelta(seconds=hours))
    make_payment(owner, currency="jpy", amount=500)
    assert section(staff, "day")[-1][1] == revenue


def test_a_payment_of_last_month_in_another_currency_takes_no_margin_from_the_home_page(owner):
    make_payment(owner, currency="eur", paid_at=timezone.now().replace(day=1, hour=0) - timedelta(hours=2))
    make_payment(owner)
    make_payment(owner)
    found = home_panels.read_money(HttpRequest())
    assert (found["has_margin"], found["rows"][1]["revenue"]) == (True, "24.00 USD")


def test_the_money_of_the_home_page_is_in_the_currency_that_customers_pay(owner):
    make_payment(owner, currency="eur", amount=500)
    make_video(owner, "completed")
    found = home_panels.read_money(HttpRequest())
    assert [(row["revenue"], row["cost"], row["margin"]) for row in found["rows"]] == [
        ("5.00 EUR", "0.17 USD", "-")
    ] * 2
    assert [each["label"] for each in json.loads(found["chart"]["data"])["datasets"]] == ["revenue EUR", "provider USD"]
    assert found["has_margin"] is False


def test_the_money_of_the_home_page_names_every_currency(owner):
    make_payment(owner, currency="eur", amount=500)
    make_payment(owner)
    first, month = home_panels.read_money(HttpRequest())["rows"]
    assert (month["revenue"], month["margin"]) == ("12.00 USD + 5.00 EUR", "-")
    assert first["name"] == "Today"


@pytest.mark.parametrize(
    "query",
    [
        {"first": "2026-05-02", "last": "2026-05-01"},
        {"first": "soon"},
        {"first": "2020-01-01", "last": "2026-01-01"},
        {"currency": "dollars"},
    ],
)
def test_the_margin_page_refuses_days_that_make_no_sense(staff, query):
    answer = staff.get(PAGE, query)
    assert (answer.status_code, answer.context["sections"], answer.context["form"].is_valid()) == (200, [], False)


def test_csv_by_day_has_minor_units(staff, owner):
    make_payment(owner)
    make_video(owner, "completed")
    row = table(staff, "day")[-1]
    figures = [row[name] for name in ("day", "revenue", "provider_cost", "margin", "margin_percent", "charges")]
    assert figures == [today().isoformat(), "1200", "17", "1183", "98.6", "1"]


def test_csv_by_engine_has_units_and_cost(staff, owner):
    video = make_video(owner, "completed")
    row = table(staff, "engine")[0]
    assert [row[name] for name in ("engine", "videos", "credits", "provider_cost")] == [video.engine, "1", "3", "17"]


def test_a_name_of_a_tier_is_no_formula_in_the_table(staff, owner):
    Tier.objects.filter(code="pro").update(name="=HYPERLINK(1)")
    Wallet.objects.filter(pk=owner.account.pk).update(tier=Tier.objects.get(code="pro"))
    make_payment(owner)
    assert table(staff, "tier")[0]["tier"] == "'=HYPERLINK(1)"


def test_the_margin_page_takes_as_many_queries_with_many_rows_as_with_few(staff, owner):
    make_payment(owner)
    make_video(owner, "completed")
    staff.get(PAGE)
    with_few = queries_of(lambda: staff.get(PAGE))
    for _ in range(3):
        other = make_caller()
        make_payment(other)
        make_video(other, "completed")
    assert queries_of(lambda: staff.get(PAGE)) == with_few


def test_the_figures_of_a_day_read_no_old_row(owner):
    make_video(owner, "completed")
    old = "now() - '100 days'::interval - n * '1 minute'::interval"
    copy_row(Hold.objects.get(), 5_000, id="gen_random_uuid()", reference="'x' || n", settled_at=old)
    given = {"stripe_payment_intent_id": "'pi' || n", "stripe_charge_id": "'ch' || n", "paid_at": old}
    copy_row(make_payment(owner), 5_000, id="gen_random_uuid()", source_id="'x' || n", **given)
    analyze(Hold, Payment)
    plans = [plan_of(lambda: daily_margin.by_day(today(), today()), f"billing_{name}") for name in ("hold", "payment")]
    assert [(plan.indexes, plan.whole) for plan in plans] == [({"hold_costs"}, []), ({"payment_paid"}, [])]


def test_stuck_syncs_are_counted_by_index(db):
    copy_row(StripeSync.objects.create(kind="charge", object_id="c", due_at=None), 5_000, object_id="'c' || n")
    analyze(StripeSync)
    plan = plan_of(lambda: count_rows(StripeSync.objects.stuck()), "billing_nudge")
    assert (plan.indexes, plan.whole) == ({"sync_stuck"}, [])


def test_a_line_without_revenue_has_no_percentage():
    assert (Line("a").percent, Line("a", revenue=100, provider_microdollars=250_000).percent) == (None, 75.0)


def test_the_summary_of_the_home_page_is_of_today_and_this_month(owner):
    make_payment(owner)
    make_payment(make_caller(), paid_at=timezone.now() - timedelta(days=40))
    found = daily_margin.summary()
    assert (found.today.revenue, found.month.revenue, len(found.days)) == (1200, 1200, daily_margin.PLOT_DAYS)
