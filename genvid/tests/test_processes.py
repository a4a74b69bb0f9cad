import pytest

from genvid.tests.processes import WebProcess, WorkerProcess, answers

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_worker_is_ready_and_dies_when_killed(tmp_path):
    with WorkerProcess(tmp_path) as worker:
        worker.start()

        worker.kill9()

        assert worker.returncode == -9


def test_a_web_process_answers(tmp_path):
    with WebProcess(tmp_path) as web:
        web.start()

        assert answers(f"{web.url}/healthz")
