"""The consent of a filmed person on HeyGen's page, the time that it takes, and a voice that is not the twin's own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation, CreationEvent
from avatars.own import clients
from avatars.own.representations import entry_data
from avatars.tests.fake_maker import FakeMaker
from avatars.tests.own_entries import step
from avatars.tests.test_own_crash import order
from billing.models import Fee
from genvid.heygen.avatar_making import MadeGroup, MakingState
from genvid.heygen.heygen_errors import NotFound, Refused
from genvid.tests.factories import Person, make_caller, make_voice
from videos.models import OperatorAlarm
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db(transaction=True)
BALANCE = 100
COMPLETED = MakingState.COMPLETED


@pytest.fixture
def owner() -> Person:
    return make_caller(email="owner@example.com", balance=BALANCE)


@pytest.fixture
def heygen(monkeypatch) -> FakeMaker:
    fake = FakeMaker()
    monkeypatch.setattr(clients, "AvatarMaker", lambda client: fake)
    return fake


def ordered_twin(owner: Person) -> Creation:
    """HeyGen has taken the order."""
    creation = step(order(owner, CreationKind.DIGITAL_TWIN))
    assert creation.provider_object_id
    return creation


def consent_status(creation: Creation) -> str:
    return str(entry_data(creation)["consent"]["status"])


@pytest.mark.parametrize("is_seen_in_between", [True, False])
def test_the_filmed_persons_consent_is_kept_shown_and_in_the_audit_log(heygen, owner, is_seen_in_between):
    waiting = step(ordered_twin(owner))
    assert (waiting.status, consent_status(waiting)) == (EntryStatus.WAITING_FOR_CONSENT, "waiting")
    heygen.change(waiting.provider_object_id, consented=True)
    if is_seen_in_between:
        waiting = step(waiting)
        assert (waiting.status, consent_status(waiting)) == (EntryStatus.CREATING, "confirmed")
    heygen.change(waiting.provider_object_id, state=COMPLETED)
    made = step(waiting)
    assert (made.status, consent_status(made)) == (EntryStatus.READY, "confirmed")
    assert made.consent_confirmed_at is not None
    [entry] = AuditEntry.objects.filter(act="consent.confirmed")
    said = {"kind": "digital_twin", "entry": str(made.entry_id)}
    assert (entry.account_id, entry.user_id, entry.detail) == (owner.account.pk, None, said)


def test_a_consent_that_nobody_gave_is_not_confirmed(heygen, owner):
    waiting = step(ordered_twin(owner))
    Creation.objects.filter(pk=waiting.pk).update(deadline_at=timezone.now())
    ended = step(waiting)
    assert (ended.status, ended.error_code) == (EntryStatus.FAILED, "consent_expired")
    assert (ended.consent_confirmed_at, AuditEntry.objects.filter(act="consent.confirmed").count()) == (None, 0)


def test_a_complete_look_waits_for_the_consent_that_its_group_still_needs(heygen, owner):
    fee = Fee.objects.get(what="digital_twin").credits
    creation = ordered_twin(owner)
    heygen.change(creation.provider_object_id, look_state=COMPLETED)
    waiting = step(creation)
    assert (waiting.status, waiting.consent_url) == (EntryStatus.WAITING_FOR_CONSENT, "https://app.heygen.com/consent")
    assert money_of(owner) == Money(BALANCE, held=fee, holds=1)
    heygen.change(creation.provider_object_id, consented=True)
    assert step(waiting).status == EntryStatus.READY
    assert money_of(owner) == Money(BALANCE - fee, charges=1)


def test_a_complete_twin_is_not_lost_where_heygen_does_not_find_its_group(heygen, owner, monkeypatch):
    creation = ordered_twin(owner)

    def unknown(group_id: str) -> None:
        raise NotFound("avatar_group_not_found")

    monkeypatch.setattr(heygen, "get_group", unknown)
    heygen.change(creation.provider_object_id, state=COMPLETED, consented=True)
    assert step(creation).status == EntryStatus.READY


def test_a_twin_whose_group_is_gone_while_it_waits_for_consent_has_none(heygen, owner, monkeypatch):
    waiting = step(ordered_twin(owner))
    Creation.objects.filter(pk=waiting.pk).update(ordered_at=timezone.now() - timedelta(hours=1))

    def unknown(group_id: str) -> None:
        raise NotFound("avatar_group_not_found")

    monkeypatch.setattr(heygen, "get_group", unknown)
    heygen.change(waiting.provider_object_id, state=COMPLETED, consented=True)
    ended = step(waiting)
    assert (ended.status, ended.consent_confirmed_at) == (EntryStatus.FAILED, None)
    assert AuditEntry.objects.filter(act="consent.confirmed").count() == 0
    assert money_of(owner) == Money(BALANCE)


def test_a_complete_twin_whose_consent_heygen_does_not_say_is_ready_without_a_confirmation(heygen, owner, monkeypatch):
    waiting = step(ordered_twin(owner))
    heygen.change(waiting.provider_object_id, state=COMPLETED, consented=True)
    group = MadeGroup("group", "Ada", COMPLETED, needs_consent=False, is_confirmed=False)
    monkeypatch.setattr(heygen, "get_group", lambda group_id: group)
    made = step(waiting)
    assert (made.status, made.consent_confirmed_at, consent_status(made)) == (EntryStatus.READY, None, "given")
    assert AuditEntry.objects.filter(act="consent.confirmed").count() == 0


def test_a_complete_twin_is_not_thrown_away_where_heygen_refuses_to_ask_for_its_consent(heygen, owner, monkeypatch):
    creation = ordered_twin(owner)

    def refuse(group_id: str) -> None:
        raise Refused("invalid_parameter")

    monkeypatch.setattr(heygen, "ask_for_consent", refuse)
    heygen.change(creation.provider_object_id, look_state=COMPLETED)
    waiting = step(creation)
    assert (waiting.status, OperatorAlarm.objects.get().code) == (EntryStatus.CREATING, "avatar_provider_problem")
    heygen.change(creation.provider_object_id, consented=True)
    assert step(waiting).status == EntryStatus.READY


def test_the_time_of_a_review_and_of_a_consent_is_none_of_the_queues(heygen, settings, owner):
    settings.OWN_AVATAR_QUEUE_DEADLINE = timedelta(days=7).total_seconds()
    heygen.create_plan = ["full"]
    creation, now = order(owner, CreationKind.DIGITAL_TWIN), timezone.now()
    creation.events.all().delete()
    for status, days in (("review", 17), ("queued", 9), ("creating", 8.5), ("waiting_for_consent", 8), ("queued", 1)):
        moment = now - timedelta(days=days)
        CreationEvent.objects.create(creation=creation, to_status=status, reason="test", created_at=moment)
    Creation.objects.filter(pk=creation.pk).update(created_at=now - timedelta(days=17))
    back = step(creation)
    assert (back.status, back.error_code) == (EntryStatus.QUEUED, "")
    left = back.deadline_at - now
    assert timedelta(days=5) - timedelta(minutes=10) < left < timedelta(days=5) + timedelta(minutes=10)


@pytest.mark.parametrize("whose", ["HeyGen's", "an operator's", "another customer's", "that of another twin"])
def test_a_voice_that_was_there_before_is_not_deleted_with_the_twin(heygen, owner, whose):
    heygen.clone_voice(name="Theirs", asset_id="asset", language="English", idempotency_key="theirs")
    [theirs] = heygen.made
    if whose == "HeyGen's":
        make_voice(provider_id=theirs)
    elif whose == "an operator's":
        make_voice(provider_id=theirs, is_private=True, account=make_caller().account)
    elif whose == "another customer's":
        other = order(make_caller(balance=BALANCE), CreationKind.VOICE_CLONE)
        Creation.objects.filter(pk=other.pk).update(provider_object_id=theirs)
    else:
        other = order(make_caller(balance=BALANCE), CreationKind.DIGITAL_TWIN)
        Creation.objects.filter(pk=other.pk).update(provider_voice_id=theirs)
    creation = ordered_twin(owner)
    heygen.change(creation.provider_object_id, state=COMPLETED, consented=True, default_voice_id=theirs)
    assert step(creation).provider_voice_id == ""


def test_a_voice_that_heygen_made_of_the_film_goes_with_the_twin(heygen, owner):
    creation = ordered_twin(owner)
    heygen.clone_voice(name="Ada's", asset_id="asset", language="English", idempotency_key="film")
    made_voice = [*heygen.made][-1]
    # The nightly sync may list it before the twin is complete.
    make_voice(provider_id=made_voice, is_private=True)
    heygen.change(creation.provider_object_id, state=COMPLETED, consented=True, default_voice_id=made_voice)
    assert step(creation).provider_voice_id == made_voice
