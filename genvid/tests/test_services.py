import os
import shutil
import socket

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from pytest_socket import SocketConnectBlockedError
from redis import Redis as RedisClient

from genvid.tests.plugin import redis_url
from genvid.tests.services import Postgres, Redis, make_folder


@pytest.mark.django_db
def test_the_database_is_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL ")


def test_the_broker_is_redis():
    with RedisClient.from_url(os.environ["REDIS_URL"]) as redis:
        assert redis.info("server")["redis_version"]


def test_every_worker_has_its_own_folder():
    assert os.environ["GENVID_VAR"].endswith(os.environ.get("PYTEST_XDIST_WORKER", "main"))


def test_every_worker_has_its_own_redis_database():
    assert redis_url("redis://127.0.0.1:6379/3", 2) == "redis://127.0.0.1:6379/5"


def test_the_settings_come_from_the_test_environment():
    assert os.environ["SECRET_KEY"] == settings.SECRET_KEY


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_sockets_beyond_loopback_are_refused(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as line, pytest.raises(SocketConnectBlockedError):
        line.connect((address, 80))


def test_loopback_is_reachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.slow
def test_a_crashed_postgresql_keeps_what_it_has_acknowledged():
    folder = make_folder()
    with Postgres(folder, flags=("synchronous_commit=on",)) as postgres:
        postgres.start()
        where = {"host": str(postgres.socket), "user": "postgres", "dbname": "postgres", "autocommit": True}
        with psycopg.connect(**where) as line:
            line.execute("CREATE TABLE kept AS SELECT 7 AS number")

        postgres.crash()
        postgres.resume()

        with psycopg.connect(**where) as line:
            assert line.execute("SELECT number FROM kept").fetchone() == (7,)
    shutil.rmtree(folder)


def test_a_flushed_redis_has_forgotten(tmp_path):
    with Redis(tmp_path) as server, RedisClient.from_url(server.start().url) as line:
        line.set("known", 1)

        server.flush()

        assert line.get("known") is None
