"""The admin: every page opens, money and history are read-only, and only staff get in."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from djstripe.models import Event, WebhookEventTrigger

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import (
    Account,
    ApiKey,
    AuditEntry,
    Delivery,
    Erasure,
    Export,
    IdempotencyRecord,
    Invitation,
    ModeratedAccount,
    ModerationRule,
    ReviewedText,
    StaffAct,
    User,
    WebhookEndpoint,
)
from accounts.webhooks.outgoing_events import publish
from avatars.models import Avatar, Creation, Upload
from avatars.own import consent_texts
from billing.admin import stripe_mirror
from billing.models import (
    Checkout,
    CreditAdjustment,
    CreditLot,
    Customer,
    Dispute,
    Fee,
    FormerCustomer,
    Hold,
    Invoice,
    LedgerEntry,
    LedgerProof,
    Payment,
    RenderRate,
    StripeSync,
    Subscription,
    TopUp,
    TopUpRule,
    Wallet,
)
from billing.tests import stripe_objects
from genvid.heartbeats.models import Heartbeat
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import (
    PASSWORD,
    make_checkout,
    make_endpoint,
    make_invitation,
    make_key,
    make_payment,
    make_price,
    make_speech,
    make_video,
)
from videos.models import (
    Batch,
    OperatorAlarm,
    ProviderBalance,
    ProviderOutage,
    ProviderState,
    ProviderWebhook,
    RenderTime,
    Video,
    VideoEvent,
    WebhookDelivery,
)
from videos.provider import provider_gate

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
COPIES = [apps.get_model("djstripe", name) for name in dict.fromkeys(stripe_mirror.PREFIXES.values())]
UNTOUCHABLE = [
    *[CreditAdjustment, Wallet, CreditLot, Hold, LedgerEntry, LedgerProof, Video, VideoEvent],
    *[Batch, RenderTime, ProviderState, ProviderWebhook, WebhookDelivery, ApiKey, IdempotencyRecord],
    *[
        WebhookEndpoint,
        Delivery,
        Event,
        WebhookEventTrigger,
        Checkout,
        Customer,
        FormerCustomer,
        Invoice,
        StripeSync,
        Payment,
        Dispute,
    ],
    *[Subscription, TopUp, TopUpRule, AuditEntry, StaffAct, ModeratedAccount, ReviewedText],
    *COPIES,
]


def name_of(model) -> str:
    return model._meta.label


def address(model, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def staff(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


@pytest.fixture
def rows(owner) -> Video:
    """At least one row of everything that has a page."""
    video = make_video(owner, "completed", title="Spring sale")
    ProviderState.objects.create(name=provider_gate.NAME, code="busy")
    Heartbeat.objects.create(name="beat", asked_at=video.created_at)
    audit_log.record_staff_action(AuditAct.ORDERS_PAUSED, staff_id=None, by="sam")
    ProviderWebhook.objects.create(endpoint_id="ep_1", url="https://genvid.example/hook", secret="whsec_secret")
    WebhookDelivery.objects.create(key="evt_1", event_type="avatar_video.success", payload={})
    IdempotencyRecord.objects.create(account=owner.account, key="k", fingerprint="f", claimed_at=video.created_at)
    Group.objects.create(name="Support")
    make_key(owner)
    make_endpoint(owner)
    make_invitation(owner)
    publish(owner.account.pk, "video.queued", {}, object_id="1")
    Export.objects.create(user=owner.user)
    Erasure.objects.create(user=owner.user, erase_after=video.created_at)
    Invitation.objects.create(account=owner.account, email="a@example.com", role="member", expires_at=video.created_at)
    make_speech(owner)
    Batch.objects.create(account=owner.account, script="Hi {{name}}", total=1, open=1, credits_quoted=2)
    ModerationRule.objects.create(text="forbidden", reason="No.")
    ModeratedAccount.objects.create(account=owner.account)
    ReviewedText.objects.create(account=owner.account, digest="d", text="doubtful", field="script", why="No.")
    make_checkout(owner)
    payment = make_payment(owner)
    account, now = owner.account, video.created_at
    Dispute.objects.create(pk="dp_1", payment=payment, amount=1200, status="open")
    Customer.objects.create(account=account, stripe_customer_id="cus_1")
    FormerCustomer.objects.create(account=account, stripe_customer_id="cus_0")
    StripeSync.objects.create(kind="charge", object_id="ch_1")
    TopUpRule.objects.create(account=account, threshold=1, plan=payment.price.plan, monthly_limit=5000)
    CreditAdjustment.objects.create(pk=account.pk, account=account, credits=5, requested_by=owner.user)
    TopUp.objects.create(account=account, price=payment.price, amount=1200)
    period = {"current_period_start": now, "current_period_end": now, "read_at": now, "created_at": now}
    Subscription.objects.create(pk="sub_1", account=account, price=make_price("pro-month"), status="active", **period)
    sums = {"amount_due": 1, "amount_paid": 1, "currency": "usd", "read_at": now, "created_at": now}
    Invoice.objects.create(account=account, stripe_invoice_id="in_1", period_start=now, period_end=now, **sums)
    event = Event.objects.create(id="evt_1", type="invoice.paid", data={"object": {"id": "in_1"}})
    WebhookEventTrigger.objects.create(remote_ip="203.0.113.7", headers={"A": "whsec_secret"}, body="{}", event=event)
    for model in COPIES:
        stripe_objects.make_copy(model.__name__)
    own = Avatar.objects.create(name="Spring", kind="photo_avatar", account=account, is_own=True, status="review")
    picture = Upload.objects.create(account=account, kind="image")
    said = {"is_me": True, "consent_at": now, "consent_version": consent_texts.CURRENT, "consent_language": "en"}
    Creation.objects.create(account=account, avatar=own, kind=own.kind, upload=picture, status=own.status, **said)
    LedgerProof.objects.create(begun_at=now, seconds=0.1, wallets=1, discrepancies=0)
    OperatorAlarm.objects.create(key="a:b", code="a", text="b", first_at=now, last_at=now)
    ProviderOutage.objects.create(began_at=now)
    ProviderBalance.objects.create(read_at=now, remaining=5, currency="usd")
    RenderTime.objects.create(engine="avatar_iv", longest=10, samples=20, p05=1, p50=2, p90=3, p99=4)
    return video


def first(model):
    return model._default_manager.order_by("pk").first()


# ── Every page opens


def test_the_front_page_of_the_admin_lists_the_apps(staff):
    assert staff.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_page_of_the_admin_opens(staff, rows, model):
    listed = staff.get(address(model, "changelist"))
    row = first(model).pk
    pages = [address(model, "change", row), address(model, "history", row), address(model, "changelist") + "?q=spring"]
    assert [listed.status_code, *(staff.get(page).status_code for page in pages)] == [200] * 4
    assert listed.context["cl"].result_count == model._default_manager.count() > 0


# ── Money and history


@pytest.mark.parametrize("model", UNTOUCHABLE, ids=name_of)
def test_money_and_history_are_not_added_or_changed_by_hand(staff, rows, model):
    fields = {field.name: "1" for field in model._meta.fields}
    add, change = address(model, "add"), address(model, "change", first(model).pk)
    with nothing_changes():
        answers = [staff.get(add), staff.post(add, {}), staff.post(change, fields)]
    assert [answer.status_code for answer in answers] == [403] * 3


@pytest.mark.parametrize("model", [*UNTOUCHABLE, RenderRate, Fee], ids=name_of)
def test_money_and_history_are_not_deleted_by_hand_or_in_bulk(staff, rows, model):
    row = first(model).pk
    body = {"action": "delete_selected", "_selected_action": [row], "post": "yes"}
    with nothing_changes():
        response = staff.post(address(model, "delete", row), {"post": "yes"})
        staff.post(address(model, "changelist"), body)
    assert response.status_code == 403


PRICE = {
    "engine": "avatar_iv",
    "avatar_kind": "",
    "resolution": "720p",
    "credits_per_second": "0.800",
    "minimum_credits": "1",
    "provider_microdollars_per_second": "50000",
    "valid_from_0": "2027-01-01",
    "valid_from_1": "00:00:00",
}


def test_a_new_price_is_a_new_row(staff):
    before = RenderRate.objects.count()
    response = staff.post(address(RenderRate, "add"), PRICE)
    assert (response.status_code, RenderRate.objects.count()) == (302, before + 1)


def test_a_price_that_was_in_force_stays_as_it_was(staff):
    with nothing_changes():
        response = staff.post(address(RenderRate, "change", first(RenderRate).pk), PRICE)
    assert response.status_code == 403


FEE = {
    "what": "voice_clone",
    "credits": "12",
    "unit": "each",
    "provider_microdollars": "",
    "valid_from_0": "2027-01-01",
    "valid_from_1": "00:00:00",
}


def test_a_new_fee_is_a_new_row_whose_cost_may_be_unknown(staff):
    response = staff.post(address(Fee, "add"), FEE)
    fee = Fee.objects.get(what="voice_clone", credits=12)
    assert (response.status_code, fee.provider_microdollars, Fee.objects.count()) == (302, None, 5)
    assert AuditEntry.objects.get(act="staff.record_added").detail["kind"] == "billing.Fee"


def test_a_fee_that_was_in_force_stays_as_it_was(staff):
    with nothing_changes():
        response = staff.post(address(Fee, "change", first(Fee).pk), FEE)
    assert response.status_code == 403


def test_a_fee_in_a_unit_of_something_else_is_refused(staff):
    with nothing_changes():
        page = staff.post(address(Fee, "add"), FEE | {"unit": "minute"})
    assert b"Speech is sold by the minute, all else by the piece." in page.content


def test_staff_see_no_senders_of_webhooks_and_no_keys_of_dj_stripe(staff, rows):
    pages = {model.__name__ for model in MODELS if model._meta.app_label == "djstripe"}
    delivery = staff.get(address(WebhookEventTrigger, "change", first(WebhookEventTrigger).pk))
    assert pages == {"Event", "WebhookEventTrigger", *(model.__name__ for model in COPIES)}
    assert b"203.0.113.7" not in delivery.content


def test_the_page_of_an_event_leads_to_our_row_and_says_how_much(staff, rows):
    payment = Payment.objects.get()
    about = {
        "object": "charge",
        "id": payment.stripe_charge_id,
        "amount": 1200,
        "currency": "usd",
        "status": "succeeded",
    }
    event = Event.objects.create(id="evt_2", type="charge.succeeded", data={"object": about | {"customer": "cus_1"}})
    page = staff.get(address(Event, "change", event.pk)).content.decode()
    found = [address(Payment, "change", payment.pk) in page, address(Account, "change", payment.account_id) in page]
    assert (found, "12.00 USD" in page) == ([True, True], True)


def test_no_page_of_the_admin_shows_a_secret(staff, rows):
    pages = [staff.get(address(ProviderWebhook, "changelist"))]
    pages.append(staff.get(address(ProviderWebhook, "change", first(ProviderWebhook).pk)))
    pages.append(staff.get(address(WebhookEventTrigger, "change", first(WebhookEventTrigger).pk)))
    assert [page for page in pages if b"whsec_secret" in page.content] == []


# ── The video's page


def test_the_page_of_a_video_shows_its_history_in_order(staff, rows):
    response = staff.get(address(Video, "change", rows.pk))
    (timeline,) = (panel for panel in response.context["panels"] if panel.title == "Timeline")
    assert [row[-1] for row in timeline.rows] == ["created", "accepted", "test", "test", "test", "stored"]


def test_the_page_of_a_video_plays_its_file(staff, rows):
    page = staff.get(address(Video, "change", rows.pk)).content.decode()
    source = page.partition('<video src="http://127.0.0.1:8000')[2].partition('"')[0]
    served = Client().get(source)
    assert (served.status_code, served.getvalue()) == (200, b"the file")


def test_the_page_of_a_video_without_a_file_says_so(staff, owner):
    page = staff.get(address(Video, "change", make_video(owner).pk)).content.decode()
    assert ("No file yet." in page, "<video" in page) == (True, False)


def test_a_script_on_the_page_of_a_video_is_escaped(staff, owner):
    video = make_video(owner, title="<script>alert(1)</script>")
    # As older releases took it: the API refuses tags in scripts now.
    Video.objects.update(script="<script>alert(2)</script> Hello.")
    pages = [staff.get(address(Video, "change", video.pk)), staff.get(address(Video, "changelist"))]
    assert [page for page in pages if b"<script>alert(" in page.content] == []


def test_staff_open_the_gate_from_its_page(staff, rows):
    body = {"action": "open_gate", "_selected_action": [provider_gate.NAME]}
    staff.post(address(ProviderState, "changelist"), body)
    assert ProviderState.objects.get().code == ""


# ── Staff only


def somebody(**fields) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("somebody@example.com", PASSWORD, **fields))
    return client


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_the_admin_needs_a_sign_in(rows, model):
    response = Client().get(address(model, "changelist"))
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("model", [Video, Wallet, User], ids=name_of)
def test_a_customer_cannot_open_the_admin(rows, model):
    response = somebody().get(address(model, "change", first(model).pk))
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_staff_without_permissions_see_nothing(rows, model):
    assert somebody(is_staff=True).get(address(model, "changelist")).status_code == 403


def test_a_token_of_the_api_opens_no_page_of_the_admin(owner):
    assert owner.client.get(address(Video, "changelist")).status_code == 302
