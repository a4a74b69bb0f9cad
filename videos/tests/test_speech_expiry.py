"""What a speech leaves after its day: nothing, unless a video is rendered with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from avatars.models import Upload, Voice
from avatars.uploads import references
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_speech, make_video, make_voice, set_balance
from videos.enums import SpeechStatus, Status
from videos.lifecycle import account_erasure, data_export, retention, withdrawn_cast
from videos.listening import speech_expiry
from videos.models import Speech, Video
from videos.tests.pipeline import Money, money_of
from videos.tests.speech_steps import SPEECH, audio_name, fresh_speech, stored_audio

pytestmark = pytest.mark.django_db


def expire(speech: Speech) -> None:
    then = timezone.now() - timedelta(minutes=2)
    Speech.objects.filter(pk=speech.pk).update(due_at=then, expires_at=then)


def video_of(person, speech, **fields) -> Video:
    """A video that is rendered with the audio of the speech."""
    return make_video(person, script=None, speech_id=speech.pk, **fields)


def test_nothing_is_left_of_an_expired_speech(owner):
    speech = make_speech(owner)
    expire(speech)
    retention.apply_retention()
    assert (Speech.objects.count(), stored_audio(speech), Upload.objects.get().bytes) == (0, [], 0)
    assert money_of(owner).charges == 0


def test_a_speech_is_kept_for_its_day(owner):
    speech = make_speech(owner)
    speech_expiry.clear_expired()
    assert stored_audio(speech) == [audio_name(speech)]
    assert fresh_speech(speech).script != ""


def test_a_failed_speech_goes_as_well(owner):
    expire(make_speech(owner, SpeechStatus.FAILED))
    speech_expiry.clear_expired()
    assert Speech.objects.count() == 0


def test_a_speech_that_is_being_made_is_left_to_its_worker(owner):
    expire(make_speech(owner, SpeechStatus.CREATING))
    speech_expiry.clear_expired()
    assert Speech.objects.count() == 1


def test_a_speech_of_a_video_is_kept_with_its_audio(owner):
    speech = make_speech(owner)
    video_of(owner, speech)
    expire(speech)
    speech_expiry.clear_expired()
    kept = fresh_speech(speech)
    assert (kept.script, stored_audio(speech)) == (speech.script, [audio_name(speech)])
    # It is looked at once a day from then on.
    assert kept.due_at > timezone.now() + timedelta(hours=23)


@pytest.fixture
def own_voice(owner):
    voice = make_voice()
    Voice.objects.filter(pk=voice.pk).update(account=owner.account, is_own=True)
    voice.refresh_from_db()
    return voice


def test_nobody_hears_a_voice_that_its_account_has_deleted(owner, own_voice):
    speech, other = make_speech(owner, voice_id=own_voice.pk), make_speech(owner, script="Another voice says this.")
    withdrawn_cast.end_videos_of(own_voice)
    assert (fresh_speech(speech).script, fresh_speech(speech).words) == ("", [])
    assert (stored_audio(speech), fresh_speech(other).script) == ([audio_name(other)], other.script)
    assert owner.client.get(f"{SPEECH}/{speech.pk}").status_code == 404
    # Its free seconds stay taken for the day.
    assert fresh_speech(speech).free_seconds == speech.free_seconds > 0


@pytest.mark.parametrize("status", [Status.DRAFT, Status.QUEUED, Status.STORING, Status.FAILED, Status.COMPLETED])
def test_audio_of_a_deleted_voice_goes_whatever_video_had_it(owner, own_voice, status):
    speech = make_speech(owner, voice_id=own_voice.pk)
    make_video(owner, status, script=None, speech_id=speech.pk)
    withdrawn_cast.end_videos_of(own_voice)
    assert (stored_audio(speech), fresh_speech(speech).audio) == ([], None)


def test_all_that_a_deleted_voice_said_is_silent_at_once_and_its_audio_goes_call_by_call(owner, own_voice, monkeypatch):
    monkeypatch.setattr(speech_expiry, "BATCH_SIZE", 2)
    speeches = [make_speech(owner, voice_id=own_voice.pk, script=f"Text {number}.") for number in range(3)]
    found = []
    for _ in range(2):
        left = withdrawn_cast.end_videos_of(own_voice)
        scripts = {fresh_speech(speech).script for speech in speeches}
        found.append((left, scripts, sum(fresh_speech(speech).audio is not None for speech in speeches)))
    assert found == [(1, {""}, 1), (0, {""}, 0)]


def test_audio_of_a_deleted_voice_is_kept_for_a_video_that_is_being_made_with_it(owner, own_voice):
    speech = make_speech(owner, voice_id=own_voice.pk)
    video = make_video(owner, Status.SUBMITTING, script=None, speech_id=speech.pk)
    withdrawn_cast.end_videos_of(own_voice)
    assert (stored_audio(speech), fresh_speech(speech).script) == ([f"{video.audio_id}.wav"], "")


@pytest.mark.parametrize("column", ["deleted_at", "expired_at"])
def test_a_speech_of_a_video_whose_files_are_gone_loses_its_words_and_audio(owner, column):
    speech = make_speech(owner)
    video_of(owner, speech, **{column: timezone.now()})
    expire(speech)
    speech_expiry.clear_expired()
    kept = fresh_speech(speech)
    assert (kept.script, kept.words, kept.due_at, stored_audio(speech)) == ("", [], None, [])
    assert Upload.objects.get(pk=speech.audio_id).deleted_at is not None


def test_an_audio_that_a_video_uses_without_the_speech_is_kept(owner):
    """As a video that was ordered by its upload would."""
    speech = make_speech(owner)
    video = video_of(owner, speech)
    Video.objects.filter(pk=video.pk).update(speech=None, script=None, voice=None)
    expire(speech)
    speech_expiry.clear_expired()
    assert (Speech.objects.count(), stored_audio(speech)) == (0, [f"{speech.audio_id}.wav"])


def test_the_sweep_takes_as_many_queries_for_speeches_of_one_video_as_of_ten(owner, settings):
    settings.SPEECHES_PER_ACCOUNT = 20
    set_balance(owner, 1000)

    def more(number: int) -> None:
        for index in range(number):
            speech = make_speech(owner, script=f"Number {number} {index}.")
            video_of(owner, speech)
            expire(speech)

    more(1)
    one = queries_of(speech_expiry.clear_expired)
    more(10)
    assert (queries_of(speech_expiry.clear_expired), one) == (3, 3)


# ── Uploads in use


def test_the_audio_of_a_speech_that_is_offered_is_in_use(owner):
    speech = make_speech(owner)
    assert references.used_of([speech.audio_id]) == {speech.audio_id}


def test_the_audio_of_a_cleared_speech_is_in_use_no_more(owner):
    speech = make_speech(owner)
    video_of(owner, speech, deleted_at=timezone.now())
    expire(speech)
    speech_expiry.clear_expired()
    assert references.used_of([speech.audio_id]) == set()


# ── Privacy


def test_the_speeches_of_an_erased_account_are_ended_and_removed(owner):
    ready = make_speech(owner)
    make_speech(owner, SpeechStatus.CREATING, script="Not yet.")
    assert account_erasure.erase_videos_of(owner.account.pk) == ""
    assert (Speech.objects.count(), stored_audio(ready)) == (0, [])
    assert money_of(owner) == Money(balance=30)


def test_the_erasure_waits_for_a_speech_that_a_worker_has_in_hand(owner):
    speech = make_speech(owner, SpeechStatus.CREATING)
    assert Speech.objects.get(pk=speech.pk).claim(60)
    assert account_erasure.erase_videos_of(owner.account.pk) == "1 speeches are being made"
    Speech.objects.filter(pk=speech.pk).update(due_at=timezone.now())
    assert account_erasure.erase_videos_of(owner.account.pk) == ""


def test_an_export_has_the_speeches_of_the_account_alone(owner, outsider):
    speech = make_speech(owner, script="Mine.")
    make_speech(outsider, script="Theirs.")
    (row,) = data_export.parts_of([owner.account.pk])["speeches"]
    assert (row["id"], row["script"], row["words"]) == (speech.pk, "Mine.", speech.words)
    assert row["audio"].endswith(f"/{speech.audio_id}.wav")
