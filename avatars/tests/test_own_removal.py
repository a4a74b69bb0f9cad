"""Deleting own avatars and voices, here and at HeyGen; their videos; orphans; erasure and export."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.signals import account_erasing, export_requested
from avatars.catalogue_sync import sync_catalogue
from avatars.enums import CreationKind
from avatars.models import Avatar, Creation, Voice
from avatars.own import changes, consent_texts, copies, making, orphans, presence, removal
from avatars.own.clients import maker_for
from avatars.own.orders import Consent
from avatars.own.presence import own_rows, read_presence, save_presence
from avatars.tests.heygen_double import HeyGenDouble, look, voice
from avatars.tests.own_entries import KINDS, copies_of, create_call, fresh, make_upload, order, run, step
from avatars.uploads import references
from avatars.uploads.assets import asset_id_of
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import Busy, NotFound, OperatorProblem, Refused, Unknown
from genvid.tests.asserts import nothing_changes, wrong_fields_of
from genvid.tests.factories import make_caller, make_request, make_video, make_voice
from videos.enums import Status
from videos.lifecycle import video_actions
from videos.models import OperatorAlarm, Video
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return make_caller(email="owner@example.com", balance=200)


def delete(owner, creation):
    changes.delete(owner.caller, creation)


def settle(creation):
    """As if SETTLE_TIME were over."""
    past = timezone.now() - removal.SETTLE_TIME
    Creation.objects.filter(pk=creation.pk).update(deleted_at=past)
    return step(creation)


@pytest.mark.parametrize("kind", KINDS)
def test_deleting_removes_the_copy_at_heygen(sandbox, owner, kind):
    made = run(order(owner, kind))
    delete(owner, made)
    step(made)
    assert copies_of(made) == []
    assert settle(made).removed_at is not None
    assert fresh(made).due_at is None


@pytest.mark.parametrize("kind", KINDS)
def test_deleting_while_the_order_is_unanswered_leaves_nothing_behind(sandbox, owner, kind):
    creation = order(owner, kind)
    sandbox.fault(**create_call(kind), kind="lost")
    step(creation)
    delete(owner, fresh(creation))
    step(creation)
    assert copies_of(creation) == []
    assert money_of(owner) == Money(200)


def test_an_order_that_arrives_after_the_deletion_is_removed_by_the_second_look(sandbox, owner):
    creation = order(owner)
    sandbox.fault(**create_call(CreationKind.PHOTO_AVATAR), kind="drop")
    unknown = step(creation)
    delete(owner, unknown)
    step(creation)
    stale = unknown
    making._order(stale, maker_for(stale), stale.upload.provider_asset_id or fresh(stale).upload.provider_asset_id)
    assert len(copies_of(creation)) == 1
    settle(creation)
    assert copies_of(creation) == []


def test_a_worker_that_finishes_after_the_deletion_charges_nothing(sandbox, owner):
    creating = step(order(owner))
    sandbox.configure(avatar_seconds=0)
    late = Creation.objects.select_related("avatar", "upload").get(pk=creating.pk)
    delete(owner, creating)
    assert making.settlement.complete(late, {}) is False
    assert money_of(owner) == Money(200)
    assert not Avatar.objects.get(pk=creating.avatar_id).is_available


def test_a_removal_that_fails_is_repeated(sandbox, owner):
    made = run(order(owner))
    delete(owner, made)
    sandbox.fault(method="DELETE", path="/v3/avatars/*", status=500, times=9)
    assert step(made).removed_at is None
    assert fresh(made).due_at is not None
    sandbox.clear_faults()
    step(made)
    assert copies_of(made) == []


def test_staff_are_told_of_a_removal_that_fails_for_an_hour(sandbox, owner):
    made = run(order(owner))
    delete(owner, made)
    sandbox.fault(method="DELETE", path="/v3/avatars/*", status=500, times=removal.ALARM_AFTER)
    for number in range(removal.ALARM_AFTER):
        assert OperatorAlarm.objects.count() == 0, number
        assert step(made).removed_at is None
    assert OperatorAlarm.objects.get().code == "avatar_removal_fails"
    step(made)
    assert copies_of(made) == []


def test_queued_videos_of_a_deleted_avatar_fail_and_give_their_credits_back(sandbox, owner):
    made = run(order(owner))
    video = make_video(owner, avatar=made.avatar, voice=make_voice())
    delete(owner, made)
    step(made)
    video.refresh_from_db()
    assert (video.status, video.error_code, video.error_retryable) == (Status.FAILED, "avatar_withdrawn", False)
    assert money_of(owner) == Money(180, charges=1)


def test_videos_being_rendered_are_finished_before_the_copy_is_removed(sandbox, owner):
    made = run(order(owner))
    video = make_video(owner, Status.RENDERING, avatar=made.avatar, voice=make_voice())
    delete(owner, made)
    assert step(made).waiting_reason == "1 videos are being rendered with it."
    assert len(copies_of(made)) == 1
    assert Video.objects.get(pk=video.pk).status == Status.RENDERING
    Video.objects.filter(pk=video.pk).update(status=Status.CANCELED, completed_at=timezone.now())
    step(made)
    assert copies_of(made) == []


def test_videos_being_rendered_are_stopped_where_the_operator_wants_it(sandbox, owner, settings):
    settings.OWN_AVATAR_WITHDRAWN_VIDEOS = "stop"
    made = run(order(owner, CreationKind.VOICE_CLONE))
    avatar = Avatar.objects.create(name="Shared", kind="studio_avatar", provider_id="look", is_private=False)
    video = make_video(owner, Status.RENDERING, avatar=avatar, voice=made.voice)
    delete(owner, made)
    step(made)
    assert Video.objects.get(pk=video.pk).error_code == "avatar_withdrawn"
    assert copies_of(made) == []


def test_a_video_of_a_ready_avatar_is_accepted(sandbox, owner):
    made = run(order(owner))
    request = make_request(avatar_id=made.avatar_id, voice_id=make_voice().pk)
    assert video_actions.create_video(owner.caller, request).avatar_id == made.avatar_id


# ── The nightly sync


def test_the_sync_lists_nothing_that_a_customer_made_and_changes_nothing_of_it(sandbox, owner):
    made = run(order(owner))
    twin_caller = make_caller(balance=200)
    pending = step(order(twin_caller, CreationKind.DIGITAL_TWIN))
    before = Avatar.objects.filter(is_own=True).values().order_by("pk")
    rows = list(before)
    sync_catalogue(get_client())
    assert list(before.all()) == rows
    own_ids = {made.provider_object_id, pending.provider_object_id}
    assert not Avatar.objects.filter(is_own=False, provider_id__in=own_ids).exists()


def test_the_sync_retires_what_a_customer_made_once_heygen_has_it_no_more(sandbox, owner, avatar):
    face, voice = run(order(owner)), run(order(owner, CreationKind.VOICE_CLONE))
    maker_for(voice).delete_voice(voice.voice.provider_id)
    sync_catalogue(get_client())
    # HeyGen may list a new one late.
    assert Voice.objects.get(pk=voice.voice_id).is_available
    Creation.objects.update(ready_at=timezone.now() - timedelta(hours=2))
    sync_catalogue(get_client())
    assert not Voice.objects.get(pk=voice.voice_id).is_available
    assert Avatar.objects.get(pk=face.avatar_id).is_available
    body = {"script": "Hello.", "avatar_id": str(face.avatar_id), "voice_id": str(voice.voice_id)}
    with nothing_changes():
        assert wrong_fields_of(owner.client.post("/api/v1/videos", body)) == ["voice_id"]


def test_an_own_face_that_heygen_does_not_list_but_finds_stays_available(sandbox, owner):
    made = run(order(owner))
    Creation.objects.update(ready_at=timezone.now() - timedelta(hours=2))
    client = get_client()
    save_presence(read_presence(client, own_rows(), [], [*client.iter_voices()]))
    assert Avatar.objects.get(pk=made.avatar_id).is_available


class Answers:
    """A HeyGen that answers every question about a single look or voice with one error."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def get_look(self, look_id: str) -> None:
        self.asked += 1
        raise self.error

    get_voice = get_look


def answers_of_sync(monkeypatch, error: Exception) -> Answers:
    """Of a sync in which HeyGen lists nothing."""
    answers = Answers(error)
    monkeypatch.setattr(presence, "AvatarMaker", lambda client: answers)
    Creation.objects.update(ready_at=timezone.now() - timedelta(hours=2))
    save_presence(read_presence(get_client(), own_rows(), [], []))
    return answers


def available() -> int:
    return Avatar.objects.filter(is_own=True, is_available=True).count()


@pytest.mark.parametrize("error", [NotFound("avatar_not_found"), Refused("avatar_expired")], ids=str)
def test_an_own_face_that_heygen_has_no_more_is_gone(sandbox, owner, monkeypatch, error):
    run(order(owner))
    assert (answers_of_sync(monkeypatch, error).asked, available()) == (1, 0)


@pytest.mark.parametrize(
    "error",
    [Refused("invalid_parameter"), OperatorProblem("forbidden"), Busy("rate_limit_exceeded"), Unknown("unreadable")],
    ids=str,
)
def test_an_own_face_of_which_heygen_says_nothing_definite_stays_and_stops_no_sync(sandbox, owner, monkeypatch, error):
    run(order(owner))
    assert (answers_of_sync(monkeypatch, error).asked, available()) == (1, 1)


def test_a_sync_asks_about_a_bounded_number_of_own_faces_and_the_next_about_others(sandbox, owner, monkeypatch):
    monkeypatch.setattr(presence, "MAX_ASKED", 1)
    for person in (owner, make_caller(balance=200)):
        run(order(person))
    left = []
    for _ in range(2):
        answers_of_sync(monkeypatch, NotFound("avatar_not_found"))
        left.append(available())
    assert left == [1, 0]


def test_heygen_is_asked_no_more_after_some_answers_that_say_nothing(sandbox, owner, monkeypatch):
    monkeypatch.setattr(presence, "MAX_UNANSWERED", 1)
    for person in (owner, make_caller(balance=200)):
        run(order(person))
    assert (answers_of_sync(monkeypatch, Unknown("internal_error")).asked, available()) == (1, 2)


def test_what_is_deleted_while_the_sync_reads_is_not_available_again(sandbox, owner):
    made = run(order(owner))
    Creation.objects.update(ready_at=timezone.now() - timedelta(hours=2))
    Avatar.objects.filter(pk=made.avatar_id).update(preview_image_url="https://old.example/a.jpg")
    client = get_client()
    found = read_presence(client, own_rows(), [*client.iter_looks()], [*client.iter_voices()])
    assert [row.pk for row in found.changed[Avatar]] == [made.avatar_id]
    delete(owner, made)
    save_presence(found)
    assert not Avatar.objects.get(pk=made.avatar_id).is_available


def test_what_was_missing_at_heygen_returns_with_fresh_links(sandbox, owner):
    made = run(order(owner))
    Creation.objects.update(ready_at=timezone.now() - timedelta(hours=2))
    shown = made.avatar.preview_image_url
    Avatar.objects.filter(pk=made.avatar_id).update(is_available=False, preview_image_url="https://old.example/a.jpg")
    sync_catalogue(get_client())
    back = Avatar.objects.get(pk=made.avatar_id)
    assert (back.is_available, back.preview_image_url) == (True, shown)


def test_what_was_made_with_a_face_of_a_renderer_that_was_taken_away_ends_with_the_face(sandbox, owner, settings):
    settings.TEST_RENDERER_URL, settings.TEST_RENDERER_KEY = sandbox.url, settings.HEYGEN_API_KEY
    made = run(order(owner, caller=replace(owner.caller, is_test=True)))
    video = make_video(owner)
    Video.objects.filter(pk=video.pk).update(avatar=made.avatar_id, is_test=True)
    settings.TEST_RENDERER_URL = ""
    delete(owner, made)
    assert step(made).removed_at is not None
    video.refresh_from_db()
    assert (video.status, video.error_code) == (Status.FAILED, "avatar_withdrawn")


# ── Orphans


def test_a_copy_made_twice_is_removed_and_the_one_in_use_stays(sandbox, owner):
    made = run(order(owner))
    maker = maker_for(made)
    maker.create_avatar(
        "photo", name=made.name_at_provider, asset_id=made.upload.provider_asset_id, idempotency_key="another"
    )
    assert len(copies_of(made)) == 2
    assert orphans.remove_orphans() == 1
    assert [copy.object_id for copy in copies_of(made)] == [made.avatar.provider_id]


def test_the_copy_of_an_unanswered_order_is_no_orphan(sandbox, owner):
    creation = order(owner)
    sandbox.fault(**create_call(CreationKind.PHOTO_AVATAR), kind="lost")
    step(creation)
    assert orphans.remove_orphans() == 0
    assert len(copies_of(creation)) == 1


def test_the_copy_of_a_deleted_one_is_left_to_its_removal(sandbox, owner):
    made = run(order(owner))
    delete(owner, made)
    assert orphans.remove_orphans() == 0
    assert len(copies_of(made)) == 1


def test_a_copy_that_turns_up_after_the_removal_is_an_orphan(sandbox, owner):
    made = run(order(owner))
    asset_id = made.upload.provider_asset_id
    delete(owner, made)
    step(made)
    settle(made)
    maker_for(made).create_avatar("photo", name=made.name_at_provider, asset_id=asset_id, idempotency_key="late")
    assert orphans.remove_orphans() == 1
    assert copies_of(made) == []


def test_copies_of_another_installation_are_left_alone_and_staff_hear_of_them(sandbox, owner):
    made = run(order(owner))
    stranger = "genvid 00000000-0000-4000-8000-000000000000 1"
    maker_for(made).create_avatar(
        "photo", name=stranger, asset_id=made.upload.provider_asset_id, idempotency_key="theirs"
    )
    assert orphans.remove_orphans() == 0
    assert OperatorAlarm.objects.filter(code="avatar_unknown_copies").exists()


# ── Uploads, erasure, export


def test_an_upload_is_in_use_until_its_avatar_is_made(sandbox, owner):
    creation = order(owner)
    assert references.used_of([creation.upload_id]) == {creation.upload_id}
    run(creation)
    assert references.used_of([creation.upload_id]) == set()


def erase(owner) -> list[str]:
    answers = account_erasing.send(None, account_id=owner.account.pk)
    return [left for _, left in answers if left]


def test_an_erasure_waits_until_nothing_is_left_at_heygen(sandbox, owner):
    made = run(order(owner))
    assert "1 own avatars and voices are not deleted everywhere" in erase(owner)
    step(made)
    assert "1 own avatars and voices are not deleted everywhere" in erase(owner)
    settle(made)
    assert not [left for left in erase(owner) if "own avatars" in left]
    erased = fresh(made)
    assert (erased.subject_name, erased.consent_address, erased.avatar.name) == ("", None, "Erased")
    assert copies_of(made) == []


def test_an_erasure_clears_the_address_of_a_consent_that_has_no_texts(owner):
    made = order(owner, stored=False, consent=Consent(is_me=True, subject_name=""))
    delete(owner, made)
    bare = {
        "consent_address": "198.51.100.7",
        "consent_user_agent": "",
        "error_message": "",
        "removed_at": made.created_at,
    }
    Creation.objects.filter(pk=made.pk).update(**bare)
    erase(owner)
    assert fresh(made).consent_address is None


def test_an_erased_account_without_orders_is_done_at_once(owner):
    assert not [left for left in erase(owner) if "own avatars" in left]


def test_the_export_has_the_consent_and_its_text(owner):
    order(owner, CreationKind.VOICE_CLONE, stored=False)
    files = {}
    for _, parts in export_requested.send(None, account_ids=[owner.account.pk]):
        files |= {name: list(rows) for name, rows in parts.items() if name in ("own_voices", "consents")}
    (consent,), (voice,) = files["consents"], files["own_voices"]
    assert (consent["subject_name"], consent["voice_id"]) == ("Ada", voice["id"])
    assert consent["consent_text"].startswith("I confirm")


@pytest.mark.parametrize("kind", KINDS)
def test_the_proof_of_a_consent_outlives_its_withdrawal_by_deletion(owner, kind):
    creation = order(owner, kind, stored=False)
    path = "voices" if kind == CreationKind.VOICE_CLONE else "avatars"
    assert owner.client.delete(f"/api/v1/{path}/{creation.entry_id}").status_code == 204
    answers = export_requested.send(None, account_ids=[owner.account.pk])
    (consent,) = next(list(parts["consents"]) for _, parts in answers if "consents" in parts)
    kept = Creation.objects.get()
    assert (consent["created_by_id"], consent["subject_name"], consent["is_me"]) == (owner.user.pk, "Ada", True)
    assert (consent["consent_at"], consent["consent_version"]) == (kept.consent_at, consent_texts.CURRENT)
    assert "consent_address" in consent
    assert consent["consent_text"].startswith("I confirm")
    assert consent["deleted_at"] is not None
    facts = {"kind": kind, "entry": str(creation.entry_id), "version": consent_texts.CURRENT}
    acts = AuditEntry.objects.filter(account=owner.account, act__startswith="consent.").order_by("created_at")
    assert [(entry.act, entry.user, entry.detail | facts == entry.detail) for entry in acts] == [
        ("consent.given", owner.user, True),
        ("consent.withdrawn", owner.user, True),
    ]


# ── A voice that HeyGen makes with a twin


def test_the_voice_of_a_twin_is_not_listed_and_goes_with_it(sandbox, owner):
    made = run(order(owner, CreationKind.DIGITAL_TWIN))
    maker = maker_for(made)
    recording = make_upload(owner, CreationKind.VOICE_CLONE)
    asset_id = asset_id_of(recording, maker.client)
    voice_id = maker.clone_voice(name="Ada's voice", asset_id=asset_id, language="English", idempotency_key="twin")
    Creation.objects.filter(pk=made.pk).update(provider_voice_id=voice_id)
    delete(owner, made)
    step(made)
    assert voice_id not in {each.voice.id for each in maker.iter_private_voices()}


def test_a_public_voice_stays_when_an_avatar_with_it_is_deleted(sandbox, owner):
    made = run(order(owner))
    assert made.provider_voice_id in {each.id for each in get_client().iter_voices() if not each.is_private}
    delete(owner, made)
    step(made)
    assert copies_of(made) == []
    assert settle(made).removed_at is not None


def test_the_sync_lists_no_private_voice_that_an_own_look_speaks_with():
    own_look = look("own", name="genvid 00000000-0000-4000-8000-000000000000 1", default_voice_id="twin_voice")
    voices = [voice("twin_voice", is_private=True), voice("voice_1")]
    sync_catalogue(HeyGenDouble([own_look, look("look_1")], voices))
    assert [row.provider_id for row in Voice.objects.all()] == ["voice_1"]
    assert [row.provider_id for row in Avatar.objects.all()] == ["look_1"]


def test_a_copy_whose_look_has_another_name_is_found_by_its_group(sandbox, owner):
    creation = order(owner)
    sandbox.fault(**create_call(CreationKind.PHOTO_AVATAR), kind="lost")
    unknown = step(creation)
    (copy,) = copies_of(unknown)
    maker = RenamedLooks(maker_for(unknown).client)
    assert copies.find(unknown, maker) == copy


class RenamedLooks(AvatarMaker):
    """A HeyGen that names looks itself."""

    def iter_private_looks(self):
        for made in super().iter_private_looks():
            yield replace(made, look=replace(made.look, name="Look 1"))


def test_the_sync_lists_no_look_of_an_own_group_whatever_its_name(owner):
    creation = order(owner, stored=False)
    Creation.objects.filter(pk=creation.pk).update(provider_object_id="own", provider_group_id="own_group")
    listed = [look("own", name="Look 1"), look("other", name="Look 2", group_id="own_group"), look("look_1")]
    sync_catalogue(HeyGenDouble(listed, [voice()]))
    assert [row.provider_id for row in Avatar.objects.filter(is_own=False)] == ["look_1"]
