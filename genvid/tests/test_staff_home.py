"""The staff's home page: what it shows, to whom, in how many queries; its search box; the menu by task."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from avatars.models import Voice
from billing.models import Dispute, StripeSync, TopUp, Wallet
from genvid import process_cache, staff_home, staff_menu
from genvid.heartbeats import status as heartbeat_status
from genvid.heartbeats.models import Heartbeat
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import queries_of
from genvid.tests.employees import employee
from genvid.tests.factories import (
    PASSWORD,
    Person,
    make_caller,
    make_checkout,
    make_endpoint,
    make_payment,
    make_video,
)
from videos import operator_alarms
from videos.models import ProviderState, Video
from videos.provider import provider_gate
from videos.staff import pipeline_figures

pytestmark = pytest.mark.django_db
HOME = "/admin/"
FRAGMENT = "/admin/home/"


def signed_in(*permissions: str, is_superuser: bool = False) -> Client:
    user = User.objects.create_user("sam@example.com", PASSWORD, is_staff=True, is_superuser=is_superuser)
    for each in permissions:
        app, _, codename = each.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(monkeypatch) -> Client:
    """Beat and every queue live, on a site that has run for long."""
    monkeypatch.setattr(heartbeat_status, "STARTING_SECONDS", 0.0)
    for name in heartbeat_status.part_names():
        Heartbeat.objects.record(name)
    return signed_in(is_superuser=True)


def panels_of(client: Client, address: str = HOME) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200
    return {each["panel"].name: each["facts"] for each in answer.context["panels"]}


def work_of(client: Client) -> dict[str, tuple[str, str]]:
    waiting = panels_of(client)["work"]["waiting"]
    return {each["title"]: (each["number"], each["link"]) for each in waiting}


def forget() -> None:
    cache.clear()
    process_cache.clear_all()


# ── Panels


def test_the_home_page_has_a_panel_for_everything_that_staff_ask(staff):
    assert list(panels_of(staff)) == ["gate", "now", "work", "outcomes", "times", "balance", "money", "acts"]


def test_the_fragment_has_the_panels_without_the_page(staff):
    page = staff.get(FRAGMENT)
    assert [each["panel"].name for each in page.context["panels"]] == list(panels_of(staff))
    assert (b"<html" in page.content, page["Cache-Control"]) == (
        False,
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )


def test_the_home_page_has_no_script_that_the_policy_forbids(staff):
    page = staff.get(HOME).content.decode()
    home = page.partition('id="home-panels"')[2].partition('id="home-seen"')[0]
    assert ("<script" in home, "onclick" in home) == (False, False)


def test_an_open_gate_offers_to_pause(staff):
    facts = panels_of(staff)["gate"]
    assert (facts["word"], facts["since"], [button["title"] for button in facts["buttons"]]) == (
        "open",
        None,
        ["Pause orders"],
    )


def test_a_shut_gate_says_why_and_since_when_and_when_it_is_probed(staff):
    now = timezone.now()
    ProviderState.objects.create(
        name=provider_gate.NAME,
        code="insufficient_credit",
        message="Top up.",
        needs_staff=True,
        needs_staff_since=now - timedelta(hours=1),
        closed_until=now + timedelta(minutes=5),
        closings=1,
    )
    page = staff.get(HOME)
    facts = {each["panel"].name: each["facts"] for each in page.context["panels"]}["gate"]
    assert (facts["word"], facts["since"]) == ("shut", now - timedelta(hours=1))
    assert facts["next_probe"] == f"{now + timedelta(minutes=5):%H:%M:%S} UTC"
    assert b"insufficient_credit: Top up." in page.content


@pytest.mark.parametrize("action", ["pause", "resume", "reopen"])
def test_the_buttons_of_the_gate_lead_to_pages_that_ask_first(staff, action):
    ProviderState.objects.create(name=provider_gate.NAME, code="busy", paused_at=timezone.now(), paused_by="sam")
    if action == "pause":
        ProviderState.objects.update(paused_at=None)
    before = provider_gate.read()
    wanted = {"pause": "Pause orders", "resume": "Resume orders", "reopen": "Reopen the gate"}[action]
    links = {button["title"]: button["link"] for button in panels_of(staff)["gate"]["buttons"]}
    assert staff.get(links[wanted]).context["title"] == wanted
    assert provider_gate.read() == before
    staff.post(links[wanted], {"confirmed": "yes"})
    after = provider_gate.read()
    assert (bool(after.paused_at), after.code) == {
        "pause": (True, "busy"),
        "resume": (False, "busy"),
        "reopen": (True, ""),
    }[action]


def test_who_may_not_operate_sees_no_button_of_the_gate():
    assert panels_of(signed_in("videos.view_providerstate"))["gate"]["buttons"] == []


def test_the_last_acts_of_staff_are_shown_newest_first(staff, owner):
    for number in range(21):
        audit_log.record_staff_action(AuditAct.VIDEO_ACTION, staff_id=None, account_id=owner.account.pk, n=number)
    acts = list(panels_of(staff)["acts"]["acts"])
    assert [act.detail["n"] for act in acts] == [str(number) for number in range(20, 0, -1)]


# ── Permissions


def test_staff_who_may_not_see_money_do_not_see_it(owner):
    make_payment(owner, amount=98765)
    client = signed_in("videos.view_video", "videos.view_providerstate", "accounts.view_staffact")
    assert list(panels_of(client)) == ["gate", "now", "work", "outcomes", "times", "balance", "acts"]
    assert client.get("/admin/margin/").status_code == 403
    assert client.get("/admin/find/", {"q": "pi_1"})["Location"] == HOME


def test_staff_without_permissions_see_only_that_there_is_nothing():
    client = signed_in()
    assert panels_of(client)["work"] == {"waiting": [], "nothing": []}
    assert list(panels_of(client)) == ["work"]


@pytest.mark.parametrize("address", [HOME, FRAGMENT, "/admin/find/?q=a", "/admin/margin/"])
def test_customers_see_no_page_of_the_staffs_home(owner, address):
    client = Client()
    client.force_login(owner.user)
    assert client.get(address)["Location"].startswith("/admin/login/")


# ── Work


def fill(owner: Person) -> None:
    """A row of every kind of work."""
    now = timezone.now()
    make_video(owner, set_aside_at=now)
    payment = make_payment(owner)
    Dispute.objects.create(pk="dp_1", payment=payment, amount=1200, status="open")
    StripeSync.objects.create(kind="charge", object_id="ch_1", due_at=None, error="No such charge")
    make_endpoint(owner, failing_since=now)
    Wallet.objects.filter(pk=owner.account.pk).update(balance=-5)
    operator_alarms.raise_alarm("order_set_aside", "1", "Look at it.")
    QueuedMail.objects.all().update(due_at=None)
    QueuedMail.objects.create(kind="a", created_at=now - timedelta(hours=1))
    QueuedMail.objects.create(kind="a", due_at=None, given_up_at=now)
    Voice.objects.update(updated_at=now - timedelta(days=3))
    Heartbeat.objects.filter(name="mail").update(asked_at=now - timedelta(hours=1), beat_at=now - timedelta(hours=2))


WORK = {
    "Open alarms": "videos_operatoralarm",
    "Videos set aside for staff": "videos_video",
    "Disputes": "billing_dispute",
    "Overdrawn wallets": "billing_wallet",
    "Stuck Stripe syncs": "billing_stripesync",
    "Failing webhook endpoints": "accounts_webhookendpoint",
    "Mails unsent for five minutes": "mail_queuedmail",
    "Mails given up": "mail_queuedmail",
    "Catalogue not synced for two days": "avatars_voice",
    "Silent: beat or queues": "heartbeats_heartbeat",
}
LISTED_WITH_OTHERS = ("Catalogue not synced for two days", "Silent: beat or queues")
"""Their pages show all rows, those among them."""


def test_nothing_waits_for_staff_on_an_idle_site(staff):
    assert work_of(staff) == {}


def test_every_kind_of_work_is_counted_and_linked(staff, owner):
    fill(owner)
    work = work_of(staff)
    assert {title: number for title, (number, _) in work.items()} == dict.fromkeys(WORK, "1")
    lists = {title: reverse(f"admin:{table}_changelist") for title, table in WORK.items()}
    assert {title: link.partition("?")[0] for title, (_, link) in work.items()} == lists


@pytest.mark.parametrize("title", [title for title in WORK if title not in LISTED_WITH_OTHERS])
def test_the_list_behind_work_has_the_rows_that_were_counted(staff, owner, title):
    fill(owner)
    other = make_caller()
    make_video(other)
    make_endpoint(other)
    StripeSync.objects.create(kind="charge", object_id="ch_2")
    Dispute.objects.create(pk="dp_2", payment=make_payment(other), amount=1200, status="won")
    QueuedMail.objects.filter(created_at__gt=timezone.now() - timedelta(minutes=5), due_at__isnull=False).delete()
    number, link = work_of(staff)[title]
    assert str(staff.get(link).context["cl"].result_count) == number == "1"


def test_counting_stops_where_a_number_tells_no_more(staff, monkeypatch):
    monkeypatch.setattr(staff_home, "MOST_COUNTED", 1)
    StripeSync.objects.bulk_create(
        StripeSync(kind="charge", object_id=f"ch_{n}", due_at=None, error="gone") for n in range(3)
    )
    assert work_of(staff)["Stuck Stripe syncs"][0] == "1+"


# ── Queries


def test_the_home_page_takes_as_many_queries_with_many_rows_as_with_few(staff, owner):
    make_video(owner, "completed")
    make_video(owner, "failed")
    fill(owner)
    audit_log.record_staff_action(AuditAct.VIDEO_ACTION, staff_id=None, account_id=owner.account.pk)
    staff.get(HOME)
    forget()
    with_few = queries_of(lambda: staff.get(HOME))
    for number in range(3):
        other = make_caller(balance=100)
        make_video(other, "completed")
        make_video(other, "failed", error_code=f"code_{number}")
        make_video(other, set_aside_at=timezone.now())
        make_payment(other)
        audit_log.record_staff_action(AuditAct.VIDEO_ACTION, staff_id=other.user.pk, account_id=other.account.pk)
    forget()
    assert queries_of(lambda: staff.get(HOME)) == with_few


def test_a_refresh_takes_few_queries(staff, owner, monkeypatch):
    monkeypatch.setattr(pipeline_figures, "NOW_SECONDS", 3600)
    monkeypatch.setattr(staff_home, "WORK_SECONDS", 3600)
    staff.get(HOME)
    # Session, person; the gate for its panel, the limit and the balance; the acts.
    assert queries_of(lambda: staff.get(FRAGMENT)) == 6


# ── Search


def found(client: Client, term: str) -> str:
    return client.get("/admin/find/", {"q": term})["Location"]


def test_the_search_box_leads_straight_to_the_page(staff, owner):
    video, payment, checkout = make_video(owner, "rendering"), make_payment(owner), make_checkout(owner)
    top_up = TopUp.objects.create(
        account=owner.account, price=payment.price, amount=1, stripe_payment_intent_id="pi_top"
    )
    account = reverse("admin:accounts_account_change", args=[owner.account.pk])
    expected = {
        owner.user.email: account,
        f" {owner.user.email.upper()} ": account,
        str(owner.account.pk): account,
        str(video.pk): reverse("admin:videos_video_change", args=[video.pk]),
        video.provider_video_id: reverse("admin:videos_video_change", args=[video.pk]),
        payment.stripe_payment_intent_id: reverse("admin:billing_payment_change", args=[payment.pk]),
        payment.source_id: reverse("admin:billing_payment_change", args=[payment.pk]),
        checkout.stripe_session_id: reverse("admin:billing_checkout_change", args=[checkout.pk]),
        "pi_top": reverse("admin:billing_topup_change", args=[top_up.pk]),
        "sam@example.com": reverse("admin:accounts_user_change", args=[User.objects.get(email="sam@example.com").pk]),
    }
    assert {term: found(staff, str(term)) for term in expected} == expected


def test_an_invoice_is_found_by_its_payment(staff, owner):
    payment = make_payment(owner, source_id="in_7")
    assert found(staff, "in_7") == reverse("admin:billing_payment_change", args=[payment.pk])


@pytest.mark.parametrize("term", ["", "nobody@example.com", "pi_none", "x" * 500, "a\0b", "'; --", "<script>"])
def test_what_is_not_found_leads_home(staff, term):
    assert found(staff, term) == HOME


def test_a_term_that_is_not_found_is_shown_as_text(staff):
    page = staff.get("/admin/find/", {"q": "<b>x</b>"}, follow=True).content
    assert (b"&lt;b&gt;x&lt;/b&gt;" in page, b"<b>x</b>" in page) == (True, False)


def test_the_search_finds_nothing_that_its_asker_may_not_see(owner):
    video, client = make_video(owner), signed_in("accounts.view_account")
    assert [found(client, str(video.pk)), found(client, make_payment(owner).source_id)] == [HOME, HOME]


# ── Menu


def test_every_table_of_the_admin_stands_once_in_the_menu():
    named = [label for group in staff_menu.GROUPS.values() for label in group]
    assert sorted(named) == sorted(model._meta.label_lower for model in admin.site._registry)


def menu_of(client: Client) -> dict[str, list[str]]:
    groups = client.get(HOME).context["sidebar_navigation"]
    return {group.get("title", ""): [item["title"] for item in group["items"]] for group in groups}


def test_the_menu_goes_by_task(staff):
    menu = menu_of(staff)
    assert list(menu) == ["", "Customers", "Videos", "Money", "HeyGen", "System"]
    assert (menu[""], menu["Money"][0], menu["System"][0]) == (["Home"], "Margin", "Alarms")


def test_the_menu_shows_only_what_its_reader_may_open():
    menu = menu_of(signed_in("videos.view_video"))
    assert {title: items for title, items in menu.items() if items} == {"": ["Home"], "Videos": ["Videos"]}


def test_links_of_the_menu_open(staff):
    groups = staff.get(HOME).context["sidebar_navigation"]
    links = [item["link"] for group in groups for item in group["items"]]
    assert {staff.get(link).status_code for link in links} == {200}
    assert Video.objects.count() == 0


@pytest.mark.parametrize("name", sorted(staff_home._work))
def test_work_is_shown_to_those_who_may_open_its_list(name):
    work = staff_home._work[name]
    app, model, page = (resolve(urlsplit(work.link()).path).url_name or "").split("_")
    assert (work.permission, page) == (f"{app}.view_{model}", "changelist")


def test_what_its_reader_may_not_open_is_not_found(owner):
    checkout = make_checkout(owner)
    term = {"q": checkout.stripe_session_id}
    cashier, clerk = employee("view_payment"), employee("view_checkout")
    leads_to = [who.get("/admin/find/", term)["Location"] for who in (cashier, clerk)]
    assert leads_to == [HOME, reverse("admin:billing_checkout_change", args=[checkout.pk])]
