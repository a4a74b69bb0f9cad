"""The mail outbox with real workers that are killed."""

import os
import socket
from pathlib import Path

import pytest
import redis
from django.db.models.functions import Now

from genvid.mail.models import QueuedMail
from genvid.tests.factories import make_caller
from genvid.tests.mail import send_due_mail
from genvid.tests.processes import WorkerProcess

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE = 900.0


def test_a_mail_whose_worker_was_killed_while_it_sent_is_sent_by_the_next(tmp_path: Path, mailoutbox) -> None:
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
    person = make_caller()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        port = silent.getsockname()[1]
        worker = WorkerProcess(tmp_path, name="worker", EMAIL_URL=f"smtp://127.0.0.1:{port}", EMAIL_TIMEOUT="3600")
        worker.start()
        try:
            link, _ = silent.accept()
        finally:
            worker.kill9()
        link.close()

    mail = QueuedMail.objects.annotate(now=Now()).get()
    assert (mail.attempts, mail.sent_at, mail.due_at > mail.now) == (1, None, True)
    QueuedMail.objects.update(due_at=Now())  # what the end of the lease does by itself
    send_due_mail()
    assert [message.to for message in mailoutbox] == [[person.user.email]]
