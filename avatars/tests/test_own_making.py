"""Own avatars and voices from the order to the end, against the sandbox over real HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import AuditEntry
from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation
from avatars.own import work
from avatars.own.clients import maker_for
from avatars.tests.own_entries import KINDS, copies_of, create_call, fresh, history, order, run, step
from avatars.uploads.assets import asset_id_of
from billing.models import Fee, Hold
from genvid import process_cache
from genvid.heygen import gate
from genvid.heygen.heygen_client import get_client
from genvid.tests import heygen_assets
from genvid.tests.factories import make_caller, make_endpoint
from videos.models import OperatorAlarm
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db(transaction=True)
FEES = {CreationKind.PHOTO_AVATAR: 20, CreationKind.DIGITAL_TWIN: 30, CreationKind.VOICE_CLONE: 10}
BALANCE = 100


@pytest.fixture
def owner():
    return make_caller(email="owner@example.com", balance=BALANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_is_made_and_charged_once(sandbox, owner, kind):
    creation = order(owner, kind)
    assert money_of(owner) == Money(BALANCE, held=FEES[kind], holds=1)
    made = run(creation)
    assert money_of(owner) == Money(BALANCE - FEES[kind], charges=1)
    assert (made.credits_held, made.credits_charged, made.entry.status) == (0, FEES[kind], "ready")
    assert [copy.object_id for copy in copies_of(made)] == [made.entry.provider_id]
    assert made.due_at is None


def test_a_ready_photo_avatar_has_what_videos_need(sandbox, owner):
    made = run(order(owner))
    assert made.avatar.preview_image_url.startswith("http")
    assert made.avatar.engines == ["avatar_iv", "avatar_iii"]
    assert made.avatar.orientation == "landscape"


def test_the_cost_of_a_cloned_voice_is_unknown(sandbox, owner):
    made = run(order(owner, CreationKind.VOICE_CLONE))
    assert Hold.objects.get(reference=made.money_reference).provider_microdollars is None


def test_a_twin_waits_for_the_person_on_the_consent_page(sandbox, owner):
    sandbox.configure(consent_by_itself=False)
    waiting = run(order(owner, CreationKind.DIGITAL_TWIN), EntryStatus.WAITING_FOR_CONSENT)
    assert waiting.consent_url.startswith("http")
    assert step(waiting).status == EntryStatus.WAITING_FOR_CONSENT
    sandbox.consent(waiting.provider_group_id)
    made = run(waiting)
    assert [to for _, to, _ in history(made)][-1] == "ready"
    assert made.consent_url == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [{"kind": "lost"}, {"kind": "drop"}, {"status": 500}, {"kind": "html"}])
def test_a_lost_answer_makes_nothing_twice(sandbox, owner, kind, fault):
    creation = order(owner, kind)
    sandbox.fault(**create_call(kind), **fault)
    unknown = step(creation)
    assert (unknown.status, unknown.provider_object_id) == (EntryStatus.CREATING, "")
    assert money_of(owner) == Money(BALANCE, held=FEES[kind], holds=1)
    made = run(creation)
    assert len(copies_of(made)) == made.attempt == 1
    assert money_of(owner) == Money(BALANCE - FEES[kind], charges=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_returns_the_credits_and_says_why(sandbox, owner, kind):
    creation = order(owner, kind)
    sandbox.fault(**create_call(kind), status=400, code="content_policy_violation")
    failed = step(creation)
    assert (failed.status, failed.entry.status) == ("failed", "failed")
    assert (failed.error_code, failed.credits_held) == ("content_refused", 0)
    assert money_of(owner) == Money(BALANCE)


@pytest.mark.parametrize("code", ["resource_limit_reached", "resource_limit_exceeded", "quota_exceeded"])
def test_while_heygen_is_full_the_order_waits_and_staff_are_alarmed_once(sandbox, owner, code):
    creation = order(owner)
    sandbox.fault(**create_call(CreationKind.PHOTO_AVATAR), status=400, code=code, times=2)
    step(creation)
    waiting = step(creation)
    assert (waiting.status, waiting.entry.status) == (EntryStatus.QUEUED, "queued")
    assert OperatorAlarm.objects.get(code="avatar_slots_full").count == 2
    assert money_of(owner) == Money(BALANCE, held=20, holds=1)
    made = run(creation)
    assert (made.attempt, len(copies_of(made))) == (3, 1)


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (402, "insufficient_credit")])
def test_a_problem_of_the_operator_fails_nobody(sandbox, owner, status, code):
    creation = order(owner)
    sandbox.fault(**create_call(CreationKind.PHOTO_AVATAR), status=status, code=code)
    assert step(creation).status == EntryStatus.QUEUED
    assert OperatorAlarm.objects.filter(code="avatar_provider_problem").exists()
    assert run(creation).status == EntryStatus.READY


@pytest.mark.parametrize("kind", KINDS)
def test_what_heygen_cannot_make_fails_and_is_removed_there(sandbox, owner, kind):
    sandbox.configure(making_failure="training_failed")
    failed = run(order(owner, kind), EntryStatus.FAILED)
    # A cloned voice has no code there.
    assert failed.error_code == ("creation_failed" if kind == CreationKind.VOICE_CLONE else "footage_refused")
    assert money_of(owner) == Money(BALANCE)
    assert copies_of(failed)
    step(failed)
    assert copies_of(failed) == []


def test_a_failure_for_lack_of_our_credit_is_ordered_again(sandbox, owner):
    sandbox.configure(making_failure="insufficient_credit")
    creation = order(owner)
    step(creation)
    assert run(creation, EntryStatus.QUEUED).entry.status == "queued"
    sandbox.configure(making_failure=None)
    made = run(creation)
    assert (made.attempt, made.credits_charged) == (2, 20)


def test_an_unknown_answer_ends_at_the_last_deadline_with_an_alarm(sandbox, owner):
    creation = order(owner)
    sandbox.fault(method="*", path="/v3/avatars*", kind="drop", times=1000)
    unknown = step(creation)
    Creation.objects.filter(pk=unknown.pk).update(deadline_at=unknown.created_at)
    ended = step(unknown)
    assert (ended.status, ended.error_code) == ("failed", "creation_timeout")
    assert OperatorAlarm.objects.filter(code="avatar_given_up").count() == 1
    assert money_of(owner) == Money(BALANCE)


def test_nothing_is_ordered_while_the_gate_is_shut(sandbox, owner, monkeypatch):
    creation = order(owner)
    monkeypatch.setattr(gate, "_checks", [lambda: False])
    assert step(creation).status == EntryStatus.QUEUED
    monkeypatch.undo()
    assert run(creation).status == EntryStatus.READY


def test_a_look_deleted_at_heygen_fails_once_it_is_not_fresh(sandbox, owner):
    sandbox.configure(avatar_seconds=600)
    creating = step(order(owner))
    maker_for(creating).delete_look(creating.provider_object_id)
    assert step(creating).status == EntryStatus.CREATING
    Creation.objects.filter(pk=creating.pk).update(ordered_at="2020-01-01T00:00:00Z")
    assert step(creating).error_code == "creation_failed"
    assert money_of(owner) == Money(BALANCE)


def test_the_sweep_finds_an_order_whose_message_was_lost(owner, woken):
    creation = order(owner, stored=False)
    woken.clear()
    assert work.has_work()
    work.sweep_creations()
    assert ("avatars.work_on_creation", str(creation.pk)) in woken


@pytest.mark.parametrize(
    ("kind", "failure", "event"),
    [
        (CreationKind.PHOTO_AVATAR, None, "avatar.ready"),
        (CreationKind.PHOTO_AVATAR, "training_failed", "avatar.failed"),
        (CreationKind.VOICE_CLONE, None, "voice.ready"),
        (CreationKind.VOICE_CLONE, "training_failed", "voice.failed"),
    ],
)
def test_the_end_is_told_by_a_webhook_with_what_the_api_shows(sandbox, owner, kind, failure, event):
    endpoint = make_endpoint(owner)
    sandbox.configure(making_failure=failure)
    made = run(order(owner, kind), EntryStatus.READY, EntryStatus.FAILED)
    deliveries = list(endpoint.deliveries.all())
    assert [each.event.type for each in deliveries] == [event]
    path = "voices" if kind == CreationKind.VOICE_CLONE else "avatars"
    shown = owner.client.get(f"/api/v1/{path}/{made.entry_id}").json()["data"]
    assert json.loads(deliveries[0].event.body)["data"] == shown


def test_the_consent_is_in_the_audit_log(owner):
    creation = order(owner, stored=False)
    entry = AuditEntry.objects.get(act="consent.given")
    assert (entry.account_id, entry.detail["entry"]) == (owner.account.pk, str(creation.entry_id))
    assert entry.detail["version"] == creation.consent_version


def test_the_history_tells_each_move(sandbox, owner):
    made = run(order(owner))
    assert history(made) == [
        ("", "queued", "created"),
        ("queued", "creating", "ordered"),
        ("creating", "ready", "made"),
    ]
    assert fresh(made).tries == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_key_has_it_made_free_by_the_test_renderer(sandbox, owner, settings, kind):
    settings.TEST_RENDERER_URL, settings.TEST_RENDERER_KEY = sandbox.url, settings.HEYGEN_API_KEY
    settings.HEYGEN_BASE_URL = "http://127.0.0.1:9"
    made = run(order(owner, kind, caller=replace(owner.caller, is_test=True)))
    assert (made.credits_charged, made.entry.is_test) == (0, True)
    assert money_of(owner) == Money(BALANCE)


def test_a_shut_gate_does_not_stop_the_test_renderer(sandbox, owner, settings, monkeypatch):
    settings.TEST_RENDERER_URL, settings.TEST_RENDERER_KEY = sandbox.url, settings.HEYGEN_API_KEY
    monkeypatch.setattr(gate, "_checks", [lambda: False])
    assert run(order(owner, caller=replace(owner.caller, is_test=True))).status == EntryStatus.READY


def test_the_order_waits_for_a_test_renderer_that_was_taken_away(owner, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    creation = order(owner, caller=replace(owner.caller, is_test=True), stored=False)
    settings.TEST_RENDERER_URL = ""
    assert step(creation).status == EntryStatus.QUEUED


@pytest.mark.parametrize("failure", [None, "training_failed"])
def test_what_costs_nothing_is_settled_like_anything_else(sandbox, owner, failure):
    Fee.objects.filter(what="photo_avatar").update(credits=0)
    process_cache.clear_all()
    sandbox.configure(making_failure=failure)
    made = run(order(owner), EntryStatus.READY, EntryStatus.FAILED)
    assert money_of(owner) == Money(BALANCE)
    assert Hold.objects.get(reference=made.money_reference).status == ("released" if failure else "captured")


class OvertakenClient:
    """HeyGen's client, during whose call that sends a file another worker works on an order with that file."""

    def __init__(self, another: Callable[[], Any]) -> None:
        self.another = another

    def create_asset(self, *args: Any, **options: Any) -> str:
        self.another()
        return get_client().create_asset(*args, **options)


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 409, "code": "conflict"}], ids=["429", "409"])
def test_an_order_that_is_refused_while_another_worker_sends_its_file_is_made_later(sandbox, owner, fault):
    creation = order(owner)
    sandbox.fault(method="POST", path="/v3/assets", **fault)
    waiting: list[Creation] = []
    asset_id = asset_id_of(fresh(creation).upload, OvertakenClient(lambda: waiting.append(step(creation))))
    assert [(each.status, each.error_code) for each in waiting] == [(EntryStatus.QUEUED, "")]
    made = run(creation)
    assert heygen_assets.names(sandbox) == [f"{creation.upload_id}.png"]
    assert (made.upload.provider_asset_id, made.credits_charged) == (asset_id, 20)
