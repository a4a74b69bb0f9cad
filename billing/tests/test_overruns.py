"""Overruns: staff are alarmed of large ones, and the account's next holds are raised."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from billing import credits
from billing.models import Hold, Wallet
from billing.purchases import margin
from genvid.tests import mail
from genvid.tests.asserts import data_of, queries_of, the_ledger_proves
from genvid.tests.factories import make_avatar, make_caller, make_video

pytestmark = pytest.mark.django_db
QUOTE = "/api/v1/videos/quote"
SCRIPT = "Hello and welcome to our spring sale."
MAY = datetime(2027, 5, 3, 12, tzinfo=UTC)
DAY = "2027-05-03"


@pytest.fixture
def overrun():
    """Settles a hold, by default of 10 credits, at the cost `needed`."""
    numbers = iter(range(1000))

    def settle(person, needed: int, *, held: int = 10) -> int:
        reference = f"video:{next(numbers)}"
        credits.hold(person.account.pk, held, reference=reference)
        return credits.capture(reference, needed)

    return settle


def factor_of(person) -> Decimal:
    return credits.overrun_factor(person.account.pk)


def alarms() -> list[str]:
    return sorted(mail.alarms("billing"))


def printed(*words: str) -> str:
    out = StringIO()
    call_command("margin_report", "--from", DAY, "--to", DAY, *words, stdout=out)
    return out.getvalue()


def test_the_customer_pays_no_more_than_was_held(owner, overrun):
    assert overrun(owner, 97, held=3) == 3
    assert owner.wallet.balance == 27
    assert the_ledger_proves()


def test_staff_get_one_overrun_mail_per_account_and_day(owner, outsider, overrun, settings, mailoutbox):
    settings.ALARM_EMAILS = ["staff@example.com"]
    with time_machine.travel(MAY, tick=False):
        overrun(owner, 16, held=3)
        overrun(owner, 17, held=3)
        overrun(outsider, 16)
        assert alarms() == sorted(f"overrun:{each.account.pk}:{DAY}" for each in (owner, outsider))
        mail.send_due_mail("staff_alarm")
    assert [message.to for message in mailoutbox] == [["staff@example.com"]] * 2
    assert "needed 16 credits; 3 were held and charged" in mailoutbox[0].body
    assert "this account's holds are 2.00 times the usual" in mailoutbox[0].body


@pytest.mark.parametrize(("needed", "factor"), [(10, "1"), (15, "1"), (16, "1.60"), (20, "2"), (500, "2")])
def test_the_overrun_factor_would_have_covered_the_cost(owner, overrun, needed, factor):
    overrun(owner, needed)
    assert factor_of(owner) == Decimal(factor)
    assert len(alarms()) == (factor != "1")


def test_a_small_overrun_is_recorded_and_changes_no_factor(owner, overrun):
    overrun(owner, 12)
    assert Hold.objects.get().needed == 12
    assert (factor_of(owner), alarms()) == (1, [])


def test_a_cost_within_the_hold_is_no_overrun(owner, overrun):
    overrun(owner, 10)
    assert Hold.objects.get().needed is None
    assert Wallet.objects.get(pk=owner.account.pk).overrun_at is None


def test_several_overruns_of_equal_holds_give_the_factor_of_one(owner, overrun):
    for number in range(3):
        credits.hold(owner.account.pk, 5, reference=f"video:alike-{number}")
    for number in range(3):
        credits.capture(f"video:alike-{number}", 8)
    assert factor_of(owner) == Decimal("1.6")


def test_another_overrun_counts_on_top_of_the_factor_it_was_held_with(owner, overrun):
    overrun(owner, 16)
    # Ten were held at 1.6 times the usual; 1.6 times as much again would be 2.56.
    overrun(owner, 16)
    assert factor_of(owner) == 2


def test_a_smaller_overrun_does_not_lower_the_factor(owner, overrun):
    credits.hold(owner.account.pk, 10, reference="video:early")
    overrun(owner, 19)
    credits.capture("video:early", 16)
    assert factor_of(owner) == Decimal("1.9")


def test_the_overrun_factor_ends_thirty_days_after_the_last_overrun(owner, overrun):
    with time_machine.travel(MAY, tick=False):
        overrun(owner, 20, held=5)
    with time_machine.travel(MAY + timedelta(days=20), tick=False):
        overrun(owner, 8, held=5)
    with time_machine.travel(MAY + timedelta(days=50) - timedelta(seconds=1), tick=False):
        assert factor_of(owner) == 2
    with time_machine.travel(MAY + timedelta(days=50), tick=False):
        assert factor_of(owner) == 1
        overrun(owner, 8, held=5)
        assert factor_of(owner) == Decimal("1.6")


def test_an_overrun_changes_no_other_accounts_factor(owner, outsider, overrun):
    overrun(owner, 20)
    assert (factor_of(owner), factor_of(outsider)) == (2, 1)


def test_a_batch_of_holds_remembers_the_factor(owner, overrun):
    overrun(owner, 16)
    credits.hold_many(owner.account.pk, {"video:row": 10})
    assert Hold.objects.get(reference="video:row").overrun_factor == Decimal("1.6")


# ── Videos


def test_a_video_that_ran_far_too_long_is_charged_its_hold_and_alarms(owner):
    video = make_video(owner, "completed", script=SCRIPT, duration="96.400")
    assert (video.credits_charged, owner.wallet.balance) == (5, 25)
    assert Hold.objects.get().needed == 97
    assert [reference.rpartition(":")[0] for reference in alarms()] == [f"overrun:{owner.account.pk}"]


def test_the_next_quote_shows_the_factor_and_is_what_is_held():
    person, avatar = make_caller(balance=100), make_avatar()
    body = {"script": SCRIPT, "avatar_id": str(avatar.pk)}
    before = data_of(person.client.post(QUOTE, body))
    make_video(person, "completed", avatar=avatar, script=SCRIPT, duration="96.400")
    after = data_of(person.client.post(QUOTE, body))
    assert (before["credits"], before["hold_factor"]) == (5, 1.0)
    assert (after["credits"], after["hold_factor"]) == (10, 2.0)
    assert data_of(person.client.post("/api/v1/videos", body), 201)["credits"]["held"] == 10


def test_a_batch_is_quoted_and_held_with_the_factor():
    person, avatar = make_caller(balance=100), make_avatar()
    make_video(person, "completed", avatar=avatar, script=SCRIPT, duration="96.400")
    body = {"script": SCRIPT, "avatar_id": str(avatar.pk), "rows": [{"a": "1"}, {"a": "2"}]}
    quote = data_of(person.client.post("/api/v1/batches/quote", body))
    assert (quote["credits"], quote["hold_factor"]) == (20, 2.0)
    assert data_of(person.client.post("/api/v1/batches", body), 201)["credits"]["quoted"] == 20


def test_a_draft_is_held_with_the_factor_of_the_moment_it_is_queued():
    person, avatar = make_caller(balance=100), make_avatar()
    draft = make_video(person, "draft", avatar=avatar, script=SCRIPT)
    make_video(person, "completed", avatar=avatar, script=SCRIPT, duration="96.400")
    assert data_of(person.client.post(f"/api/v1/videos/{draft.pk}/generate"))["credits"]["held"] == 10


def test_a_free_video_changes_no_factor(owner, overrun):
    overrun(owner, 0, held=0)
    assert (factor_of(owner), alarms()) == (1, [])


# ── The margin report


def test_the_margin_report_lists_each_overrun(owner, overrun):
    with time_machine.travel(MAY, tick=False):
        overrun(owner, 97, held=3)
        overrun(owner, 12)
    text = printed()
    assert f"Far longer than was held for them\n2027-05-03 12:00 video:0 of Olive Films ({owner.account.pk}): " in text
    assert "3 credits held, 97 needed (32.3 times)" in text
    assert "video:1" not in text


def test_the_margin_csv_counts_overruns_by_account(owner, overrun):
    with time_machine.travel(MAY, tick=False):
        overrun(owner, 97, held=3)
        overrun(owner, 20)
    (row,) = csv.DictReader(StringIO(printed("--csv")))
    assert (row["overruns"], row["credits_overrun"]) == ("2", "104")


def test_the_margin_report_omits_overruns_when_there_are_none(owner, overrun):
    with time_machine.travel(MAY, tick=False):
        overrun(owner, 10)
    assert "longer" not in printed()


def test_more_overruns_take_no_more_queries(owner, overrun):
    def report() -> margin.Report:
        return margin.margin_report(MAY.date(), MAY.date())

    with time_machine.travel(MAY, tick=False):
        overrun(owner, 8, held=5)
        with_one = queries_of(report)
        for _ in range(3):
            overrun(make_caller(), 8, held=5)
    assert queries_of(report) == with_one
    assert len(report().overruns) == 4
