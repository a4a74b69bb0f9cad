"""The database backend: timestamps, the health check of an idle connection, prepared statements."""

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, close_old_connections, connection

from genvid.tests.asserts import data_of
from genvid.tests.factories import make_video
from genvid.tests.services import Postgres, make_folder

VIDEOS = "/api/v1/videos"
MOMENT = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def value_of(sql: str, *params: Any, link: Any = connection) -> Any:
    with link.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


# ── Timestamps


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_timestamp_is_read_as_an_aware_moment(zone):
    value_of("SELECT set_config('TimeZone', %s, true)", zone)
    assert value_of("SELECT %s", MOMENT) == MOMENT


@pytest.mark.django_db
def test_a_timestamp_is_in_utc():
    found = value_of("SELECT %s", MOMENT)
    assert (found, found.tzinfo) == (MOMENT, UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"])
def test_a_timestamp_that_python_does_not_know_is_an_error(text):
    with pytest.raises(DataError):
        value_of("SELECT %s::timestamptz", text)


@pytest.mark.django_db
def test_timestamps_are_read_by_psycopgs_own_loader():
    oid, text = psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT
    with connection.cursor() as cursor:
        assert cursor.adapters.get_loader(oid, text) is psycopg.adapters.get_loader(oid, text)


@pytest.mark.django_db
def test_rows_are_read_in_chunks_by_a_cursor_of_the_server(owner, avatar):
    videos = {make_video(owner, avatar=avatar).pk for _ in range(3)}
    model = type(make_video(owner, avatar=avatar))
    found = {video.pk for video in model.objects.filter(pk__in=videos).iterator(chunk_size=2)}
    assert found == videos


# ── The health check


def next_request(action: Callable[[], Any]) -> Any:
    """Django's test client leaves out what the signal of a new request does to connections."""
    close_old_connections()
    return action()


def other_session() -> psycopg.Connection[Any]:
    return psycopg.connect(**connection.get_connection_params() | {"autocommit": True})


def pid_of(link: Any = connection) -> int:
    return int(link.connection.info.backend_pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    with other_session() as session:
        while session.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_a_request_on_a_kept_connection_sends_no_statement_but_its_own(owner):
    next_request(lambda: value_of("SELECT 41"))
    with other_session() as session:
        close_old_connections()
        connection.ensure_connection()
        connection.close_if_health_check_failed()
        (last,) = session.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid_of()]).fetchone() or ()
    assert (last, connection.health_check_done) == ("SELECT 41", True)


@pytest.mark.django_db(transaction=True)
def test_a_request_after_its_connection_was_terminated_succeeds(owner):
    video = make_video(owner)
    pid = pid_of()
    value_of("SELECT 1")
    with other_session() as session:
        session.execute("SELECT pg_terminate_backend(%s)", [pid])
    wait_until_gone(pid)
    data = next_request(lambda: data_of(owner.client.get(f"{VIDEOS}/{video.pk}")))
    assert (data["id"], pid_of() != pid) == (str(video.pk), True)


@pytest.mark.django_db(transaction=True)
def test_a_request_after_the_server_closed_an_idle_session_succeeds(owner):
    video = make_video(owner)
    pid = pid_of()
    value_of("SELECT set_config('idle_session_timeout', '1ms', false)")
    wait_until_gone(pid)
    rows = next_request(lambda: data_of(owner.client.get(VIDEOS)))
    assert [row["id"] for row in rows] == [str(video.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_with_a_message_of_the_server_is_asked_and_kept():
    value_of("SELECT set_config('application_name', 'listener', false)")
    pid = pid_of()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN orders")
    with other_session() as session:
        session.execute("NOTIFY orders")
    assert next_request(lambda: value_of("SELECT current_setting('application_name')")) == "listener"
    assert pid_of() == pid


@pytest.mark.django_db(transaction=True)
def test_a_connection_left_in_a_transaction_is_asked():
    connection.ensure_connection()
    connection.connection.autocommit = False
    value_of("SELECT 1")
    assert not connection._is_idle_and_silent()
    assert connection.is_usable()
    connection.connection.rollback()
    connection.connection.autocommit = True


def test_no_connection_is_not_usable():
    link = connection.copy()
    assert not link.is_usable()


@pytest.fixture
def own_server(db: None) -> Iterator[tuple[Postgres, Any]]:
    folder = make_folder()
    with Postgres(folder) as postgres:
        postgres.start()
        link = connection.copy()
        link.settings_dict |= {"HOST": str(postgres.socket), "NAME": "postgres", "USER": "postgres", "PORT": ""}
        yield postgres, link
        link.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_the_first_request_after_a_restart_of_the_server_succeeds(own_server):
    postgres, link = own_server
    assert value_of("SELECT 1", link=link) == 1
    pid = pid_of(link)
    postgres.crash()
    postgres.resume()
    link.close_if_unusable_or_obsolete()
    assert (value_of("SELECT 2", link=link), pid_of(link) == pid) == (2, False)


def test_a_request_while_the_server_is_down_fails_and_the_next_one_succeeds(own_server):
    postgres, link = own_server
    value_of("SELECT 1", link=link)
    postgres.crash()
    link.close_if_unusable_or_obsolete()
    with pytest.raises(OperationalError):
        value_of("SELECT 2", link=link)
    postgres.resume()
    link.close_if_unusable_or_obsolete()
    assert value_of("SELECT 3", link=link) == 3
