"""The servers of a test run: when they start, and what the next run reuses."""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import psycopg
import pytest
from django.db import connection, models
from django.test.utils import isolate_apps
from redis import Redis as RedisClient
from redis.connection import AbstractConnection

from genvid.tests import persistent_services, plugin, templates
from genvid.tests.services import make_folder
from genvid.tests.stack import Stack


@pytest.fixture
def no_pair(tmp_path, monkeypatch):
    """As without `make services`."""
    monkeypatch.setattr(persistent_services, "NOTE", tmp_path / "var" / "services.json")


@pytest.fixture
def stack(no_pair, monkeypatch):
    """A server of this test's own, which may watch connections until it ends."""
    monkeypatch.setattr(AbstractConnection, "connect", AbstractConnection.connect)
    stack = Stack(make_folder())
    yield stack
    stack.close()


@pytest.fixture
def pair(no_pair):
    """The id of a process that has ended, as that of `make services` has."""
    environment = os.environ | {"GENVID_SERVICES": str(persistent_services.NOTE)}
    subprocess.run([sys.executable, "-m", "genvid.tests.persistent_services", "start"], env=environment, check=True)
    yield persistent_services.find()
    persistent_services.stop()


def databases(url: str) -> list[str]:
    socket, _, _ = url.removeprefix("postgres://postgres@/").rpartition("/")
    with psycopg.connect(host=socket, user="postgres", dbname="postgres") as server:
        return [name for (name,) in server.execute("SELECT datname FROM pg_database")]


def test_redis_starts_when_somebody_first_connects(stack):
    assert not stack.redis_is_up

    with RedisClient.from_url(stack.redis_url) as redis:
        assert redis.ping()

    assert stack.redis_is_up


@pytest.mark.slow
def test_postgresql_starts_when_it_is_asked_for(stack):
    with pytest.raises(psycopg.OperationalError):
        databases(stack.database_url)

    stack.start_postgres()

    assert "postgres" in databases(stack.database_url)


def test_addresses_that_are_given_are_used_and_nothing_is_left_there(no_pair, tmp_path):
    stack = Stack(tmp_path, database_url="postgres://db.example/x", redis_url="redis://cache.example/1")

    assert stack.environment == {
        "DATABASE_URL": "postgres://db.example/x",
        "REDIS_URL": "redis://cache.example/1",
        "GENVID_TEST_OWN_DATABASE": "",
    }


@pytest.mark.slow
class TestPersistentServices:
    def test_services_are_found_by_the_next_run_until_they_are_stopped(self, pair, tmp_path):
        assert (persistent_services.find(), persistent_services.start()) == (pair, pair)
        assert "genvid" in databases(pair.database_url)
        stack = Stack(tmp_path)
        assert (stack.database_url, stack.redis_url, stack.owns_database) == (pair.database_url, pair.redis_url, True)
        stack.close()

        assert persistent_services.stop() is True

        assert (persistent_services.find(), persistent_services.stop(), Path(pair.folder).exists()) == (
            None,
            False,
            False,
        )

    def test_two_runs_do_not_share_services(self, pair, monkeypatch):
        monkeypatch.setattr(AbstractConnection, "connect", AbstractConnection.connect)
        first = Stack(make_folder())
        second = Stack(make_folder(), database_url=pair.database_url, redis_url=pair.redis_url)

        assert first.database_url == pair.database_url
        assert pair.database_url != second.database_url
        assert pair.redis_url != second.redis_url
        for stack in (second, first):
            stack.close()

    def test_services_print_lines_for_the_shell(self, pair, capsys):
        assert persistent_services.main("start") == 0
        assert capsys.readouterr().out == (
            f"export DATABASE_URL={pair.database_url}\nexport REDIS_URL={pair.redis_url}\n"
        )


@pytest.mark.django_db
class TestTemplate:
    def test_a_test_database_is_a_copy_of_the_one_that_was_made_of_these_models(self):
        if not os.environ["GENVID_TEST_OWN_DATABASE"]:
            pytest.skip("the server of DATABASE_URL keeps nothing of ours")
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'genvid_template_%'")
            assert cursor.fetchall() == [(templates.name_of(templates.table_statements()),)]

    def test_the_template_database_has_the_tables_that_django_makes(self):
        tables = " ".join(templates.table_statements())
        made = connection.introspection.django_table_names()
        assert sorted(name for name in made if f'CREATE TABLE "{name}"' not in tables) == []

    @isolate_apps("genvid")
    def test_another_column_makes_another_template_database(self):
        class Thing(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "genvid"

        class WiderThing(models.Model):  # noqa: DJ008
            note = models.TextField()

            class Meta:
                app_label = "genvid"
                db_table = "genvid_thing"

        names = {templates.name_of(templates.table_statements([model])) for model in (Thing, WiderThing)}
        assert len(names) == 2


@pytest.mark.parametrize(
    ("words", "workers"),
    [
        (["videos/tests/test_wait.py"], 0),
        (["videos/tests/test_wait.py::test_one", "videos/tests/test_wait.py::test_two"], 0),
        (["videos/tests/test_wait.py", "videos/tests/test_batch_input.py"], 5),
        (["videos"], 5),
        (["genvid", "accounts"], 5),
    ],
)
def test_a_single_test_file_needs_no_workers(monkeypatch, words, workers):
    monkeypatch.setenv("WORKERS", "5")
    assert plugin.pytest_xdist_auto_num_workers(Namespace(args=words)) == workers
