"""Sign-up credits: once per verified mailbox, up to a daily limit; beyond it staff decide."""

import importlib
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.auth import passwords
from accounts.auth.email_verification import verification_token, verify_email
from accounts.auth.sign_in import login, register
from accounts.models import Account, AuditEntry, Membership, User
from accounts.teams import invitation_acceptance
from accounts.teams.invitations import token_of
from billing import credits
from billing.enums import LotSource
from billing.models import LedgerEntry, SignupDay, SignupGrant, Wallet
from billing.purchases import signup_grants
from billing.purchases.mailboxes import mailbox_digests, normalise
from billing.receivers import erase_billing_data
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import nothing_changes, queries_of, queries_once_warm, the_ledger_proves
from genvid.tests.factories import PASSWORD, make_caller, make_invitation
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
PAGE = "/admin/billing/signupgrant/"


@pytest.fixture
def strict(settings):
    """Verification of the mailbox is required."""
    settings.REQUIRE_VERIFIED_EMAIL = True


def sign_up(email: str) -> Wallet:
    return Wallet.objects.get(pk=register(email=email, password=PASSWORD).membership.account_id)


def verify(email: str) -> None:
    verify_email(verification_token(User.objects.get(email=email)))


def balance_of(email: str) -> int:
    return Wallet.objects.get(account__members__email=email).balance


# ── When


def test_an_unverified_address_gets_no_signup_credits(strict):
    assert sign_up("ada@example.com").balance == 0
    assert (SignupGrant.objects.count(), LedgerEntry.objects.count()) == (0, 0)


def test_verifying_the_address_grants_the_signup_credits(strict):
    sign_up("ada@example.com")
    verify("ada@example.com")
    entry = LedgerEntry.objects.get()
    assert (balance_of("ada@example.com"), entry.reference, entry.description) == (
        *(30, f"signup:{Account.objects.get().pk}"),
        "Welcome credits",
    )
    assert the_ledger_proves()


def test_a_password_reset_grants_the_signup_credits(strict):
    sign_up("ada@example.com")
    passwords.reset_password(passwords.reset_token(User.objects.get()), "a wholly different phrase")
    assert balance_of("ada@example.com") == 30


def test_an_accepted_invitation_grants_the_signup_credits_to_a_first_account(strict):
    owner = make_caller()
    sign_up("ada@example.com")
    invitation = make_invitation(owner, email="ada@example.com")
    invitation_acceptance.accept_invitation(
        token_of(invitation), signed_in_as=User.objects.get(email="ada@example.com").pk
    )
    own = Account.objects.get(memberships__user__email="ada@example.com", memberships__role="owner")
    assert (own.wallet.balance, owner.wallet.balance) == (30, 0)


def test_an_invited_person_gets_signup_credits_with_their_first_own_account(strict):
    owner = make_caller()
    invitation_acceptance.accept_invitation(
        token_of(make_invitation(owner, email="ada@example.com")), signed_in_as=None, password=PASSWORD
    )
    assert SignupGrant.objects.count() == 0
    Membership.objects.filter(user__email="ada@example.com").delete()
    login(email="ada@example.com", password=PASSWORD)
    assert balance_of("ada@example.com") == 30


def test_without_required_verification_signup_credits_come_with_the_account():
    assert sign_up("ada@example.com").balance == 30
    verify("ada@example.com")
    assert (balance_of("ada@example.com"), LedgerEntry.objects.count()) == (30, 1)


def test_without_signup_credits_no_row_is_written(settings):
    settings.SIGNUP_CREDITS = 0
    assert sign_up("ada@example.com").balance == 0
    assert SignupGrant.objects.count() == 0


# ── Once per mailbox


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ada+1@example.com"),
        ("ada+1@example.com", "ada+2@example.com"),
        ("ada.lovelace@gmail.com", "adalovelace@gmail.com"),
        ("a.d.a+x@googlemail.com", "ada@gmail.com"),
        ("ada@protonmail.com", "a.d_a@pm.me"),
        ("ada@me.com", "ada@icloud.com"),
    ],
)
def test_another_address_of_one_mailbox_gets_no_signup_credits(strict, one, other):
    for email in (one, other):
        sign_up(email)
        verify(email)
    assert (balance_of(one), balance_of(other)) == (30, 0)
    assert User.objects.get(email=other).email_verified
    assert the_ledger_proves()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ada@example.org"),
        ("a.da@example.com", "ada@example.com"),
        ("a-da@gmail.com", "ada@gmail.com"),
        ("+ada@example.com", "+bob@example.com"),
        ("ada@gmail.com", "ada@mail.gmail.com"),
    ],
)
def test_another_mailbox_gets_its_own_signup_credits(one, other):
    assert [sign_up(email).balance for email in (one, other)] == [30, 30]


def test_an_unverified_registration_does_not_use_up_the_owners_signup_credits(strict):
    sign_up("victim+1@gmail.com")
    sign_up("victim@gmail.com")
    verify("victim@gmail.com")
    assert (balance_of("victim@gmail.com"), balance_of("victim+1@gmail.com")) == (30, 0)


def test_normalising_a_mailbox_changes_no_login_address():
    sign_up("a.da+shop@gmail.com")
    assert User.objects.get().email == "a.da+shop@gmail.com"
    assert normalise("A.da+shop@Googlemail.com") == "ada@gmail.com"


def test_the_mailbox_is_stored_as_a_keyed_hash_only(settings):
    sign_up("ada@example.com")
    kept = SignupGrant.objects.get().mailbox
    assert (kept, len(kept), "ada" in str(SignupGrant.objects.values().get())) == (
        *(mailbox_digests("ada@example.com")[0], 64),
        False,
    )
    settings.SALT_KEY = ["another"]
    assert mailbox_digests("ada@example.com") != [kept]


def test_a_new_salt_key_forgets_no_mailbox(settings):
    sign_up("ada@example.com")
    settings.SALT_KEY = ["another", *settings.SALT_KEY]
    assert sign_up("ada+1@example.com").balance == 0


def test_an_account_gets_signup_credits_once_whoever_owns_it(strict):
    sign_up("ada@example.com")
    verify("ada@example.com")
    account = Account.objects.get()
    signup_grants.claim_signup_credits(account.pk, "bob@example.com")
    assert (account.wallet.balance, SignupGrant.objects.count()) == (30, 1)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_verifications_of_one_mailbox_one_gets_the_credits(settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    emails = [f"ada+{number}@example.com" for number in range(6)]
    for email in emails:
        sign_up(email)
    assert in_parallel([lambda email=email: verify(email) for email in emails]) == [None] * 6
    assert sorted(balance_of(email) for email in emails) == [0] * 5 + [30]
    assert (SignupGrant.objects.count(), the_ledger_proves()) == (1, True)


# ── The daily limit


def test_beyond_the_daily_limit_registration_works_and_credits_wait(settings):
    settings.SIGNUP_CREDITS_PER_DAY = 60
    assert [sign_up(f"person{number}@example.com").balance for number in range(4)] == [30, 30, 0, 0]
    assert sorted(SignupGrant.objects.values_list("status", flat=True)) == ["granted"] * 2 + ["waiting"] * 2
    assert the_ledger_proves()


@pytest.mark.parametrize(("bound", "given"), [(0, 0), (29, 0), (30, 1), (59, 1), (None, 3)])
def test_no_more_than_the_daily_limit_is_granted(settings, bound, given):
    settings.SIGNUP_CREDITS_PER_DAY = bound
    balances = [sign_up(f"person{number}@example.com").balance for number in range(3)]
    assert balances == [30] * given + [0] * (3 - given)


def test_the_next_utc_day_has_credits_of_its_own(settings):
    settings.SIGNUP_CREDITS_PER_DAY = 30
    with time_machine.travel(datetime(2026, 5, 1, 23, 59, tzinfo=UTC), tick=False) as clock:
        balances = [sign_up("a@example.com").balance, sign_up("b@example.com").balance]
        clock.shift(timedelta(minutes=1))
        balances.append(sign_up("c@example.com").balance)
    assert balances == [30, 0, 30]
    assert dict(SignupDay.objects.values_list("day", "credits")) == {date(2026, 5, 1): 30, date(2026, 5, 2): 30}


def test_staff_are_alarmed_of_waiting_signup_credits_once_a_day(settings, mailoutbox):
    settings.SIGNUP_CREDITS_PER_DAY = 0
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as clock:
        for number in range(3):
            sign_up(f"person{number}@example.com")
        clock.shift(timedelta(days=1))
        sign_up("next@example.com")
    alarms = QueuedMail.objects.filter(kind="staff_alarm").order_by("key").values_list("key", flat=True)
    assert list(alarms) == ["signup_credits:2026-05-01", "signup_credits:2026-05-02"]


@pytest.mark.django_db(transaction=True)
def test_parallel_registrations_do_not_exceed_the_daily_limit(settings):
    settings.SIGNUP_CREDITS_PER_DAY = 90
    results = in_parallel([lambda n=n: sign_up(f"person{n}@example.com").balance for n in range(8)])
    assert sorted(results) == [0] * 5 + [30] * 3
    assert SignupGrant.objects.filter(status="waiting").count() == 5
    assert QueuedMail.objects.filter(kind="staff_alarm").count() == 1
    assert the_ledger_proves()


# ── Decisions by staff


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("staff@example.com", PASSWORD)


@pytest.fixture
def staff(boss) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.fixture
def waiting(settings) -> SignupGrant:
    settings.SIGNUP_CREDITS_PER_DAY = 0
    sign_up("ada@example.com")
    return SignupGrant.objects.get()


def choose(client: Client, action: str, *grants: SignupGrant):
    return client.post(PAGE, {"action": action, "_selected_action": [grant.pk for grant in grants]})


def test_an_approval_of_signup_credits_is_in_the_audit_log(staff, boss, waiting):
    assert choose(staff, "approve", waiting).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.status, waiting.decided_by, waiting.account.wallet.balance) == ("granted", boss, 30)
    entry = AuditEntry.objects.get(act="credits.signup_approved")
    assert (entry.user, entry.account, entry.detail) == (
        *(boss, waiting.account),
        {"credits": "30", "reference": f"signup:{waiting.account_id}"},
    )
    assert the_ledger_proves()


def test_approved_signup_credits_are_not_granted_again(staff, waiting):
    for _ in range(2):
        choose(staff, "approve", waiting)
    assert (waiting.account.wallet.balance, AuditEntry.objects.filter(act="credits.signup_approved").count()) == (30, 1)


def test_staff_decline_and_the_mailbox_gets_none_later(staff, waiting, settings):
    choose(staff, "decline", waiting)
    settings.SIGNUP_CREDITS_PER_DAY = None
    assert (waiting.account.wallet.balance, sign_up("ada+1@example.com").balance) == (0, 0)
    assert AuditEntry.objects.filter(act="credits.signup_declined", account=waiting.account).count() == 1
    choose(staff, "approve", waiting)
    assert waiting.account.wallet.balance == 0


def test_credits_approved_by_staff_do_not_count_against_the_daily_limit(staff, waiting, settings):
    settings.SIGNUP_CREDITS_PER_DAY = 30
    choose(staff, "approve", waiting)
    assert sign_up("bob@example.com").balance == 30


def test_the_list_of_those_that_wait_takes_as_many_queries_for_three_as_for_one(staff, waiting):
    def load_page() -> None:
        page = staff.get(f"{PAGE}?status__exact=waiting")
        assert (page.status_code, b"waits for staff" in page.content) == (200, True)

    one = queries_once_warm(load_page)
    for number in range(2):
        sign_up(f"person{number}@example.com")
    assert queries_of(load_page) == one


def test_staff_with_view_permission_cannot_decide_signup_grants(waiting):
    viewer = User.objects.create_user("viewer@example.com", PASSWORD, is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_signupgrant"))
    client = Client()
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 200
    choose(client, "approve", waiting)
    waiting.refresh_from_db()
    assert (waiting.status, LedgerEntry.objects.count(), AuditEntry.objects.filter(user=viewer).count()) == (
        *("waiting", 0),
        0,
    )


@pytest.mark.django_db(transaction=True)
def test_of_parallel_approvals_of_one_grant_one_counts(settings):
    settings.SIGNUP_CREDITS_PER_DAY = 0
    sign_up("ada@example.com")
    grant, boss = SignupGrant.objects.get(), User.objects.create_superuser("staff@example.com", PASSWORD)
    results = in_parallel([lambda: signup_grants.approve_signup_grant(grant, staff=boss)] * 4)
    assert (sorted(results), grant.account.wallet.balance) == ([False] * 3 + [True], 30)


def test_a_waiting_grant_is_declined_and_kept_when_its_account_is_erased(waiting, settings):
    erase_billing_data(waiting.account_id)
    User.objects.filter(email="ada@example.com").update(email="erased-1@invalid")
    waiting.refresh_from_db()
    settings.SIGNUP_CREDITS_PER_DAY = None
    assert (waiting.status, sign_up("ada@example.com").balance) == ("declined", 0)


# ── The migration of earlier grants


def remember() -> None:
    migration = importlib.import_module("billing.migrations.0008_signup_grants")
    migration.remember_what_was_given(apps, None)


def test_the_migration_records_mailboxes_that_had_signup_credits():
    for email in ("ada@example.com", "ada+1@example.com", "bob@example.com"):
        sign_up(email)
    credits.grant(
        Account.objects.get(members__email="ada+1@example.com").pk,
        30,
        source=LotSource.SIGNUP,
        reference="signup:before",
    )
    SignupGrant.objects.all().delete()
    remember()
    assert set(SignupGrant.objects.values_list("mailbox", "status")) == {
        (mailbox_digests(email)[0], "granted") for email in ("ada@example.com", "bob@example.com")
    }
    assert sign_up("bob+1@example.com").balance == 0


def test_the_migration_of_signup_grants_can_be_repeated():
    sign_up("ada@example.com")
    with nothing_changes():
        remember()


def test_the_migration_records_no_mailbox_of_erased_people():
    sign_up("ada@example.com")
    SignupGrant.objects.all().delete()
    User.objects.update(email="erased-1@invalid")
    with nothing_changes():
        remember()


def test_an_account_with_signup_credits_from_before_the_rows_gets_none(strict):
    wallet = sign_up("ada@example.com")
    verify("ada@example.com")
    SignupGrant.objects.all().delete()
    signup_grants.claim_signup_credits(wallet.pk, "ada@example.com")
    assert balance_of("ada@example.com") == 30
