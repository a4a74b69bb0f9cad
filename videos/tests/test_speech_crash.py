"""A worker that dies before any statement of a speech: the next one ends it once, by one order and one charge."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from avatars.models import Upload
from billing.models import Hold, Tier
from genvid.heygen.heygen_errors import Refused, Unknown
from genvid.heygen.speech_wire import Spoken, SpokenWord
from genvid.tests.factories import make_caller, make_speech, tiny_wav
from videos.enums import SpeechStatus
from videos.listening import speaking
from videos.models import Speech
from videos.provider import heygen_clients
from videos.tests.fake_heygen import Crash
from videos.tests.pipeline import Money, money_of
from videos.tests.speech_steps import audio_name, fresh_speech, stored_audio
from videos.tests.test_crash_at_statements import MOST_STATEMENTS, dying_at

pytestmark = pytest.mark.django_db(transaction=True)


class FakeSpeaker:
    """Speaks each key once. `refuses`: it does not, and says so; `loses`: its first answer to each key is lost."""

    def __init__(self, *, refuses: bool = False, loses: bool = False) -> None:
        self.refuses, self.loses = refuses, loses
        self.orders: dict[str, int] = {}

    def speak(self, spec: Any, *, idempotency_key: str) -> Spoken:
        self.orders[idempotency_key] = self.orders.get(idempotency_key, 0) + 1
        if self.refuses:
            raise Refused("tts_text_invalid")
        if self.loses and self.orders[idempotency_key] == 1:
            raise Unknown("timeout")
        return Spoken("https://files.heygen.ai/1.wav", 61.0, (SpokenWord("Hello", 0.0, 0.5),))

    def download_media(self, url: str, sink: Any, **_: Any) -> None:
        sink.write(tiny_wav(61))


@pytest.fixture
def person(db):
    Tier.objects.update(free_speech_seconds=0)
    return make_caller(balance=1000)


def work(speech: Speech) -> None:
    Speech.objects.filter(pk=speech.pk, status=SpeechStatus.CREATING).update(due_at=timezone.now())
    speaking.speak(str(speech.pk))


def lives_of(person: Any, speaker: FakeSpeaker, monkeypatch: Any) -> Iterator[Speech]:
    """A speech for each statement at which its worker died, after the next workers, until one has not died."""
    monkeypatch.setattr(heygen_clients, "get_client", lambda: speaker)
    for number in range(MOST_STATEMENTS):
        script = f"Number {number}. " + "Seven words take about three seconds here. " * 25
        speech, died = make_speech(person, SpeechStatus.CREATING, script=script), True
        with suppress(Crash), dying_at(number):
            work(speech)
            died = False
        # One finds the answer that the dead one had, or lost.
        work(speech)
        work(speech)
        yield fresh_speech(speech)
        if not died:
            return
    pytest.fail(f"more than {MOST_STATEMENTS} statements")


@pytest.mark.parametrize("loses", [False, True])
def test_a_speech_whose_worker_dies_at_any_statement_is_ready_and_charged_once(person, monkeypatch, loses):
    speaker = FakeSpeaker(loses=loses)
    for count, speech in enumerate(lives_of(person, speaker, monkeypatch), 1):
        assert (speech.status, speech.credits_held, speech.credits_charged) == ("ready", 0, 2)
        assert audio_name(speech) in stored_audio(speech)
        assert [*speaker.orders][count - 1 :] == [f"speech.{speech.pk}.1"]
        assert money_of(person) == Money(balance=1000 - 2 * count, charges=count)
    assert count > 5
    # What a dead worker had kept expires unused.
    unused = Upload.objects.exclude(pk__in=Speech.objects.values("audio"))
    assert not unused.filter(expires_at=None).exists()


def test_a_refused_speech_whose_worker_dies_at_any_statement_fails_once_and_costs_nothing(person, monkeypatch):
    for speech in lives_of(person, FakeSpeaker(refuses=True), monkeypatch):
        assert (speech.status, speech.error_code, speech.credits_charged) == ("failed", "script_refused", 0)
        assert money_of(person) == Money(balance=1000)
        assert Hold.objects.get(reference=speech.money_reference).status == "released"
    assert Upload.objects.count() == 0
