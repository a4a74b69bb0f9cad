import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

import genvid
from genvid import health
from genvid.heartbeats import sending, status
from genvid.heartbeats.models import Heartbeat
from genvid.heygen.heygen_errors import Busy, OperatorProblem
from genvid.leasing import from_now
from genvid.tests.asserts import refusal_of
from genvid.tests.factories import JsonClient
from videos.models import ProviderState
from videos.provider import provider_gate

QUEUES = ("celery", "files", "mail", "orders", "outgoing", "polls", "speech", "ticks")
PROBED = dict.fromkeys(("database", "migrations", "broker", "storage", "catalogue", "shop"), "ok")


@pytest.fixture(autouse=True)
def just_started(monkeypatch):
    """Beat and the queues, which do not run here, count as well."""
    monkeypatch.setattr(health, "STORAGE_SECONDS", 600)
    monkeypatch.setattr(status, "STARTING_SECONDS", 3600.0)
    monkeypatch.setattr(status, "_started", time.monotonic())


@pytest.fixture
def started_long_ago(just_started, monkeypatch):
    monkeypatch.setattr(status, "_started", time.monotonic() - status.STARTING_SECONDS)


@pytest.fixture
def beating(db, started_long_ago):
    """Beat and every queue have just given a heartbeat."""
    for name in status.part_names():
        sending.record_heartbeat(name)


@pytest.fixture
def dead_storage(settings, tmp_path):
    """A media folder that is a file."""
    (tmp_path / "media").write_text("")
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": tmp_path / "media"}
    settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | {"OPTIONS": options}}


def failing_parts(response) -> set[str]:
    assert refusal_of(response) == (503, "provider_unavailable")
    return set(response.json()["error"]["details"])


def test_a_living_process_says_so_with_its_version_without_a_database():
    response = JsonClient().get("/healthz")
    assert (response.status_code, response.json()["data"]) == (200, {"status": "ok", "version": genvid.__version__})


@pytest.mark.django_db
def test_all_parts_ready_is_a_200_that_names_each_with_beat_and_the_queues(anonymous, beating):
    response = anonymous.get("/readyz")
    parts = PROBED | dict.fromkeys(("beat", *QUEUES), "ok") | {"provider": "ok"}
    assert (response.status_code, response.json()["data"]) == (200, {"status": "ready", "parts": parts})


@pytest.mark.django_db
def test_after_a_start_parts_without_a_heartbeat_are_starting_and_count_as_well(anonymous):
    response = anonymous.get("/readyz")
    parts = PROBED | dict.fromkeys(("beat", *QUEUES), "starting") | {"provider": "ok"}
    assert (response.status_code, response.json()["data"]) == (200, {"status": "ready", "parts": parts})


@pytest.mark.django_db
def test_parts_that_never_gave_a_heartbeat_are_a_503_that_names_them(anonymous, started_long_ago):
    assert failing_parts(anonymous.get("/readyz")) == {"beat", *QUEUES}


def test_a_beat_that_stopped_is_a_503_that_names_it_alone(anonymous, beating):
    Heartbeat.objects.filter(name="beat").update(beat_at=from_now(-61))
    assert failing_parts(anonymous.get("/readyz")) == {"beat"}


def test_a_queue_whose_message_nobody_takes_is_a_503_that_names_it(anonymous, beating):
    Heartbeat.objects.filter(name="orders").update(beat_at=from_now(-70), asked_at=from_now(-61))
    assert failing_parts(anonymous.get("/readyz")) == {"orders"}


# ── What steers traffic


def test_what_steers_traffic_asks_for_the_database_and_the_migrations_alone(anonymous, db, started_long_ago):
    response = anonymous.get("/readyz?parts=web")
    assert (response.status_code, response.json()["data"]["parts"]) == (200, {"database": "ok", "migrations": "ok"})


def test_a_dead_broker_and_a_dead_storage_take_no_traffic_away(anonymous, db, dead_broker, dead_storage):
    assert anonymous.get("/readyz?parts=web").status_code == 200


def test_a_database_out_of_reach_takes_traffic_away(monkeypatch):
    monkeypatch.setattr(health, "_migrated", True)
    assert failing_parts(JsonClient().get("/readyz?parts=web")) == {"database"}


@pytest.mark.parametrize("value", ["", "beat", "web,beat", "WEB"])
def test_an_unknown_value_of_parts_is_refused_by_its_name(anonymous, value):
    response = anonymous.get("/readyz", {"parts": value})
    assert refusal_of(response) == (400, "validation_error")
    assert response.json()["error"]["details"] == {"parts": "Send one of: web, or leave it out."}


def test_a_storage_that_does_not_answer_is_a_503_in_time(anonymous, db, monkeypatch):
    answer = Event()
    monkeypatch.setattr(health, "STORAGE_SECONDS", 0.05)
    monkeypatch.setattr(default_storage, "save", lambda *_: answer.wait(600))
    try:
        assert failing_parts(anonymous.get("/readyz")) == {"storage"}
    finally:
        answer.set()
        health._storage_thread.cache_clear()


@pytest.mark.django_db
def test_asking_leaves_nothing_in_the_storage(anonymous):
    anonymous.get("/readyz")
    assert default_storage.listdir("probes")[1] == []


@pytest.mark.django_db
def test_a_dead_broker_is_a_503_that_names_it(anonymous, dead_broker):
    assert failing_parts(anonymous.get("/readyz")) == {"broker"}


@pytest.mark.django_db
def test_a_dead_storage_is_a_503_that_names_it(anonymous, dead_storage):
    assert failing_parts(anonymous.get("/readyz")) == {"storage"}


@pytest.mark.django_db
def test_two_dead_parts_are_both_named(anonymous, dead_broker, dead_storage):
    assert failing_parts(anonymous.get("/readyz")) == {"broker", "storage"}


def test_a_database_out_of_reach_is_a_503_that_names_it(monkeypatch):
    # Without the database mark, pytest-django lets nobody through to it.
    monkeypatch.setattr(health, "_migrated", True)
    assert failing_parts(JsonClient().get("/readyz")) == {"database"}


@pytest.mark.django_db
def test_unapplied_migrations_are_a_503_that_names_them(anonymous, settings, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    settings.MIGRATION_MODULES = {}
    assert failing_parts(anonymous.get("/readyz")) == {"migrations"}


@pytest.mark.django_db
def test_a_503_of_readyz_names_no_addresses(anonymous, settings, dead_broker, dead_storage):
    settings.PUBLIC_URL = "https://genvid.example"
    text = anonymous.get("/readyz").content.decode()
    assert [secret for secret in ("127.0.0.1", "redis:", "/media") if secret in text] == []


@pytest.mark.django_db
def test_a_client_can_still_register_while_the_broker_is_dead(
    anonymous, dead_broker, django_capture_on_commit_callbacks
):
    body = {"email": "ada@example.com", "password": "a long enough one"}
    with django_capture_on_commit_callbacks(execute=True):
        response = anonymous.post("/api/v1/auth/register", body)
    assert response.status_code == 201


def test_with_the_sandbox_the_site_is_not_ready_before_the_catalogue_is_filled(anonymous, db, settings):
    settings.READY_WITH_CATALOGUE = True
    assert failing_parts(anonymous.get("/readyz")) == {"catalogue"}


def test_with_the_sandbox_the_site_is_not_ready_before_stripe_has_the_prices(anonymous, db, settings):
    settings.READY_WITH_SHOP = True
    assert failing_parts(anonymous.get("/readyz")) == {"shop"}


def test_with_the_sandbox_and_a_catalogue_the_site_is_ready(anonymous, avatar, settings):
    settings.READY_WITH_CATALOGUE = True
    assert anonymous.get("/readyz").status_code == 200


# ── HeyGen's gate: told, but no reason to take us out of service


def provider_part(client) -> str:
    response = client.get("/readyz")
    assert response.status_code == 200
    return response.json()["data"]["parts"]["provider"]


def test_readyz_reports_a_gate_that_needs_staff_and_stays_ready(anonymous, db):
    provider_gate.trip(OperatorProblem("insufficient_credit", "Your wallet is empty"))
    assert provider_part(anonymous) == "closed: insufficient_credit"


def test_readyz_reports_a_gate_that_needs_staff_between_two_probes(anonymous, db):
    ProviderState.objects.create(
        name=provider_gate.NAME, code="unauthorized", needs_staff=True, closed_until=timezone.now() - timedelta(hours=1)
    )
    assert provider_part(anonymous) == "closed: unauthorized"


def test_readyz_reports_a_busy_provider_for_as_long_as_it_lasts(anonymous, db):
    provider_gate.trip(Busy("rate_limit_exceeded", retry_after=30))
    assert provider_part(anonymous) == "closed: rate_limit_exceeded"
    ProviderState.objects.update(closed_until=timezone.now())
    assert provider_part(anonymous) == "ok"


def test_readyz_reports_a_pause_and_stays_ready(anonymous, db):
    provider_gate.pause("sam@example.com")
    assert provider_part(anonymous) == "paused"


@pytest.fixture
def said(caplog, monkeypatch) -> Callable[[], list[tuple[str, str]]]:
    """The logged events of health, as pairs of level and event."""
    monkeypatch.setattr(health, "_failing", {})
    return lambda: [(r.levelname, r.msg["event"]) for r in caplog.records if r.name == "genvid.health"]


@pytest.mark.django_db
def test_a_part_that_fails_is_logged_once_and_once_more_when_it_is_well(
    anonymous, dead_broker, said, monkeypatch, beating
):
    anonymous.get("/readyz")
    anonymous.get("/readyz")
    monkeypatch.undo()
    monkeypatch.setattr(health, "_failing", {"broker": OSError})
    anonymous.get("/readyz")
    assert said() == [("WARNING", "not_ready"), ("INFO", "ready_again")]


@pytest.mark.django_db
def test_a_catalogue_that_fills_is_no_warning(anonymous, said, settings):
    settings.READY_WITH_CATALOGUE = True
    anonymous.get("/readyz")
    assert said() == [("INFO", "not_ready")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_in_the_request_log(anonymous, caplog, path):
    anonymous.get(path)
    anonymous.get("/api/v1/schema/")
    asked = [r.msg["request"] for r in caplog.records if r.name == "genvid.requests"]
    assert asked == ["GET /api/v1/schema/"]
