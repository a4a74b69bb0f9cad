"""The broker of `make run`: messages through one SQLite file."""

import sqlite3
from queue import Empty
from typing import Any

import pytest
from celery.beat import PersistentScheduler
from django.conf import settings
from kombu import Connection
from kombu.transport import get_transport_cls

from genvid.beat import Scheduler
from genvid.celery import app
from genvid.embedded_broker import Channel, Transport
from genvid.tests.parallel import in_parallel

# Kombu's models have SQLAlchemy's former default.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
ORDERS, MAIL = "orders", "mail"


@pytest.fixture
def broker(tmp_path):
    """Opens connections to one broker, each as a process of its own would."""
    opened = []

    def connect() -> Connection:
        opened.append(Connection(f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.release()


def send(connection: Connection, queue: str, *bodies: str) -> None:
    with connection.SimpleQueue(queue) as simple:
        for body in bodies:
            simple.put(body)


def consume(connection: Connection, *queues: str, most: int = 10) -> list[str]:
    """What a worker of these queues gets until nothing is left."""
    got: list[str] = []

    def keep(body: Any, message: Any) -> None:
        got.append(body)
        message.ack()

    with connection.Consumer([connection.SimpleQueue(queue).queue for queue in queues], callbacks=[keep]):
        while len(got) < most:
            try:
                connection.drain_events(timeout=0.01)
            except TimeoutError:
                break
    return got


def test_urls_of_the_embedded_broker_lead_to_this_transport():
    assert get_transport_cls("sqla") is Transport
    assert Transport.polling_interval == 0.2


def test_messages_come_in_the_order_in_which_they_were_sent(broker):
    send(broker(), ORDERS, "first", "second", "third")
    assert consume(broker(), ORDERS) == ["first", "second", "third"]


def test_a_message_is_delivered_once(broker):
    send(broker(), ORDERS, "only")
    assert (consume(broker(), ORDERS), consume(broker(), ORDERS)) == (["only"], [])


def test_a_worker_gets_the_messages_of_its_own_queues_alone(broker):
    send(broker(), MAIL, "a mail")
    send(broker(), ORDERS, "an order")
    assert consume(broker(), ORDERS) == ["an order"]
    assert consume(broker(), MAIL) == ["a mail"]


def test_a_long_queue_does_not_keep_another_waiting(broker):
    send(broker(), ORDERS, *[f"order {number}" for number in range(5)])
    send(broker(), MAIL, "a mail")
    assert "a mail" in consume(broker(), ORDERS, MAIL, most=2)


def test_a_message_that_comes_while_the_queue_is_empty_is_found_by_the_next_poll(broker):
    worker, sender = broker(), broker()
    assert consume(worker, ORDERS) == []
    send(sender, ORDERS, "late")
    assert consume(worker, ORDERS) == ["late"]


def test_number_of_waiting_messages_is_without_those_that_were_taken(broker):
    connection = broker()
    send(connection, ORDERS, "first", "second")
    consume(broker(), ORDERS, most=1)
    channel = connection.default_channel
    assert channel.queue_declare(queue=ORDERS, passive=True).message_count == 1


def test_of_several_workers_each_message_goes_to_one(broker):
    sent = [str(number) for number in range(40)]
    send(broker(), ORDERS, *sent)
    got = in_parallel([lambda: consume(broker(), ORDERS, most=40) for _ in range(4)])
    assert sorted((body for each in got for body in each), key=int) == sent


def test_rejected_message_comes_back(broker):
    connection = broker()
    send(connection, ORDERS, "again")
    with connection.SimpleQueue(ORDERS) as queue:
        queue.get(timeout=1).requeue()
    assert consume(broker(), ORDERS) == ["again"]


def test_an_empty_queue_is_not_written_to(broker, tmp_path):
    worker = broker()
    consume(worker, ORDERS)
    with sqlite3.connect(tmp_path / "broker.sqlite3") as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()
        assert consume(worker, ORDERS) == []
        assert watcher.execute("PRAGMA data_version").fetchone() == before


def test_the_file_is_read_and_written_side_by_side(broker, tmp_path):
    send(broker(), ORDERS, "first")
    with sqlite3.connect(tmp_path / "broker.sqlite3") as watcher:
        assert watcher.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_closed_channel_leaves_no_connection_to_the_file(broker):
    channel: Channel = broker().channel()
    channel.queue_declare(queue=ORDERS)
    database = channel._database
    channel.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.execute("SELECT 1")


def test_a_purged_queue_is_empty(broker):
    connection = broker()
    send(connection, ORDERS, "first", "second")
    assert connection.default_channel.queue_purge(ORDERS) == 2
    with pytest.raises(Empty):
        connection.default_channel._get(ORDERS)


def test_beat_compares_no_entries_and_keeps_the_last_runs():
    assert settings.CELERY_BEAT_SCHEDULER == "genvid.beat:Scheduler"
    assert issubclass(Scheduler, PersistentScheduler)
    assert Scheduler(app, schedule_filename="", lazy=True).schedules_equal({}, {"name": "entry"})
