"""`POST speech` with real processes: a web server that waits without a thread, and workers that are killed."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.utils import timezone

from avatars.catalogue_sync import sync_catalogue
from avatars.models import Voice
from genvid.heygen.heygen_client import get_client
from genvid.tests.factories import set_balance
from genvid.tests.processes import WebProcess, WorkerProcess
from videos.models import Speech
from videos.tests.pipeline import Money, money_of, wait_until
from videos.tests.speech_steps import SPEAK, audio_name, calls_to, frames_of, fresh_speech, made_by, stored_audio

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FAST_SETTINGS = {"SWEEP_SECONDS": "0.4", "VIDEO_RETRY_SECONDS": "0.2", "VIDEO_SUBMIT_LEASE": "3", "LOG_LEVEL": "INFO"}


@pytest.fixture
def voice(sandbox):
    sync_catalogue(get_client())
    return Voice.objects.filter(is_available=True, language__startswith="English").first()


@pytest.fixture
def recordings(sandbox):
    before = {*made_by(sandbox)}
    return lambda: [path for path in made_by(sandbox) if path not in before]


@pytest.fixture
def web(tmp_path, sandbox):
    with WebProcess(
        tmp_path, interface="asginl", threads=2, HEYGEN_BASE_URL=sandbox.url, SPEECH_WAIT_SECONDS="600"
    ) as process:
        yield process.start()


@pytest.fixture
def new_worker(tmp_path, sandbox):
    workers = []

    def start(**environment: str) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url} | environment
        workers.append(WorkerProcess(tmp_path, name=f"worker{len(workers)}", beat=True, concurrency=4, **given))
        return workers[-1].start()

    yield start
    for worker in workers:
        if worker.is_running():
            worker.kill9()


@pytest.fixture
def client(web, owner):
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
    with httpx.Client(base_url=f"{web.url}/api/v1/", headers=headers, timeout=900) as http:
        yield http


def ask(client, voice, script: str = "Hello world.", **headers: str) -> httpx.Response:
    return client.post("speech", json={"script": script, "voice_id": str(voice.pk)}, headers=headers)


def test_the_answer_is_the_audio(client, voice, new_worker, recordings):
    new_worker()
    answer = ask(client, voice)
    data = answer.json()["data"]
    assert (answer.status_code, data["status"]) == (200, "ready"), data
    assert [word["word"] for word in data["words"]] == ["Hello", "world."]
    heard = client.get(data["audio_url"])
    assert heard.status_code == 200
    assert frames_of(heard.content) == frames_of(recordings()[0].read_bytes())
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_slow_provider_is_answered_with_202_and_the_same_object_later(client, voice, sandbox, new_worker):
    new_worker()
    sandbox.fault(**SPEAK, kind="delay", seconds=600, times=100)
    answer = ask(client, voice, Prefer="wait=1", **{"Idempotency-Key": "listen"})
    data = answer.json()["data"]
    assert (answer.status_code, data["status"], data["audio_url"]) == (202, "creating", None)

    sandbox.clear_faults()

    def later() -> str:
        found = client.get(f"speech/{data['id']}", headers={"Prefer": "wait=30"}).json()["data"]
        assert found["id"] == data["id"]
        return found["status"]

    wait_until(lambda: later() == "ready")
    # The repetition of the request is not its first answer, but the speech.
    again = ask(client, voice, Prefer="wait=30", **{"Idempotency-Key": "listen"})
    assert (again.status_code, again.json()["data"]["status"]) == (200, "ready")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_waiting_clients_hold_no_thread_and_leaving_changes_nothing(web, client, voice, sandbox, owner, new_worker):
    new_worker()
    sandbox.fault(**SPEAK, kind="delay", seconds=600, times=100)
    # Two threads serve all of them, and each text is one of five.
    with ThreadPoolExecutor(30) as pool:
        waiting = [pool.submit(ask, client, voice, f"Number {number % 5}.") for number in range(30)]
        wait_until(lambda: Speech.objects.count() == 5 and calls_to(sandbox) >= 4)
        # They are answered although thirty wait.
        httpx.get(f"{web.url}/healthz", timeout=60).raise_for_status()
        client.get("profile").raise_for_status()
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{web.url}/api/v1/speech",
                json={"script": "Number 0.", "voice_id": str(voice.pk)},
                headers={"Authorization": f"Bearer {owner.tokens.access_token}"},
                timeout=httpx.Timeout(60, read=0.5),
            )
        sandbox.clear_faults()
        answers = [each.result(900) for each in waiting]
    assert {answer.status_code for answer in answers} <= {200, 202}
    wait_until(lambda: Speech.objects.filter(status="ready").count() == 5)
    assert money_of(owner) == Money(balance=30)


def test_a_worker_killed_during_the_call_has_the_text_spoken_once(
    client, voice, sandbox, owner, new_worker, recordings
):
    set_balance(owner, 100)
    sandbox.fault(**SPEAK, kind="delay", seconds=600)
    # Nobody repeats the call while the worker lives.
    worker = new_worker(VIDEO_SUBMIT_LEASE="3600")
    speech = Speech.objects.get(pk=ask(client, voice, Prefer="wait=0").json()["data"]["id"])
    wait_until(lambda: calls_to(sandbox) == 1)

    worker.kill9()
    assert Speech.objects.filter(pk=speech.pk, status="creating").update(due_at=timezone.now()) == 1
    assert (fresh_speech(speech).status, money_of(owner).holds) == ("creating", 1)
    sandbox.clear_faults()
    new_worker()

    wait_until(lambda: fresh_speech(speech).status == "ready", why=lambda: fresh_speech(speech).waiting_reason)
    assert (len(recordings()), stored_audio(speech)) == (1, [audio_name(speech)])
    assert fresh_speech(speech).idempotency_key == f"speech.{speech.pk}.1"
    assert money_of(owner) == Money(balance=100)
