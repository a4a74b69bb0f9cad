"""Queries for speeches use an index of their table, however many there are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.tests.factories import make_speech
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import plan_of
from videos.enums import SpeechStatus
from videos.gauges import read_gauges
from videos.listening import allowances, speaking, speech_expiry, speech_outcomes, speech_requests
from videos.listening.speech_requests import SpeechRequest
from videos.models import Speech
from videos.upload_references import of_speeches

pytestmark = pytest.mark.django_db
COUNT = 3_000
REQUEST = SpeechRequest(script="Other.", voice_id="0f8fad5b-d9cb-469f-a165-70867728950e")


@pytest.fixture
def speech(owner, outsider):
    """One of an account that has few, among many that another asked for and that have ended."""
    theirs = make_speech(outsider)
    earlier = "now() - n * '20 s'::interval"
    columns = {"created_at": earlier, "due_at": f"{earlier} + '1 day'::interval", "text_sha256": "'x' || n"}
    copy_row(theirs, COUNT, id="gen_random_uuid()", audio_id="NULL", **columns)
    mine = make_speech(owner)
    analyze(Speech)
    return mine


QUERIES = {
    "the same text": (lambda mine, theirs: speech_requests._same_of_today(theirs, REQUEST), {"speech_same"}),
    "free seconds of the day": (
        lambda mine, theirs: allowances.free_seconds_left(mine.account_id, timezone.now()),
        {"speech_page", "speech_same"},
    ),
    "texts being spoken": (lambda mine, theirs: speech_requests._require_turn(theirs), {"speech_page", "speech_same"}),
    "due ones": (lambda mine, theirs: speaking.enqueue_due(), {"speech_due"}),
    "overdue ones": (lambda mine, theirs: speaking.give_up_overdue(), {"speech_due"}),
    "expired ones": (lambda mine, theirs: speech_expiry.clear_expired(), {"speech_due"}),
    "failures of the last hour": (lambda mine, theirs: _alarm(mine), {"speech_due"}),
    "uploads in use": (lambda mine, theirs: of_speeches([mine.audio_id]), {"speech_of_audio"}),
}  # fmt: skip


def _alarm(speech: Speech) -> None:
    speech.error_code = "provider_unavailable"
    speech_outcomes._alarm_of_many(speech)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_for_speeches_uses_its_index(speech, outsider, name):
    call, indexes = QUERIES[name]
    plan = plan_of(lambda: call(speech, outsider.caller), "videos_speech")
    assert plan.whole == []
    assert plan.indexes & indexes


def test_the_gauges_see_only_speeches_that_are_being_made(speech, owner):
    waiting = make_speech(owner, SpeechStatus.CREATING, script="Not yet.")
    gauges = {metric.name: metric.samples[0].value for metric in read_gauges(timezone.now())}
    assert gauges["genvid_speeches_waiting"] == 1
    Speech.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(seconds=90))
    gauges = {metric.name: metric.samples[0].value for metric in read_gauges(timezone.now())}
    assert gauges["genvid_speech_oldest_seconds"] == pytest.approx(90, abs=30)
