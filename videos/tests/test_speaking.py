"""A worker has texts spoken by the sandbox, over HTTP, whatever answers or none come back."""

import wave
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.enums import KeyMode
from avatars.catalogue_sync import sync_catalogue
from avatars.models import Upload, Voice
from billing.models import Hold, Tier
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.leasing import from_now
from genvid.tests import media_files
from genvid.tests.asserts import data_of
from genvid.tests.factories import make_key, make_speech
from videos.enums import SpeechStatus
from videos.listening import audio, speaking, speech_outcomes
from videos.models import OperatorAlarm, ProviderState, Speech
from videos.pipeline import sweeper
from videos.provider import heygen_clients, provider_gate
from videos.tests.pipeline import Money, money_of, use_storage
from videos.tests.speech_steps import (
    SPEAK,
    SPEECH,
    ask,
    audio_name,
    calls_to,
    frames_of,
    fresh_speech,
    made_by,
    stored_audio,
    work_on,
)

pytestmark = pytest.mark.django_db
LONG = "Seven words take about three seconds here. " * 10


@pytest.fixture
def voice(sandbox):
    sync_catalogue(get_client())
    return Voice.objects.filter(is_available=True, supports_pause=True, language__startswith="English").first()


@pytest.fixture
def recordings(sandbox):
    """The recordings that the sandbox makes from now on."""
    before = {*made_by(sandbox)}
    return lambda: [path for path in made_by(sandbox) if path not in before]


@pytest.fixture
def speech(owner, voice):
    return Speech.objects.get(pk=data_of(ask(owner, voice), 202)["id"])


@pytest.fixture
def paid_speech(owner, voice):
    """One that is paid for from its first second."""
    Tier.objects.update(free_speech_seconds=0)
    return Speech.objects.get(pk=data_of(ask(owner, voice, LONG), 202)["id"])


def test_a_text_is_spoken_and_its_audio_is_ours(owner, speech, recordings):
    done = work_on(speech)
    assert (done.status, done.error_code, done.due_at) == ("ready", "", done.expires_at)
    assert [word["word"] for word in done.words] == ["Hello", "world."]
    assert all(0 <= word["start"] < word["end"] <= done.duration_seconds for word in done.words)
    (made,) = recordings()
    with default_storage.open(done.audio.file.name) as ours:
        assert frames_of(ours.read()) == frames_of(made.read_bytes())


def test_the_audio_is_an_upload_of_our_own_making(owner, speech):
    upload = work_on(speech).audio
    assert (upload.origin, upload.kind, upload.content_type) == ("speech", "audio", "audio/wav")
    assert (upload.account_id, upload.is_test, upload.status) == (owner.account.pk, False, "ready")
    assert upload.bytes == default_storage.size(upload.file.name)
    assert upload.duration_seconds == fresh_speech(speech).duration_seconds


def test_what_fits_into_the_free_seconds_costs_nothing_and_is_charged_for(owner, speech):
    done = work_on(speech)
    assert done.free_seconds == done.duration_seconds
    hold = Hold.objects.get(reference=f"speech:{done.pk}")
    # HeyGen's four cents a minute are our cost all the same.
    assert hold.provider_microdollars == pytest.approx(float(done.duration_seconds) * 40_000 / 60, abs=1)
    assert (hold.status, hold.captured, money_of(owner)) == ("captured", 0, Money(balance=30))


def test_begun_minutes_beyond_the_free_seconds_are_charged_by_the_real_length(owner, paid_speech):
    assert paid_speech.credits_held == 1
    done = work_on(paid_speech)
    assert (done.credits_held, done.credits_charged) == (0, 1)
    assert money_of(owner) == Money(balance=29, charges=1)


def test_free_seconds_that_were_given_back_meanwhile_are_used(owner, voice):
    Tier.objects.update(free_speech_seconds=40)
    first = Speech.objects.get(pk=data_of(ask(owner, voice, LONG), 202)["id"])
    second = Speech.objects.get(pk=data_of(ask(owner, voice, "Hello."), 202)["id"])
    assert second.credits_held == 1
    speech_outcomes.fail_speech(first, code="script_refused", message="No.", why="test")
    done = work_on(second)
    assert (done.credits_charged, done.free_seconds) == (0, done.duration_seconds)


def test_a_longer_reading_than_foreseen_costs_no_more_than_was_held(owner):
    """Five minutes, of which one is free; a reading of seconds was foreseen, and nothing held."""
    done = make_speech(owner, seconds="300")
    assert (done.free_seconds, done.credits_charged, money_of(owner)) == (60, 0, Money(balance=30))


def test_a_pause_is_spoken_as_one(owner, voice):
    script = 'R & D: 3 < 5. <break time="2s"/> Yes.'
    speech = Speech.objects.get(pk=data_of(ask(owner, voice, script), 202)["id"])
    done = work_on(speech)
    assert done.status == "ready"
    gaps = [after["start"] - before["end"] for before, after in zip(done.words, done.words[1:], strict=False)]
    assert max(gaps) > 1.9


def test_a_speed_is_spoken(owner, voice):
    slow, fast = (
        work_on(Speech.objects.get(pk=data_of(ask(owner, voice, LONG, speed=speed), 202)["id"])) for speed in (0.5, 1.5)
    )
    assert slow.duration_seconds > 2 * fast.duration_seconds


# ── A text that is refused


def test_a_refused_text_fails_with_our_words_and_costs_nothing(owner, paid_speech, sandbox):
    sandbox.fault(**SPEAK, status=400, code="content_policy_violation")
    done = work_on(paid_speech)
    assert (done.status, done.error_code, done.error_retryable) == ("failed", "content_refused", False)
    assert money_of(owner) == Money(balance=30)
    data = data_of(owner.client.get(f"{SPEECH}/{done.pk}"))
    assert (data["error"]["code"], data["audio_url"], data["prices"]) == ("content_refused", None, None)


@pytest.mark.parametrize(
    ("code", "ours"),
    [("voice_not_found", "voice_unavailable"), ("voice_not_usable", "voice_unavailable"),
     ("tts_text_invalid", "script_refused"), ("script_too_long", "script_too_long")],
)  # fmt: skip
def test_each_refusal_has_a_code_of_ours(speech, sandbox, code, ours):
    sandbox.fault(**SPEAK, status=404 if "not_found" in code else 400, code=code)
    assert work_on(speech).error_code == ours


def test_a_voice_that_was_withdrawn_meanwhile_is_not_asked_to_speak(owner, paid_speech, voice, sandbox):
    before = calls_to(sandbox)
    Voice.objects.filter(pk=voice.pk).update(is_released=False)
    done = work_on(paid_speech)
    assert (done.status, done.error_code, done.error_retryable) == ("failed", "voice_unavailable", False)
    assert (money_of(owner), calls_to(sandbox)) == (Money(balance=30), before)


def test_a_refused_speech_gives_its_free_seconds_back(owner, speech, sandbox):
    sandbox.fault(**SPEAK, status=400, code="content_policy_violation")
    assert work_on(speech).free_seconds == 0


# ── No answer, or one that decides nothing


@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop"}, {"kind": "status", "status": 500}, {"kind": "html", "status": 502}, {"kind": "garbage"},
     {"kind": "status", "status": 429, "code": "rate_limit_exceeded", "retry_after": 1},
     {"kind": "status", "status": 402, "code": "insufficient_credit"},
     {"kind": "status", "status": 409, "code": "request_in_progress"}],
)  # fmt: skip
def test_what_decides_nothing_is_tried_again_with_the_same_key(owner, speech, sandbox, recordings, fault):
    sandbox.fault(**SPEAK | fault)
    waiting = work_on(speech)
    assert (waiting.status, waiting.tries, waiting.idempotency_key) == ("creating", 1, speech.idempotency_key)
    assert money_of(owner).holds == 1
    assert work_on(speech).status == "ready"
    assert len(recordings()) == 1


def test_a_lost_answer_is_asked_for_again_and_nothing_is_made_twice(owner, paid_speech, sandbox, recordings):
    sandbox.fault(**SPEAK, kind="lost")
    assert work_on(paid_speech).status == "creating"
    assert (len(recordings()), money_of(owner).charges) == (1, 0)
    done = work_on(paid_speech)
    assert (done.status, calls_to(sandbox), len(recordings())) == ("ready", 2, 1)
    assert money_of(owner) == Money(balance=30 - done.credits_charged, charges=1)


def test_a_slow_answer_that_times_out_is_asked_for_again(speech, sandbox, recordings, settings):
    settings.HEYGEN_WRITE_TIMEOUT = 0.5
    sandbox.fault(**SPEAK, kind="delay", seconds=60)
    assert work_on(speech).status == "creating"
    sandbox.clear_faults()
    settings.HEYGEN_WRITE_TIMEOUT = 60
    while work_on(speech).status == "creating":
        pass
    assert len(recordings()) == 1


def test_a_wait_that_the_provider_asks_for_is_kept(speech, sandbox):
    sandbox.fault(**SPEAK, status=429, code="rate_limit_exceeded", retry_after=290)
    assert work_on(speech).due_at > timezone.now() + timedelta(seconds=120)


def test_a_refusal_of_our_account_alarms_staff_and_shuts_no_gate(speech, sandbox):
    sandbox.fault(**SPEAK, status=402, code="plan_upgrade_required")
    work_on(speech)
    assert OperatorAlarm.objects.get().key == "speech_refused:plan_upgrade_required"
    assert provider_gate.is_open()


def test_nothing_is_called_while_the_gate_is_shut(speech, sandbox):
    provider_gate.pause("test")
    waiting = work_on(speech)
    assert (waiting.status, calls_to(sandbox)) == ("creating", 0)
    ProviderState.objects.all().delete()
    assert work_on(speech).status == "ready"


# ── A link that is dead


def test_a_dead_link_is_asked_for_again_and_then_made_anew_by_another_key(owner, speech, sandbox, recordings):
    sandbox.configure(link_lifetime=-1)
    assert [work_on(speech).idempotency_key for _ in range(3)] == [
        f"speech.{speech.pk}.1", f"speech.{speech.pk}.1", f"speech.{speech.pk}.2"
    ]  # fmt: skip
    assert len(recordings()) == 1
    sandbox.configure(link_lifetime=600)
    assert (work_on(speech).status, len(recordings())) == ("ready", 2)


def test_audio_whose_links_stay_dead_fails_after_three_orders(owner, paid_speech, sandbox, recordings):
    sandbox.configure(link_lifetime=-1)
    steps = 0
    while work_on(paid_speech).status == "creating":
        steps += 1
    done = fresh_speech(paid_speech)
    assert (done.error_code, done.error_retryable, steps, len(recordings())) == ("provider_unavailable", True, 8, 3)
    assert money_of(owner) == Money(balance=30)
    assert_cost_is_that_of(paid_speech, recordings())


def assert_cost_is_that_of(speech, recordings) -> None:
    """HeyGen bills us four cents a minute of each recording that it has made."""
    seconds = sum(seconds_of(path) for path in recordings)
    hold = Hold.objects.get(reference=f"speech:{speech.pk}")
    assert hold.provider_microdollars == pytest.approx(seconds * 40_000 / 60, abs=2)
    assert (hold.status, hold.captured) == ("captured", fresh_speech(speech).credits_charged)


def seconds_of(path) -> float:
    with wave.open(str(path)) as sound:
        return sound.getnframes() / sound.getframerate()


def test_every_order_that_was_spoken_is_our_cost(owner, paid_speech, sandbox, recordings):
    sandbox.configure(link_lifetime=-1)
    for _ in range(6):
        work_on(paid_speech)
    sandbox.configure(link_lifetime=600)
    done = work_on(paid_speech)
    assert (done.status, len(recordings()), money_of(owner)) == ("ready", 3, Money(balance=29, charges=1))
    assert_cost_is_that_of(paid_speech, recordings())


def test_what_was_spoken_in_vain_is_our_cost_when_the_deadline_ends_it(owner, paid_speech, sandbox, recordings):
    sandbox.configure(link_lifetime=-1)
    work_on(paid_speech)
    Speech.objects.filter(pk=paid_speech.pk).update(deadline_at=from_now(-1), due_at=from_now(-1))
    sweeper.sweep_all()
    assert (fresh_speech(paid_speech).status, len(recordings())) == ("failed", 1)
    assert money_of(owner) == Money(balance=30)
    assert_cost_is_that_of(paid_speech, recordings())


# ── The audio


def test_a_full_storage_is_tried_again_and_the_audio_is_made_once(owner, speech, recordings, settings):
    plain = settings.STORAGES
    use_storage(settings, "FullBucket")
    assert work_on(speech).status == "creating"
    settings.STORAGES = plain
    assert (work_on(speech).status, len(recordings())) == ("ready", 1)


def test_what_is_no_audio_is_not_stored(speech, monkeypatch):
    client = get_client()
    monkeypatch.setattr(heygen_clients, "get_client", lambda: client)
    monkeypatch.setattr(HeyGenClient, "download_media", lambda self, url, sink, **_: sink.write(b"<html>Sorry</html>"))
    waiting = work_on(speech)
    assert (waiting.status, stored_audio(speech), Upload.objects.count()) == ("creating", [], 0)
    while work_on(speech).status == "creating":
        pass
    assert (fresh_speech(speech).error_code, fresh_speech(speech).error_retryable) == ("provider_problem", True)


def test_the_length_is_that_of_the_files_own_frames(speech, monkeypatch):
    content = media_files.mp3(frames=100)
    monkeypatch.setattr(HeyGenClient, "download_media", lambda self, url, sink, **_: sink.write(content))
    done = work_on(speech)
    assert (done.status, done.audio.content_type, done.duration_seconds) == (
        "ready", "audio/mpeg", done.audio.duration_seconds
    )  # fmt: skip
    assert done.duration_seconds == pytest.approx(Decimal("2.6"), abs=Decimal("0.1"))


# ── Two workers, and none


def test_a_worker_that_lost_its_lease_changes_nothing(owner, speech):
    late = Speech.objects.select_related("voice").get(pk=speech.pk)
    assert late.claim(60)
    done = work_on(speech)
    assert done.status == "ready"
    assert not late.extend(60)
    assert not speech_outcomes.fail_speech(late, code="script_refused", message="No.", why="late")
    assert (fresh_speech(speech).status, stored_audio(speech)) == ("ready", [audio_name(speech)])


def test_a_late_worker_that_stores_after_the_end_leaves_no_file(owner, speech, voice):
    late = Speech.objects.get(pk=speech.pk)
    assert late.claim(60)
    Speech.objects.filter(pk=speech.pk).update(due_at=timezone.now())
    speech_outcomes.fail_speech(Speech.objects.get(pk=speech.pk), code="script_refused", message="No.", why="test")
    client = get_client()
    spoken = client.speak(speaking.spec_of(late), idempotency_key=late.idempotency_key)
    upload = audio.keep_audio(late, client.download_media, spoken)
    assert not speech_outcomes.complete_speech(late, upload, spoken)
    assert stored_audio(speech) == []


def test_a_speech_is_not_claimed_twice(speech, sandbox):
    assert Speech.objects.get(pk=speech.pk).claim(60)
    speaking.speak(str(speech.pk))
    assert calls_to(sandbox) == 0


def test_a_lost_message_is_found_by_the_sweep(speech, woken):
    sweeper.sweep_all()
    assert ("videos.speak", str(speech.pk)) in woken


def test_a_speech_that_nobody_takes_ends_at_its_deadline(owner, paid_speech, sandbox):
    Speech.objects.filter(pk=paid_speech.pk).update(deadline_at=from_now(-1))
    speaking.speak(str(paid_speech.pk))
    assert calls_to(sandbox) == 0
    sweeper.sweep_all()
    done = fresh_speech(paid_speech)
    assert (done.status, done.error_code, done.waiting_reason) == (
        "failed", "provider_unavailable", "No worker took it."
    )  # fmt: skip
    assert money_of(owner) == Money(balance=30)


def test_a_speech_in_a_call_is_not_ended_before_its_lease(owner, speech):
    assert Speech.objects.get(pk=speech.pk).claim(60)
    Speech.objects.filter(pk=speech.pk).update(deadline_at=from_now(-1))
    speaking.give_up_overdue()
    assert fresh_speech(speech).status == "creating"


def test_staff_are_alarmed_when_many_fail_through_no_fault_of_the_clients(owner, settings):
    settings.SPEECHES_PER_ACCOUNT = 10
    for number in range(speech_outcomes.MANY):
        assert not OperatorAlarm.objects.exists()
        speech = make_speech(owner, SpeechStatus.CREATING, script=f"Number {number}.")
        Speech.objects.filter(pk=speech.pk).update(deadline_at=from_now(-1))
        speaking.give_up_overdue()
    assert OperatorAlarm.objects.get().code == "speeches_fail"


# ── Test keys


def test_a_test_key_hears_by_the_test_renderer_free_of_charge(owner, sandbox, settings):
    settings.HEYGEN_API_KEY = "refused-everywhere"
    settings.TEST_RENDERER_URL, settings.TEST_RENDERER_KEY = sandbox.url, sandbox.test_key
    wallet = sandbox.records()["wallet"]
    # A voice of HeyGen's that the test renderer does not know.
    speech = make_speech(owner, SpeechStatus.CREATING, is_test=True)
    done = work_on(speech)
    assert (done.status, done.is_test, done.audio.is_test, done.credits_charged) == ("ready", True, True, 0)
    assert (Hold.objects.count(), sandbox.records()["wallet"]) == (0, wallet)
    assert done.api_key_id is None
    program = make_key(owner, mode=KeyMode.TEST)
    assert data_of(program.client.get(f"{SPEECH}/{done.pk}"))["status"] == "ready"
