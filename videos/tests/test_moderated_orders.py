"""Texts that the operator's rules forbid are refused wherever a customer sends them, before anything is spent."""

import pytest

from accounts.models import ModerationRule
from avatars.models import Avatar, Creation
from genvid.tests.asserts import refusal_of, wrong_fields_of
from genvid.tests.factories import SCRIPT, make_avatar, make_speech, make_upload, make_video, make_voice
from videos.enums import Status
from videos.models import Batch, Speech, Video

VIDEOS, QUOTE, BATCHES, SPEECH = (f"/api/v1/{path}" for path in ("videos", "videos/quote", "batches", "speech"))
BAD = "Buy zarquon now."


def make_rule() -> ModerationRule:
    return ModerationRule.objects.create(text="zarquon", reason="We make no films of zarquon.")


@pytest.fixture
def rule(db):
    return make_rule()


def refused(answer, *fields: str) -> None:
    assert refusal_of(answer) == (400, "content_refused")
    assert answer.json()["error"]["details"] == dict.fromkeys(fields, "We make no films of zarquon.")


@pytest.fixture
def body():
    return {"script": SCRIPT, "avatar_id": str(make_avatar().pk)}


@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
@pytest.mark.parametrize("field", ["script", "title"])
def test_a_video_with_a_forbidden_text_is_refused_by_its_field(rule, owner, body, path, field):
    refused(owner.client.post(path, body | {field: BAD}), field)
    assert not Video.objects.exists()
    assert owner.wallet.held == 0


def test_a_draft_takes_no_forbidden_text(rule, owner):
    draft = make_video(owner, Status.DRAFT)
    refused(owner.client.patch(f"{VIDEOS}/{draft.pk}", {"script": BAD}), "script")
    assert (Video.objects.get().script, Video.objects.get().updated_at) == (draft.script, draft.updated_at)


@pytest.mark.parametrize(("status", "action"), [(Status.DRAFT, "generate"), (Status.FAILED, "retry")])
def test_a_rule_holds_for_texts_that_were_taken_before_it(owner, status, action):
    video = make_video(owner, status, script=BAD)
    make_rule()
    refused(owner.client.post(f"{VIDEOS}/{video.pk}/{action}"), "script")
    assert Video.objects.get().status == status
    assert owner.wallet.held == 0


@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_a_rule_holds_for_a_speech_that_was_heard_before_it(owner, body, path):
    speech = make_speech(owner, script=BAD)
    make_rule()
    refused(owner.client.post(path, {"avatar_id": body["avatar_id"], "speech_id": str(speech.pk)}), "speech_id")
    assert not Video.objects.exists()
    assert owner.wallet.held == 0


@pytest.mark.parametrize(("status", "action"), [(Status.DRAFT, "generate"), (Status.FAILED, "retry")])
def test_a_rule_holds_for_the_speech_of_a_video_that_was_made_before_it(owner, status, action):
    video = make_video(owner, status, script=None, speech_id=make_speech(owner, script=BAD).pk)
    make_rule()
    refused(owner.client.post(f"{VIDEOS}/{video.pk}/{action}"), "speech_id")
    assert Video.objects.get().status == status
    assert owner.wallet.held == 0


def test_a_draft_takes_no_speech_with_a_forbidden_text(owner):
    draft, speech = make_video(owner, Status.DRAFT), make_speech(owner, script=BAD)
    make_rule()
    refused(owner.client.patch(f"{VIDEOS}/{draft.pk}", {"speech_id": str(speech.pk)}), "speech_id")
    assert (Video.objects.get().script, Video.objects.get().speech) == (draft.script, None)


def test_a_speech_of_another_account_is_not_looked_at(owner, outsider, body):
    speech = make_speech(outsider, script=BAD)
    make_rule()
    answer = owner.client.post(VIDEOS, {"avatar_id": body["avatar_id"], "speech_id": str(speech.pk)})
    assert wrong_fields_of(answer) == ["speech_id"]


def test_a_batch_is_refused_by_the_rows_whose_whole_text_is_forbidden(rule, owner, body):
    rows = [{"name": "world"}, {"name": "quon"}, {"name": "zarquon"}]
    refused(owner.client.post(BATCHES, body | {"script": "Hello zar{{name}}", "rows": rows}), "rows.1.script")
    assert not Batch.objects.exists()
    refused(owner.client.post(BATCHES, body | {"script": "Hello {{name}}", "rows": rows}), "rows.2.script")
    assert not Video.objects.exists()
    assert owner.wallet.held == 0


def test_no_forbidden_text_is_spoken(rule, owner):
    refused(owner.client.post(SPEECH, {"script": BAD, "voice_id": str(make_voice().pk)}), "script")
    assert not Speech.objects.exists()


@pytest.mark.parametrize("path", ["avatars", "voices"])
def test_an_own_avatar_or_voice_gets_no_forbidden_name(rule, owner, path):
    kind, file = ("photo_avatar", "image") if path == "avatars" else ("clone", "audio")
    consent = {"is_me": True, "subject_name": "Ada", "confirmed": True}
    order = {"kind": kind, "name": "Zarquon", "upload_id": str(make_upload(owner, file).pk), "consent": consent}
    order |= {"language": "English"} if path == "voices" else {}
    refused(owner.client.post(f"/api/v1/{path}", order), "name")
    assert not Creation.objects.exists()
    assert not Avatar.objects.exists()
