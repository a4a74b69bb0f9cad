"""`POST speech`: what is checked, what is held, and what is not made twice."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.enums import KeyMode
from billing.models import Hold, Tier
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import make_key, make_speech, make_voice, set_balance
from genvid.tests.parallel import in_parallel
from videos.enums import SpeechStatus
from videos.listening import speech_outcomes, speech_requests
from videos.listening.speech_requests import SpeechRequest
from videos.models import ProviderState, Speech
from videos.provider import provider_gate
from videos.streaming import hub
from videos.tests.pipeline import Money, money_of
from videos.tests.speech_steps import SPEECH, ask, fresh_speech

pytestmark = pytest.mark.django_db
LONG = "Seven words take about three seconds here. " * 30
"""About a minute and a half."""


def free_seconds(number: int) -> None:
    Tier.objects.update(free_speech_seconds=number)


def test_a_new_speech_is_being_made(owner, voice):
    data = data_of(ask(owner, voice, language="English", speed=1.2), 202)
    assert {name: data[name] for name in ("status", "script", "voice_id", "language", "speed", "is_test")} == {
        "status": "creating",
        "script": "Hello world.",
        "voice_id": str(voice.pk),
        "language": "English",
        "speed": 1.2,
        "is_test": False,
    }
    assert [data[name] for name in ("duration_seconds", "audio_url", "words", "prices", "error")] == [
        None, None, [], None, None
    ]  # fmt: skip


def test_a_worker_is_told_after_the_commit(owner, voice, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        speech_id = data_of(ask(owner, voice), 202)["id"]
    assert woken == [("videos.speak", speech_id)]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"script": "..."}, ["script"]),
        ({"script": ""}, ["script"]),
        ({"script": "x" * 5001}, ["script"]),
        ({"script": "Hi <b>there</b>"}, ["script"]),
        ({"script": 'Hi <break time="599s"/> there'}, ["script"]),
        ({"script": 'Hi <break time="1s"/> ' + "& " * 2000 + "you"}, ["script"]),
        ({"speed": 2}, ["speed"]),
        ({"speed": "1"}, ["speed"]),
        ({"language": "Klingon"}, ["language"]),
        ({"language": "French"}, ["voice_id"]),
        ({"voice_id": "ada"}, ["voice_id"]),
        ({"voice_id": "00000000-0000-4000-8000-000000000000"}, ["voice_id"]),
        ({"avatar_id": "00000000-0000-4000-8000-000000000000"}, ["avatar_id"]),
    ],
)
def test_a_request_that_cannot_be_spoken_is_refused_by_its_field(owner, fields, wrong):
    voice = make_voice(supports_pause=True)
    with nothing_changes():
        assert wrong_fields_of(ask(owner, voice, **fields)) == wrong


@pytest.mark.parametrize(
    "columns", [{"is_available": False}, {"is_hidden": True}, {"is_released": False}, {"status": "creating"}]
)
def test_a_voice_that_is_not_offered_or_not_ready_is_refused(owner, columns):
    voice = make_voice(**columns)
    assert wrong_fields_of(ask(owner, voice)) == ["voice_id"]


def test_another_accounts_voice_is_refused(owner, outsider):
    assert wrong_fields_of(ask(owner, make_voice(account=outsider.account))) == ["voice_id"]


def test_an_own_voice_of_a_test_key_is_refused_to_people(owner):
    own = {"account": owner.account, "is_own": True}
    assert wrong_fields_of(ask(owner, make_voice(**own, is_test=True))) == ["voice_id"]
    assert ask(owner, make_voice(**own)).status_code == 202


def test_a_pause_needs_a_voice_that_makes_pauses(owner):
    script = 'One. <break time="1s"/> Two.'
    assert wrong_fields_of(ask(owner, make_voice(), script)) == ["script"]
    assert ask(owner, make_voice(supports_pause=True), script).status_code == 202


# ── The same text


def test_the_same_text_within_a_day_is_the_same_speech(owner, voice):
    first = data_of(ask(owner, voice), 202)["id"]
    assert data_of(ask(owner, voice, language=None), 202)["id"] == first
    assert (Speech.objects.count(), Hold.objects.count()) == (1, 1)


def test_a_ready_speech_is_answered_again_at_once_and_free(owner, voice):
    made = make_speech(owner, voice_id=voice.pk, script="Hello world.")
    before = money_of(owner)
    data = data_of(ask(owner, voice), 200)
    assert (data["id"], data["status"], data["duration_seconds"]) == (str(made.pk), "ready", 2.5)
    assert money_of(owner) == before


@pytest.mark.parametrize("other", [{"script": "Hello world!"}, {"speed": 1.1}, {"language": "English"}])
def test_another_text_speed_or_language_is_another_speech(owner, voice, other):
    first = data_of(ask(owner, voice), 202)["id"]
    assert data_of(ask(owner, voice, **other), 202)["id"] != first


def test_another_account_does_not_get_the_same_speech(owner, outsider, voice):
    assert data_of(ask(owner, voice), 202)["id"] != data_of(ask(outsider, voice), 202)["id"]


@pytest.mark.parametrize("status", [SpeechStatus.READY, SpeechStatus.CREATING])
def test_a_speech_that_is_about_to_expire_is_made_anew(owner, voice, status):
    old = make_speech(owner, status, voice_id=voice.pk, script="Hello world.")
    Speech.objects.filter(pk=old.pk).update(expires_at=timezone.now() + timedelta(minutes=4))
    assert data_of(ask(owner, voice), 202)["id"] != str(old.pk)


def test_a_failed_speech_is_made_anew(owner, voice):
    old = make_speech(owner, SpeechStatus.FAILED, voice_id=voice.pk, script="Hello world.")
    assert data_of(ask(owner, voice), 202)["id"] != str(old.pk)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_speech(owner, voice):
    request = SpeechRequest(script="Hello world.", voice_id=voice.pk)
    made = in_parallel([partial(speech_requests.request_speech, owner.caller, request)] * 8)
    assert {speech.pk for speech in made} == {Speech.objects.get().pk}


def test_a_repeated_key_shows_the_speech_as_it_is_by_now(owner, voice):
    key = {"HTTP_IDEMPOTENCY_KEY": "listen-1"}
    body = {"script": "Hello world.", "voice_id": str(voice.pk)}
    first = data_of(owner.client.post(SPEECH, body, **key), 202)
    speech = Speech.objects.get(pk=first["id"])
    speech_outcomes.fail_speech(speech, code="script_refused", message="It cannot be spoken.", why="test")

    again = owner.client.post(SPEECH, body, **key)

    assert again["Idempotent-Replayed"] == "true"
    data = data_of(again, 200)
    assert (data["id"], data["status"], data["error"]) == (
        first["id"],
        "failed",
        {"code": "script_refused", "message": "It cannot be spoken.", "retryable": False},
    )


def test_a_repeated_key_of_a_refusal_is_refused_again(owner, voice):
    key = {"HTTP_IDEMPOTENCY_KEY": "listen-2"}
    body = {"script": "...", "voice_id": str(voice.pk)}
    assert [wrong_fields_of(owner.client.post(SPEECH, body, **key)) for _ in range(2)] == [["script"]] * 2


# ── Money


def test_what_fits_into_the_free_seconds_holds_nothing(owner, voice):
    data = data_of(ask(owner, voice), 202)
    assert data["credits"] == {"held": 0, "charged": 0}
    assert money_of(owner) == Money(balance=30, holds=1)


def test_beyond_the_free_seconds_every_begun_minute_is_held(owner, voice):
    free_seconds(0)
    data = data_of(ask(owner, voice, LONG), 202)
    assert data["credits"]["held"] == 2
    assert money_of(owner) == Money(balance=30, held=2, holds=1)


def test_the_free_seconds_of_a_day_are_taken_once(owner, voice):
    free_seconds(4)
    first = Speech.objects.get(pk=data_of(ask(owner, voice, "Hello world."), 202)["id"])
    second = Speech.objects.get(pk=data_of(ask(owner, voice, "Hello again."), 202)["id"])
    assert first.free_seconds + second.free_seconds == 4
    assert (first.credits_held, second.credits_held) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_share_no_free_second(owner, voice, settings):
    settings.SPEECHES_PER_ACCOUNT = 20
    free_seconds(5)
    asked = [SpeechRequest(script=f"Hello number {number}.", voice_id=voice.pk) for number in range(8)]
    in_parallel([partial(speech_requests.request_speech, owner.caller, request) for request in asked])
    taken = Speech.objects.values_list("free_seconds", flat=True)
    assert (len(taken), sum(taken)) == (8, 5)


def test_yesterdays_seconds_are_not_counted_today(owner, voice):
    free_seconds(4)
    old = make_speech(owner, voice_id=voice.pk, script="Yesterday.", seconds="4.0")
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    Speech.objects.filter(pk=old.pk).update(created_at=midnight - timedelta(seconds=1))
    assert Speech.objects.get(pk=data_of(ask(owner, voice), 202)["id"]).credits_held == 0


def test_failed_and_test_speeches_take_no_free_seconds(owner, voice, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    free_seconds(4)
    make_speech(owner, SpeechStatus.FAILED, script="One.")
    make_speech(owner, is_test=True, script="Two.")
    assert Speech.objects.get(pk=data_of(ask(owner, voice), 202)["id"]).credits_held == 0


def test_an_empty_wallet_is_refused_and_nothing_changes(owner, voice):
    free_seconds(0)
    set_balance(owner, 0)
    with nothing_changes():
        assert refusal_of(ask(owner, voice)) == (402, "insufficient_credits")


def test_a_keys_limit_is_refused_and_nothing_changes(owner, voice):
    free_seconds(0)
    program = make_key(owner, monthly_credit_limit=1)
    assert refusal_of(ask(program, voice, LONG)) == (402, "key_limit_reached")
    assert (Speech.objects.count(), money_of(owner)) == (0, Money(balance=30))


def test_the_hold_counts_against_the_key_that_asked(owner, voice):
    free_seconds(0)
    program = make_key(owner, monthly_credit_limit=2)
    assert ask(program, voice, LONG).status_code == 202
    assert refusal_of(ask(program, voice, "Hello.")) == (402, "key_limit_reached")


# ── Whom it is spoken by


def test_no_live_text_is_taken_while_the_gate_is_shut(owner, voice):
    provider_gate.pause("test")
    answer = ask(owner, voice)
    assert refusal_of(answer) == (503, "provider_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert Speech.objects.count() == 0


def test_what_is_there_is_answered_although_the_gate_is_shut(owner, voice):
    made = make_speech(owner, voice_id=voice.pk, script="Hello world.")
    ProviderState.objects.all().delete()
    provider_gate.pause("test")
    assert data_of(ask(owner, voice), 200)["id"] == str(made.pk)


def test_a_test_key_hears_free_although_the_gate_is_shut(owner, voice, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    free_seconds(0)
    set_balance(owner, 0)
    provider_gate.pause("test")
    data = data_of(ask(make_key(owner, mode=KeyMode.TEST), voice), 202)
    assert (data["is_test"], data["credits"]) == (True, {"held": 0, "charged": 0})
    assert Hold.objects.count() == 0


def test_a_test_key_is_refused_without_a_test_renderer(owner, voice, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    program = make_key(owner, mode=KeyMode.TEST)
    settings.TEST_RENDERER_URL = ""
    assert refusal_of(ask(program, voice)) == (503, "provider_unavailable")


def test_each_mode_sees_and_repeats_its_own_alone(owner, voice, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    live, test = make_key(owner), make_key(owner, mode=KeyMode.TEST)
    ids = {program.key.mode: data_of(ask(program, voice), 202)["id"] for program in (live, test)}
    assert len({*ids.values()}) == 2
    assert refusal_of(live.client.get(f"{SPEECH}/{ids['test']}")) == (404, "not_found")
    assert refusal_of(test.client.get(f"{SPEECH}/{ids['live']}")) == (404, "not_found")
    assert [data_of(owner.client.get(f"{SPEECH}/{each}"))["id"] for each in ids.values()] == [*ids.values()]


def test_one_account_has_no_more_than_a_few_spoken_at_a_time(owner, outsider, voice, settings):
    settings.SPEECHES_PER_ACCOUNT = 2
    asked = [ask(owner, voice, f"Number {number}.") for number in range(3)]
    assert [answer.status_code for answer in asked] == [202, 202, 429]
    assert ask(outsider, voice).status_code == 202
    speech = Speech.objects.filter(account=owner.account.pk).first()
    speech_outcomes.fail_speech(speech, code="script_refused", message="No.", why="test")
    assert ask(owner, voice, "Number 4.").status_code == 202


# ── Reading it


def test_a_ready_speech_shows_its_audio_words_and_prices(owner, voice):
    speech = make_speech(owner, voice_id=voice.pk, seconds="4.2")
    data = data_of(owner.client.get(f"{SPEECH}/{speech.pk}"))
    assert (data["duration_seconds"], data["words"]) == (4.2, [{"word": "Hello", "start": 0.1, "end": 0.4}])
    assert data["prices"] == {"studio_avatar": 5, "photo_avatar": 5, "digital_twin": 5}
    assert data["credits"] == {"held": 0, "charged": 0}


def test_the_link_gives_the_audio_by_ranges(owner, client, settings):
    speech = make_speech(owner)
    link = data_of(owner.client.get(f"{SPEECH}/{speech.pk}"))["audio_url"].removeprefix(settings.PUBLIC_URL)
    whole = client.get(link)
    content = b"".join(whole.streaming_content)
    assert (whole["Content-Type"], content[:4], len(content)) == ("audio/wav", b"RIFF", speech.audio.bytes)
    part = client.get(link, HTTP_RANGE="bytes=0-3")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"RIFF")


def test_a_speech_is_gone_after_a_day(owner):
    speech = make_speech(owner, expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal_of(owner.client.get(f"{SPEECH}/{speech.pk}")) == (404, "not_found")


def test_another_accounts_speech_is_a_404(owner, outsider):
    assert refusal_of(outsider.client.get(f"{SPEECH}/{make_speech(owner).pk}")) == (404, "not_found")


def test_the_digest_tells_texts_apart_as_requests_are():
    voice = "0f8fad5b-d9cb-469f-a165-70867728950e"
    one = SpeechRequest(script="Hi", voice_id=voice)
    assert replace(one, language=None, speed=1).sha256 == one.sha256
    assert len({one.sha256, replace(one, script="Hi ").sha256, replace(one, speed=1.25).sha256}) == 3


def test_a_speech_in_the_making_is_what_the_row_says(owner, voice):
    speech = Speech.objects.get(pk=data_of(ask(owner, voice), 202)["id"])
    assert fresh_speech(speech).idempotency_key == f"speech.{speech.pk}.1"
    assert speech.expires_at - speech.created_at == timedelta(hours=24)


# ── Waiting in the thread of a plain server; test_speech_live.py has the other


@pytest.fixture
def patient(settings):
    """The answer may wait for a second."""
    settings.SPEECH_WAIT_SECONDS = 1


def test_a_wait_that_runs_out_is_answered_with_202(owner, voice, patient):
    began = time.monotonic()
    assert data_of(ask(owner, voice), 202)["status"] == "creating"
    assert time.monotonic() - began >= 1


def test_a_speech_that_ends_during_the_wait_is_answered_as_it_is_then(owner, voice, patient, monkeypatch):
    def end(is_open, seconds):
        speech = Speech.objects.get()
        speech_outcomes.fail_speech(speech, code="script_refused", message="It cannot be spoken.", why="test")
        return not is_open()

    monkeypatch.setattr(hub, "wait_in_thread", end)
    assert data_of(ask(owner, voice), 200)["error"]["code"] == "script_refused"


def test_the_client_may_wait_for_less_but_not_for_more(owner, voice, patient, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(hub, "wait_in_thread", lambda is_open, seconds: waits.append(seconds) or False)
    body = {"script": "Hello world.", "voice_id": str(voice.pk)}
    for prefer in ("wait=0", "wait=60", "respond-async", ""):
        owner.client.post(SPEECH, body, HTTP_PREFER=prefer)
    speech = Speech.objects.get()
    owner.client.get(f"{SPEECH}/{speech.pk}", HTTP_PREFER="wait=60")
    owner.client.get(f"{SPEECH}/{speech.pk}")
    # GET waits only where it is asked to.
    assert waits == [1.0, 1.0, 1.0, 1.0]


def test_a_request_that_finds_no_thread_to_wait_in_is_answered_at_once(owner, voice, settings, monkeypatch):
    settings.SPEECH_WAIT_SECONDS = 60
    monkeypatch.setitem(hub._waiting, "threads", threading.BoundedSemaphore(1))
    with hub._waiting["threads"]:
        assert data_of(ask(owner, voice), 202)["status"] == "creating"
