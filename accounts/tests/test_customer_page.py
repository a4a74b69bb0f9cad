"""The customer's page in the admin: what it shows, and what staff may do from it."""

import re
import uuid
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, ApiKey, AuditEntry, Delivery, Session, User
from accounts.webhooks.outgoing_events import publish
from billing.models import Customer
from genvid.tests.asserts import nothing_changes, queries_once_warm
from genvid.tests.employees import employee, messages_of, panel_named, panels_of, post_act, titles_of
from genvid.tests.factories import (
    PASSWORD,
    make_endpoint,
    make_invitation,
    make_key,
    make_payment,
    make_video,
    sign_in,
)

pytestmark = pytest.mark.django_db
ALL_VIEWS = (
    *("view_account", "view_apikey", "view_session", "view_invitation", "view_delivery", "view_auditentry"),
    *("view_queuedmail", "view_wallet", "view_creditadjustment", "view_payment", "view_ledgerentry", "view_video"),
)


def page(account: Account) -> str:
    return reverse("admin:accounts_account_change", args=[account.pk])


def delivery_of(person) -> Delivery:
    make_endpoint(person)
    publish(person.account.pk, "video.queued", {}, object_id="1")
    return Delivery.objects.get()


# ── What it shows


def test_the_page_shows_everything_that_belongs_to_the_customer(owner):
    make_payment(owner)
    make_key(owner)
    make_invitation(owner)
    delivery_of(owner)
    make_video(owner, title="Spring sale")
    panels = panels_of(employee(*ALL_VIEWS).get(page(owner.account)))
    assert [(panel.title, len(panel.rows) > 0) for panel in panels] == [
        (title, title != "Credits by hand")
        for title in (
            *("Wallet and plan", "Credits by hand", "Videos", "Payments", "Ledger", "API keys", "Sessions"),
            *("Open invitations", "Webhooks", "Audit log", "Mails"),
        )
    ]


def test_every_link_of_the_page_leads_somewhere(owner):
    make_payment(owner)
    make_key(owner)
    make_invitation(owner)
    delivery_of(owner)
    make_video(owner, title="Spring sale")
    staff = Client()
    staff.force_login(User.objects.create_superuser("boss@example.com", PASSWORD))
    shown = staff.get(page(owner.account)).content.decode()
    links = {unescape(link) for link in re.findall(r'href="(/admin/[^"]+)"', shown)} - {reverse("admin:logout")}
    assert {link: staff.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_staff_see_only_the_panels_that_they_have_permissions_for(owner):
    panels = panels_of(employee("view_account", "view_wallet", "view_session").get(page(owner.account)))
    assert titles_of(panels) == ["Wallet and plan", "Sessions"]


def test_the_wallet_tells_of_plan_and_customer_at_stripe_only_to_those_who_may_see_them(owner, settings):
    settings.STRIPE_API_HOST = "https://api.stripe.com"
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_1")
    views = ("view_account", "view_wallet")
    some, all_of_it = (
        panel_named(employee(*views, *more).get(page(owner.account)), "Wallet and plan")
        for more in ((), ("view_subscription", "view_customer"))
    )
    assert ("Subscription" in some.headers, [each.text for each in some.links]) == (False, [])
    assert ("Subscription" in all_of_it.headers, [each.text for each in all_of_it.links]) == (True, ["Open at Stripe"])


def test_the_page_offers_acts_only_to_those_who_may_do_them(owner):
    make_key(owner)
    viewer, operator = employee(*ALL_VIEWS), employee(*ALL_VIEWS, "change_apikey", "change_session", "change_wallet")
    offered = [
        [word in who.get(page(owner.account)).content for word in (b"Revoke this key", b"End all", b"Give or take")]
        for who in (viewer, operator)
    ]
    assert offered == [[False] * 3, [True] * 3]


def test_the_page_needs_as_many_queries_for_many_rows_as_for_one(owner):
    def fill() -> None:
        make_payment(owner)
        make_key(owner)
        make_invitation(owner)
        make_video(owner)
        sign_in(owner.user.email)
        make_endpoint(owner)
        publish(owner.account.pk, "video.queued", {}, object_id=str(uuid.uuid4()))

    staff = employee(*ALL_VIEWS, "change_apikey", "change_session", "change_delivery", "change_payment")
    fill()
    one = queries_once_warm(lambda: staff.get(page(owner.account)))
    for _ in range(3):
        fill()
    assert queries_once_warm(lambda: staff.get(page(owner.account))) == one


# ── Acts

ACTS = {
    "end all sessions": ("accounts_account_act_end_sessions", lambda owner: owner.account, "change_session"),
    "end a session": ("accounts_session_act_end", lambda owner: Session.objects.get(), "change_session"),
    "revoke a key": ("accounts_apikey_act_revoke", lambda owner: make_key(owner).key, "change_apikey"),
    "resend a webhook": ("accounts_delivery_act_resend", delivery_of, "change_delivery"),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_asks_before_it_runs(owner, name):
    view, row_of, permission = ACTS[name]
    url = reverse(f"admin:{view}", args=[row_of(owner).pk])
    staff = employee(permission)
    with nothing_changes():
        answers = [staff.get(url), staff.post(url, {}), staff.post(url, {"confirmed": "yes", "token": "none"})]
    assert [(answer.status_code, b'name="token"' in answer.content) for answer in answers] == [(200, True)] * 3


@pytest.mark.parametrize("name", ACTS)
def test_an_act_needs_its_permission(owner, name):
    view, row_of, _ = ACTS[name]
    url = reverse(f"admin:{view}", args=[row_of(owner).pk])
    staff = employee(*ALL_VIEWS)
    with nothing_changes():
        answers = [staff.get(url), staff.post(url, {"confirmed": "yes", "token": str(uuid.uuid4())})]
    assert [answer.status_code for answer in answers] == [403, 403]


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("key", ["nothing", "9" * 40, str(uuid.UUID(int=1))])
def test_an_act_on_a_row_that_is_not_there_is_not_found(owner, name, key):
    view, _, permission = ACTS[name]
    path = reverse(f"admin:{view}", args=[uuid.UUID(int=0)]).replace(str(uuid.UUID(int=0)), key)
    staff = employee(permission)
    assert [staff.get(path).status_code, post_act(staff, path).status_code] == [404, 404]


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_an_audit_entry_with_its_staff_and_a_double_click_acts_once(owner, name):
    view, row_of, permission = ACTS[name]
    url, token = reverse(f"admin:{view}", args=[row_of(owner).pk]), uuid.uuid4()
    staff = employee(permission, "view_account")
    assert post_act(staff, url, token).redirect_chain == [(page(owner.account), 302)]
    with nothing_changes():
        again = post_act(staff, url, token)
    assert messages_of(again) == ["This was done already; nothing was done twice."]
    entry = AuditEntry.objects.get(by_staff=True)
    assert (entry.act.startswith("staff."), entry.user.pk, entry.account) == (True, staff.user.pk, owner.account)


def test_ended_sessions_are_refused_at_once(owner, django_capture_on_commit_callbacks):
    url = reverse("admin:accounts_account_act_end_sessions", args=[owner.account.pk])
    before = owner.client.get("/api/v1/videos").status_code
    with django_capture_on_commit_callbacks(execute=True):
        post_act(employee("change_session"), url)
    after = owner.client.get("/api/v1/videos").status_code
    assert (before, after, Session.objects.get().revoked_reason) == (200, 401, "staff")


def test_a_revoked_key_is_refused_at_once(owner):
    program = make_key(owner)
    url = reverse("admin:accounts_apikey_act_revoke", args=[program.key.pk])
    before = program.client.get("/api/v1/videos").status_code
    post_act(employee("change_apikey"), url)
    assert (before, program.client.get("/api/v1/videos").status_code) == (200, 401)


def test_a_delivery_that_is_resent_is_due_at_once(owner):
    delivery = delivery_of(owner)
    Delivery.objects.update(status="delivered", urgent=False)
    post_act(employee("change_delivery"), reverse("admin:accounts_delivery_act_resend", args=[delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.urgent) == ("pending", True)


def test_a_refused_act_changes_nothing(owner):
    key = make_key(owner).key
    ApiKey.objects.update(revoked_at=key.created_at)
    staff = employee("change_apikey")
    with nothing_changes():
        answer = post_act(staff, reverse("admin:accounts_apikey_act_revoke", args=[key.pk]))
    assert messages_of(answer) == ["Revoke this key: refused. This key is revoked already."]


def test_the_page_is_for_staff_alone(owner):
    answer = Client().get(page(owner.account))
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("admin:login"))
