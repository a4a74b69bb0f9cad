"""The video's page in the admin: why it cost that, and what happened to it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from billing import credits
from billing.models import CreditLot, Hold, LedgerEntry, Payment, RenderRate
from genvid.tests.asserts import queries_once_warm
from genvid.tests.employees import employee, panel_named
from genvid.tests.factories import grant, make_payment, make_video, set_balance
from videos.admin.video_panels import first_words
from videos.models import Video, WebhookDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    views = ("view_video", "view_videoevent", "view_webhookdelivery", "view_payment", "view_account", "view_avatar")
    return employee(*views, "change_video")


def page(video) -> str:
    return reverse("admin:videos_video_change", args=[video.pk])


def price_of(staff, video) -> dict[str, tuple[str, str]]:
    rows = panel_named(staff.get(page(video)), "Why this price").rows
    return {step: (words_of(amount), words_of(how)) for step, amount, how in rows}


def words_of(cell) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", str(cell)).split())


def buy(person) -> Payment:
    """100 credits for 12 dollars."""
    payment = make_payment(person)
    grant(person, 100, payment_id=payment.pk)
    return payment


# ── Price


def test_the_price_of_a_finished_video_is_told_step_by_step(staff, owner):
    buy(owner)
    video = make_video(owner, "completed")
    RenderRate.objects.create(
        engine=video.engine, credits_per_second=9, provider_microdollars_per_second=9, valid_from=timezone.now()
    )
    steps = price_of(staff, video)
    hold, rate = Hold.objects.get(), RenderRate.objects.filter(engine=video.engine).exclude(credits_per_second=9)[0]
    assert steps["Rate"][0] == str(rate)
    assert steps["Held"][0] == f"{hold.amount} credits"
    assert (steps["Real length"][0], steps["Rounded up"][0]) == ("2.500 s", "3 credits")
    assert steps["Charged"] == ("3 credits", "Video of 2.500 s")
    assert steps["HeyGen's cost"][0] == f"{Decimal(hold.provider_microdollars) / 1_000_000:.4f} USD"
    assert steps["Worth"] == ("0.36 USD", "the last purchase: 12.00 USD for 100 credits")
    margin = Decimal("0.36") - Decimal(hold.provider_microdollars) / 1_000_000
    assert steps["Margin"][0] == f"{margin:.2f} USD"


def test_what_a_video_earned_is_told_only_to_those_who_may_see_payments(staff, owner):
    buy(owner)
    video = make_video(owner, "completed")
    everything, without = price_of(staff, video), price_of(employee("view_video"), video)
    assert [step for step in everything if step not in without] == ["HeyGen's cost", "Worth", "Margin"]


def test_the_timeline_shows_moves_and_webhooks_only_to_those_who_may_see_them(staff, owner):
    video = make_video(owner, "rendering")
    WebhookDelivery.objects.create(key="w", event_type="other", callback_id=str(video.pk), payload={})
    shown = [
        {row[2] for row in panel_named(who.get(page(video)), "Timeline").rows}
        for who in (staff, employee("view_video"), employee("view_video", "view_videoevent"))
    ]
    assert shown == [{"status", "webhook"}, set(), {"status"}]


def test_each_step_of_the_price_links_to_its_row(staff, owner):
    payment, video = buy(owner), make_video(owner, "completed")
    credits.refund(video.money_reference, 1, description="Sorry.")
    rows = panel_named(staff.get(page(video)), "Why this price").rows
    links = set(
        re.findall(r'href="/admin/billing/([a-z]+)/([^/]+)/', " ".join(str(cell) for row in rows for cell in row))
    )
    entries = {("ledgerentry", str(entry.pk)) for entry in LedgerEntry.objects.filter(reference=video.money_reference)}
    assert len(entries) == 2
    assert links >= entries | {("hold", str(Hold.objects.get().pk)), ("payment", str(payment.pk))}


def test_a_refund_lessens_what_a_video_is_worth(staff, owner):
    buy(owner)
    video = make_video(owner, "completed")
    credits.refund(video.money_reference, 2, description="Sorry.")
    steps = price_of(staff, video)
    assert (steps["Given back"], steps["Worth"][0]) == (("2 credits", "Sorry."), "0.12 USD")


def test_a_video_of_free_credits_is_a_loss(staff, owner):
    steps = price_of(staff, make_video(owner, "completed"))
    assert steps["Margin"][1] == "nothing was bought before: the credits were free"
    assert steps["Margin"][0].startswith("-")


def test_a_purchase_after_the_video_does_not_price_it(staff, owner):
    video = make_video(owner, "completed")
    buy(owner)
    assert "Worth" not in price_of(staff, video)


def test_a_waiting_video_holds_and_costs_nothing_yet(staff, owner):
    steps = price_of(staff, make_video(owner))
    assert (steps["Charged"], "Margin" in steps) == (("nothing", "the hold is open"), False)


def test_a_failed_video_cost_nothing(staff, owner):
    assert price_of(staff, make_video(owner, "failed"))["Charged"] == ("nothing", "the hold was given back")


def test_a_video_that_needed_more_than_its_hold_says_so(staff, owner):
    set_balance(owner, 100)
    video = make_video(owner, "rendering")
    hold = Hold.objects.get()
    credits.capture(video.money_reference, hold.amount + 7)
    assert price_of(staff, video)["Charged"][1] == f"{hold.amount + 7} were needed: never more than the hold"


# ── Timeline


def test_webhooks_stand_between_the_moves_with_their_seconds(staff, owner):
    video = make_video(owner, "rendering")
    received = timezone.now()
    WebhookDelivery.objects.create(
        key="e", event_type="avatar_video.success", callback_id=str(video.pk), payload={}, received_at=received,
        processed_at=received + timedelta(seconds=1.5), outcome="completed",
    )  # fmt: skip
    WebhookDelivery.objects.create(key="f", event_type="other", callback_id="", payload={})
    rows = panel_named(staff.get(page(video)), "Timeline").rows
    assert [row[2] for row in rows] == ["status"] * 4 + ["webhook"]
    assert rows[-1][4] == "received, completed after 1.500 s"
    assert all(float(row[1]) >= 0 for row in rows)


def test_the_page_of_a_video_needs_as_many_queries_for_a_long_history(staff, owner):
    buy(owner)
    video = make_video(owner, "completed")
    short = queries_once_warm(lambda: staff.get(page(video)))
    for number in range(5):
        WebhookDelivery.objects.create(key=f"k{number}", event_type="x", callback_id=str(video.pk), payload={})
    buy(owner)
    assert CreditLot.objects.filter(payment__isnull=False).count() == 2
    assert queries_once_warm(lambda: staff.get(page(video))) == short


# ── The list


def test_the_list_shows_title_and_first_words_of_the_script(staff, owner):
    set_balance(owner, 500)
    make_video(owner, title="Spring", script=f"Spring has come. {'And the days are long. ' * 4}")
    page = staff.get(reverse("admin:videos_video_changelist")).content.decode()
    assert "Spring: Spring has come. And the days are long. And the days" in page


def test_the_list_needs_as_many_queries_for_many_videos_as_for_one(staff, owner):
    set_balance(owner, 1000)
    url = reverse("admin:videos_video_changelist")
    make_video(owner)
    one = queries_once_warm(lambda: staff.get(url))
    for _ in range(3):
        make_video(owner)
    assert queries_once_warm(lambda: staff.get(url)) == one


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Hello.", "Hello."),
        ("  Two \n lines ", "Two lines"),
        ("word " * 30, f"{'word ' * 11}word…"),
        ("x" * 100, f"{'x' * 60}…"),
    ],
)
def test_first_words_end_at_a_word(script, words):
    assert first_words(script) == words


def test_the_list_of_the_ledger_links_to_customer_and_video(owner):
    video = make_video(owner, "completed")
    page = employee("view_ledgerentry").get(reverse("admin:billing_ledgerentry_changelist")).content.decode()
    customer = reverse("admin:accounts_account_change", args=[owner.account.pk])
    assert (customer in page, f"/admin/videos/video/{video.pk}/change/" in page) == (True, True)
    assert Video.objects.count() == 1
