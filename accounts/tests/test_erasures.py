"""Erasures: request, immediate effects, withdrawal, refusals."""

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from accounts import jobs
from accounts.auth import sign_in as sign_in_module
from accounts.enums import ErasureStatus, Role
from accounts.models import ApiKey, AuditEntry, Erasure, Invitation, Session, User
from accounts.privacy import erasures as erasures_module
from accounts.tests.privacy import PROFILE, ask_to_be_erased, extra_erasure_receiver, let_grace_pass, take_step
from genvid.errors import InvalidCredentials
from genvid.mail import outbox
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, make_caller, make_invitation, make_key, make_teammate, sign_in
from genvid.tests.jobs import run_job
from genvid.tests.mail import send_due_mail
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
LOG = "/api/v1/audit-log"


def acts_of(person) -> list[str]:
    return [entry["act"] for entry in data_of(person.client.get(LOG)) if entry["act"].startswith("profile.")]


def erasure_mails(mailoutbox) -> list:
    """Mails about erasures, without other mails."""
    return [mail for mail in mailoutbox if mail.subject.startswith("Your data")]


# ── Request


def test_erasure_request_returns_its_date(owner, settings):
    settings.ACCOUNT_ERASURE_DAYS, asked = 3, timezone.now()
    answer = data_of(owner.client.delete(PROFILE, {"password": PASSWORD}), 202)
    erasure = Erasure.objects.get()
    assert answer == {"erase_after": erasure.erase_after.isoformat().replace("+00:00", "Z")}
    assert asked <= erasure.erase_after - timedelta(days=3) <= timezone.now()


def test_erasure_request_with_a_wrong_password_changes_nothing(owner):
    with nothing_changes():
        assert wrong_fields_of(owner.client.delete(PROFILE, {"password": "wrong"})) == ["password"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "password"), ({"password": 1}, "password"), ({"password": PASSWORD, "now": True}, "now")],
    ids=["without", "not a text", "unknown field"],
)
def test_erasure_request_with_an_invalid_body_changes_nothing(owner, body, field):
    with nothing_changes():
        assert wrong_fields_of(owner.client.delete(PROFILE, body)) == [field]


def test_erasure_request_revokes_every_session(owner, django_capture_on_commit_callbacks):
    second = sign_in(owner.user.email)
    with django_capture_on_commit_callbacks(execute=True):
        ask_to_be_erased(owner)
    assert [refusal_of(each.client.get(PROFILE))[0] for each in (owner, second)] == [401, 401]
    assert set(Session.objects.values_list("revoked_reason", flat=True)) == {"erasure"}


def test_erasure_request_revokes_every_api_key(owner):
    key = make_key(owner)
    ask_to_be_erased(owner)
    assert refusal_of(key.client.get("/api/v1/videos")) == (401, "not_authenticated")


def test_erasure_request_is_mailed_once_with_date_and_way_to_withdraw(owner, mailoutbox):
    erasure = ask_to_be_erased(owner)
    for _ in range(2):
        take_step(erasure)
    send_due_mail()
    (mail,) = erasure_mails(mailoutbox)
    assert mail.to == [owner.user.email]
    assert f"{erasure.erase_after:%d %B %Y}" in mail.body
    assert "sign in before then" in mail.body


def test_erasure_is_due_after_the_grace_period(owner):
    erasure = take_step(ask_to_be_erased(owner))
    assert (erasure.status, erasure.due_at) == ("waiting", erasure.erase_after)


def test_parallel_erasure_requests_start_one_erasure(owner):
    first = erasures_module.start_erasure(owner.user.pk, by=owner.user.pk)
    assert erasures_module.start_erasure(owner.user.pk, by=owner.user.pk) == first


def test_erasure_request_revokes_open_invitations(owner):
    soon = timezone.now() + timedelta(days=1)
    Invitation.objects.create(account=owner.account, email="new@example.com", role=Role.MEMBER, expires_at=soon)
    ask_to_be_erased(owner)
    assert Invitation.objects.count() == 0


def test_sweep_enqueues_an_erasure_whose_message_was_lost(owner, woken):
    erasure = ask_to_be_erased(owner)
    run_job(jobs.SWEEP_PRIVACY)
    assert woken == [("accounts.work_on_erasure", str(erasure.pk))]


# ── Withdrawal


def test_login_withdraws_an_erasure(owner, mailoutbox):
    erasure = take_step(ask_to_be_erased(owner))
    send_due_mail()
    back = sign_in(owner.user.email)
    take_step(erasure)
    send_due_mail()
    assert (erasure.status, erasure.due_at) == (ErasureStatus.WITHDRAWN, None)
    assert [mail.subject for mail in erasure_mails(mailoutbox)] == [
        "Your data will be erased",
        "Your data will not be erased",
    ]
    assert acts_of(back) == ["profile.erasure_withdrawn", "profile.erasure_requested"]


def test_withdrawn_erasure_erases_nothing_and_keys_stay_revoked(owner):
    key, erasure = make_key(owner), ask_to_be_erased(owner)
    back = sign_in(owner.user.email)
    let_grace_pass(erasure)
    take_step(erasure)
    assert data_of(back.client.get(PROFILE))["email"] == "owner@example.com"
    assert ApiKey.objects.get(pk=key.key.pk).revoked_at is not None


def test_login_with_a_wrong_password_does_not_withdraw_an_erasure(owner):
    ask_to_be_erased(owner)
    with pytest.raises(InvalidCredentials):
        sign_in_module.login(email=owner.user.email, password="wrong")
    assert Erasure.objects.get().status == ErasureStatus.WAITING


def test_erasure_can_be_requested_again_after_withdrawal(owner):
    first = ask_to_be_erased(owner)
    back = sign_in(owner.user.email)
    data_of(back.client.delete(PROFILE, {"password": PASSWORD}), 202)
    assert sorted(Erasure.objects.values_list("status", flat=True)) == ["waiting", "withdrawn"]
    assert Erasure.objects.exclude(pk=first.pk).get().status == "waiting"


def test_erasure_withdrawn_before_its_mail_is_not_mailed(owner, mailoutbox):
    erasure = take_step(ask_to_be_erased(owner))
    sign_in(owner.user.email)
    send_due_mail()
    erasure.refresh_from_db()
    assert (erasure.status, erasure_mails(mailoutbox)) == (ErasureStatus.WITHDRAWN, [])


def test_mails_to_an_erased_person_are_deleted(owner):
    erasure = ask_to_be_erased(owner)
    outbox.write("accounts.password_reset", address=owner.user.email)
    make_invitation(make_caller(), email=owner.user.email)
    assert QueuedMail.objects.filter(Q(person=owner.user.pk) | Q(address=owner.user.email)).count() == 3
    let_grace_pass(erasure)
    take_step(erasure)
    assert erasure.status == ErasureStatus.DONE
    assert QueuedMail.objects.filter(Q(person=owner.user.pk) | Q(address=owner.user.email)).count() == 0


def test_mails_about_an_erased_account_are_deleted(owner):
    invitation = make_invitation(owner, email="new@example.com")
    outbox.write("accounts.endpoint_off", account=owner.account.pk, endpoint="x")
    erasure = ask_to_be_erased(owner)
    let_grace_pass(erasure)
    take_step(erasure)
    assert (erasure.status, QueuedMail.objects.filter(account=invitation.account_id).count()) == ("done", 0)


def test_login_is_refused_once_the_erasure_has_begun(owner):
    erasure = ask_to_be_erased(owner)
    Erasure.objects.filter(pk=erasure.pk).update(status=ErasureStatus.ERASING)
    with nothing_changes(), pytest.raises(InvalidCredentials):
        sign_in_module.login(email=owner.user.email, password=PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_login_at_the_end_of_the_grace_period_has_one_outcome(owner):
    erasure = take_step(ask_to_be_erased(owner))
    Erasure.objects.update(erase_after=timezone.now(), due_at=timezone.now())
    signed_in, _ = in_parallel(
        [lambda: sign_in(owner.user.email), lambda: erasures_module.run_erasure_step(str(erasure.pk))]
    )
    erasure.refresh_from_db()
    came_back = not isinstance(signed_in, Exception)
    assert (erasure.status == ErasureStatus.WITHDRAWN, erasure.erased_at is None) == (came_back, came_back)
    assert User.objects.get(pk=owner.user.pk).is_active == came_back


def test_a_worker_that_read_the_erasure_before_it_was_withdrawn_does_not_get_it(owner):
    erasure = take_step(ask_to_be_erased(owner))
    Erasure.objects.update(erase_after=timezone.now(), due_at=timezone.now())
    read_before = Erasure.objects.get(pk=erasure.pk)
    sign_in(owner.user.email)
    assert not read_before.claim(erasures_module.LEASE)
    erasure.refresh_from_db()
    assert (erasure.status, erasure.erased_at) == (ErasureStatus.WITHDRAWN, None)


@pytest.mark.django_db(transaction=True)
def test_parallel_workers_erase_once(owner):
    erasure = ask_to_be_erased(owner)
    let_grace_pass(erasure)
    Erasure.objects.update(due_at=timezone.now())
    assert in_parallel([lambda: erasures_module.run_erasure_step(str(erasure.pk))] * 4) == [None] * 4
    erasure.refresh_from_db()
    assert (erasure.status, AuditEntry.objects.filter(act="profile.erased").count()) == (ErasureStatus.DONE, 1)


def test_erasure_without_progress_is_retried_with_growing_delays(owner):
    erasure = ask_to_be_erased(owner)
    let_grace_pass(erasure)
    with extra_erasure_receiver("1 of them"):
        tries = [take_step(erasure).tries for _ in range(3)]
    with extra_erasure_receiver("another"):
        assert (tries, take_step(erasure).tries) == ([0, 1, 2], 0)


# ── Refusals


def test_only_owner_of_a_shared_account_cannot_be_erased(owner, teammate):
    with nothing_changes():
        refused = owner.client.delete(PROFILE, {"password": PASSWORD})
    assert refusal_of(refused) == (409, "conflict")
    assert "Olive Films: transfer the ownership" in refused.json()["error"]["message"]


def test_one_of_two_owners_can_be_erased_and_the_account_stays(owner):
    heir = make_teammate(owner, Role.OWNER)
    erasure = ask_to_be_erased(owner)
    let_grace_pass(erasure)
    assert (take_step(erasure).status, erasure.accounts) == (ErasureStatus.DONE, [])
    assert data_of(heir.client.get(PROFILE))["account"]["name"] == "Olive Films"


def test_erasing_a_member_keeps_the_account(owner, teammate):
    erasure = ask_to_be_erased(teammate)
    let_grace_pass(erasure)
    take_step(erasure)
    assert data_of(owner.client.get(PROFILE))["account"]["name"] == "Olive Films"
    assert list(owner.account.members.all()) == [owner.user]


def test_account_is_erased_with_its_last_owner(owner):
    heir = make_teammate(owner, Role.OWNER)
    erasures = [ask_to_be_erased(owner), ask_to_be_erased(heir)]
    for erasure in erasures:
        let_grace_pass(erasure)
        take_step(erasure)
    assert [erasure.accounts for erasure in erasures].count([str(owner.account.pk)]) >= 1
    owner.account.refresh_from_db()
    assert owner.account.name == "Erased"


def test_member_who_joined_in_the_grace_period_blocks_the_erasure(owner):
    erasure = take_step(ask_to_be_erased(owner))
    make_teammate(owner)
    let_grace_pass(erasure)
    take_step(erasure)
    assert (erasure.status, "has other members" in erasure.waiting_reason) == (ErasureStatus.WAITING, True)
    assert erasure.due_at > timezone.now()


def test_staff_cannot_be_erased(owner):
    User.objects.filter(pk=owner.user.pk).update(is_staff=True)
    with nothing_changes():
        assert refusal_of(owner.client.delete(PROFILE, {"password": PASSWORD})) == (409, "invalid_state")


def test_api_key_cannot_request_an_erasure(owner):
    answer = make_key(owner).client.delete(PROFILE, {"password": PASSWORD})
    assert refusal_of(answer) == (403, "permission_denied")
