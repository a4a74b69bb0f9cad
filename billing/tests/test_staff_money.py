"""Credits and refunds by staff: limits, four eyes, and what a double click does."""

import re
import uuid
from functools import partial

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from billing.models import CreditAdjustment, CreditLot, LedgerEntry, Refund
from billing.purchases import staff_credits
from billing.receivers import erase_billing_data
from billing.stripe.dashboard import dashboard_url
from billing.tests.shop import balance_of, charge_of, payment_of
from genvid.errors import InvalidState
from genvid.tests.asserts import nothing_changes, the_ledger_proves
from genvid.tests.employees import employee, messages_of, panel_named, post_act
from genvid.tests.factories import make_video, set_balance
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
GIVE = {"credits": 50, "reason": "Sorry for the wait."}


@pytest.fixture
def clerk(db):
    return employee("change_wallet", "view_account", "view_wallet")


@pytest.fixture
def second(db):
    return employee("change_creditadjustment", "view_creditadjustment", "view_account")


@pytest.fixture
def limited(settings):
    settings.STAFF_CREDITS_PER_DAY = 100


def wallet_page(person) -> str:
    return reverse("admin:billing_wallet_act_adjust", args=[person.account.pk])


def decision_page(name: str) -> str:
    return reverse(f"admin:billing_creditadjustment_act_{name}", args=[CreditAdjustment.objects.get().pk])


# ── Credits by hand


def test_staff_give_credits_as_a_new_lot(clerk, owner):
    before = balance_of(owner)
    answer = post_act(clerk, wallet_page(owner), **GIVE)
    lot = CreditLot.objects.get(source="staff")
    entry = LedgerEntry.objects.get(kind="adjustment")
    assert messages_of(answer) == ["+50 credits: done."]
    assert (balance_of(owner) - before, lot.granted, lot.expires_at) == (50, 50, None)
    assert (entry.description, the_ledger_proves()) == ("Sorry for the wait.", True)


def test_credits_by_hand_are_one_audit_entry_with_who_and_why(clerk, owner):
    post_act(clerk, wallet_page(owner), **GIVE)
    entry = AuditEntry.objects.get(by_staff=True)
    assert (entry.act, entry.user, entry.account) == ("staff.credits_adjusted", clerk.user, owner.account)
    assert (entry.detail["credits"], entry.detail["reason"]) == ("50", "Sorry for the wait.")


def test_a_double_click_gives_credits_once(clerk, owner):
    token = uuid.uuid4()
    post_act(clerk, wallet_page(owner), token, **GIVE)
    with nothing_changes():
        again = post_act(clerk, wallet_page(owner), token, **GIVE)
    assert messages_of(again) == ["This was done already; nothing was done twice."]


@pytest.mark.parametrize("given", [{"credits": 0, "reason": "x"}, {"credits": 5, "reason": ""}, {"credits": "many"}])
def test_credits_need_a_number_and_a_reason(clerk, owner, given):
    with nothing_changes():
        answer = post_act(clerk, wallet_page(owner), **given)
    assert (answer.status_code, answer.context["form"].is_valid()) == (200, False)


def test_credits_by_hand_need_the_permission(owner):
    viewer = employee("view_wallet", "view_account")
    with nothing_changes():
        answer = post_act(viewer, wallet_page(owner), **GIVE)
    assert answer.status_code == 403


def test_taking_more_than_there_is_is_refused(clerk, owner):
    set_balance(owner, 10)
    with nothing_changes():
        answer = post_act(clerk, wallet_page(owner), credits=-11, reason="Mistake.")
    assert messages_of(answer) == ["Give or take credits: refused. Only 10 credits are available to take."]


def test_taking_spares_what_videos_hold(clerk, owner):
    set_balance(owner, 30)
    make_video(owner)
    held = owner.wallet.held
    with nothing_changes():
        post_act(clerk, wallet_page(owner), credits=held - 31, reason="Mistake.")
    post_act(clerk, wallet_page(owner), credits=held - 30, reason="Mistake.")
    assert (held > 0, owner.wallet.available, the_ledger_proves()) == (True, 0, True)


def test_a_wallet_falls_below_zero_only_where_staff_ask_for_it(clerk, owner):
    set_balance(owner, 10)
    post_act(clerk, wallet_page(owner), credits=-25, reason="Fraud.", may_overdraw="on")
    assert (balance_of(owner), the_ledger_proves()) == (-15, True)


# ── Four eyes


def test_credits_beyond_the_limit_wait_for_a_second_person(clerk, owner, limited):
    before = balance_of(owner)
    answer = post_act(clerk, wallet_page(owner), credits=101, reason="Large.")
    assert "wait for a second member of staff" in messages_of(answer)[0]
    assert (balance_of(owner) - before, CreditAdjustment.objects.get().status) == (0, "waiting")
    assert [entry.act for entry in AuditEntry.objects.filter(by_staff=True)] == ["staff.credits_requested"]


def test_the_limit_counts_all_of_a_day_both_ways(clerk, owner, limited):
    for credits in (60, -40, 1):
        post_act(clerk, wallet_page(owner), credits=credits, reason="Bit by bit.")
    found = CreditAdjustment.objects.order_by("requested_at").values_list("status", flat=True)
    assert list(found) == ["applied", "applied", "waiting"]


def test_a_second_person_confirms(clerk, second, owner, limited):
    before = balance_of(owner)
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    post_act(second, decision_page("confirm"))
    entry = AuditEntry.objects.get(act="staff.credits_adjusted")
    assert (balance_of(owner) - before, the_ledger_proves()) == (500, True)
    assert (entry.user, entry.detail["requested_by"]) == (second.user, str(clerk.user.pk))


def test_nobody_confirms_what_they_asked_for(owner, limited):
    alone = employee("change_wallet", "change_creditadjustment", "view_creditadjustment")
    post_act(alone, wallet_page(owner), credits=500, reason="Large.")
    with nothing_changes():
        answer = post_act(alone, decision_page("confirm"))
    assert messages_of(answer) == ["Confirm: refused. Somebody else must confirm what you asked for."]


def test_a_confirmation_counts_once(clerk, second, owner, limited):
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    post_act(second, decision_page("confirm"))
    with nothing_changes():
        answer = post_act(second, decision_page("confirm"))
    assert messages_of(answer) == ["Confirm: refused. This was decided already."]


def test_a_declined_request_moves_nothing_and_stays_declined(clerk, second, owner, limited):
    before = balance_of(owner)
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    post_act(second, decision_page("decline"))
    with nothing_changes():
        post_act(second, decision_page("confirm"))
    assert (balance_of(owner), CreditAdjustment.objects.get().status) == (before, "declined")


def test_confirmed_credits_do_not_count_against_the_day_of_either(clerk, second, owner, limited):
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    post_act(second, decision_page("confirm"))
    assert messages_of(post_act(clerk, wallet_page(owner), credits=100, reason="Small.")) == ["+100 credits: done."]


def test_the_customer_page_offers_the_decision_to_others_alone(clerk, second, owner, limited):
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    page = reverse("admin:accounts_account_change", args=[owner.account.pk])
    (row,) = panel_named(second.get(page), "Credits by hand").rows
    assert ("Confirm" in row[-1], "Decline" in row[-1]) == (True, True)


def test_the_second_person_reads_that_a_wallet_may_fall_below_zero(clerk, second, owner, limited):
    post_act(clerk, wallet_page(owner), credits=-500, reason="Fraud.", may_overdraw="on")
    assert "even below zero" in second.get(decision_page("confirm")).context["warning"]


def test_credits_that_wait_for_a_second_person_are_work_on_the_home_page(clerk, second, owner, limited):
    nothing = second.get(reverse("admin:index")).content.decode()
    cache.clear()
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    waiting = second.get(reverse("admin:index")).content.decode()
    listing = f"{reverse('admin:billing_creditadjustment_changelist')}?status__exact=waiting"
    assert (listing in nothing, listing in waiting) == (False, True)
    assert second.get(listing).context["cl"].result_count == 1


def test_what_waits_for_an_erased_account_is_declined(clerk, second, owner, limited):
    post_act(clerk, wallet_page(owner), credits=500, reason="Large.")
    erase_billing_data(owner.account.pk)
    before = balance_of(owner)
    with nothing_changes():
        post_act(second, decision_page("confirm"))
    assert (CreditAdjustment.objects.get().status, balance_of(owner)) == ("declined", before)


def test_an_act_needs_the_csrf_token_of_its_page(clerk, owner):
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(clerk.user)
    with nothing_changes():
        answer = stranger.post(wallet_page(owner), {"confirmed": "yes", "token": str(uuid.uuid4()), **GIVE})
    assert answer.status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_many_confirmations_and_refusals_at_once_one_counts(clerk, second, owner, limited):
    waiting = staff_credits.adjust_credits(
        owner.account.pk, 500, reason="Large.", staff_id=clerk.user.pk, token=uuid.uuid4()
    )
    before = balance_of(owner)
    decide = [staff_credits.confirm_adjustment, staff_credits.decline_adjustment] * 4
    done = in_parallel([partial(each, waiting, staff_id=second.user.pk) for each in decide])
    (first,) = [each for each, result in zip(decide, done, strict=True) if result is None]
    given = 500 if first is staff_credits.confirm_adjustment else 0
    assert {type(each) for each in done if each is not None} == {InvalidState}
    assert (balance_of(owner) - before, LedgerEntry.objects.filter(kind="adjustment").count()) == (given, given // 500)
    assert the_ledger_proves()


@pytest.mark.django_db(transaction=True)
def test_credits_given_at_once_do_not_pass_the_limit_together(clerk, owner, limited):
    give = partial(staff_credits.adjust_credits, owner.account.pk, 40, reason="Much.", staff_id=clerk.user.pk)
    in_parallel([partial(give, token=uuid.uuid4()) for _ in range(6)])
    statuses = CreditAdjustment.objects.values_list("status", flat=True)
    assert sorted(statuses) == ["applied"] * 2 + ["waiting"] * 4


# ── Refunds of money


@pytest.fixture
def buyer(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    return owner


@pytest.fixture
def cashier(db):
    return employee("change_payment", "view_payment", "view_account")


def refund_page(person) -> str:
    return reverse("admin:billing_payment_act_refund", args=[payment_of(person).pk])


def test_staff_refund_a_part_through_stripe(shop, buyer, cashier):
    answer = post_act(cashier, refund_page(buyer), amount="3.00", reason="Broken.")
    shop.deliver_events()
    entry = AuditEntry.objects.get(by_staff=True)
    assert "3.00 USD go back through Stripe" in messages_of(answer)[0]
    assert (Refund.objects.get().amount, balance_of(buyer)) == (300, 105)
    assert (entry.act, entry.user, entry.detail["reason"]) == ("staff.payment_refunded", cashier.user, "Broken.")


def test_a_double_click_refunds_once(shop, buyer, cashier):
    token = uuid.uuid4()
    post_act(cashier, refund_page(buyer), token, amount="3.00", reason="Broken.")
    shop.deliver_events()
    with nothing_changes():
        again = post_act(cashier, refund_page(buyer), token, amount="3.00", reason="Broken.")
    assert messages_of(again) == ["This was done already; nothing was done twice."]


@pytest.mark.parametrize("amount", ["12.01", "0", "-1", "1.005", "all"])
def test_a_refund_is_of_money_that_is_left(buyer, cashier, amount):
    with nothing_changes():
        answer = post_act(cashier, refund_page(buyer), amount=amount, reason="Broken.")
    assert answer.context["form"].is_valid() is False


def test_a_refund_that_stripe_refuses_changes_nothing(shop, buyer, cashier, settings):
    settings.STRIPE_SECRET_KEY = ""
    with nothing_changes():
        answer = post_act(cashier, refund_page(buyer), amount="3.00", reason="Broken.")
    assert messages_of(answer)[0].startswith("Refund money: refused.")


def token_on(answer) -> uuid.UUID:
    return uuid.UUID(re.search(r'name="token" value="([^"]+)"', answer.content.decode())[1])


def test_less_can_be_refunded_on_the_page_where_stripe_refused_more(shop, buyer, cashier):
    """Stripe remembers under a key what it answered, and refuses the key for another amount."""
    token = uuid.uuid4()
    shop.stripe.refund(charge_of(buyer), amount=700)
    refused = post_act(cashier, refund_page(buyer), token, amount="12.00", reason="Broken.")
    assert token_on(refused) != token
    answer = post_act(cashier, refund_page(buyer), token_on(refused), amount="3.00", reason="Broken.")
    assert (messages_of(refused)[0][:22], messages_of(answer)[0][:22]) == (
        "Refund money: refused.",
        "3.00 USD go back throu",
    )


def test_a_refund_that_stripe_did_not_answer_is_repeated_under_its_key(shop, buyer, cashier, settings):
    """It may have been made."""
    token = uuid.uuid4()
    settings.STRIPE_API_HOST = "http://127.0.0.1:9"
    answer = post_act(cashier, refund_page(buyer), token, amount="3.00", reason="Broken.")
    assert token_on(answer) == token


def test_a_refund_needs_the_permission(buyer):
    viewer = employee("view_payment", "view_account")
    with nothing_changes():
        answer = post_act(viewer, refund_page(buyer), amount="3.00", reason="x")
    assert answer.status_code == 403


# ── Stripe's dashboard


@pytest.mark.parametrize(
    ("live", "url"),
    [
        (True, "https://dashboard.stripe.com/customers/cus_1"),
        (False, "https://dashboard.stripe.com/test/customers/cus_1"),
    ],
)
def test_links_to_stripe_know_test_mode(settings, live, url):
    settings.STRIPE_API_HOST, settings.STRIPE_LIVE_MODE = "https://api.stripe.com", live
    assert dashboard_url("customers", "cus_1") == url


def test_there_is_no_link_to_stripe_where_the_sandbox_plays_it(settings):
    settings.STRIPE_API_HOST = "http://127.0.0.1:9000"
    assert dashboard_url("customers", "cus_1") is None


def test_the_wallet_page_is_for_staff_alone(owner):
    assert Client().get(wallet_page(owner)).status_code == 302
