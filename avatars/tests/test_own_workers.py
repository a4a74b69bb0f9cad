"""Real workers that are killed while they make an avatar or a voice: it is made and charged once."""

import pytest
from django.utils import timezone

from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation
from avatars.tests.own_entries import KINDS, copies_of, create_call, fresh, order
from genvid.tests.factories import make_caller
from genvid.tests.processes import WorkerProcess
from videos.tests.pipeline import Money, money_of, wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FAST_SETTINGS = {"SWEEP_SECONDS": "0.3", "OWN_AVATAR_LEASE": "1"}
ROUTES = {CreationKind.VOICE_CLONE: "POST /v3/voices/clone"}


@pytest.fixture
def new_worker(tmp_path, sandbox):
    """Starts workers with beat that talk to the sandbox; all are stopped after the test."""
    workers = []

    def start() -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url}
        workers.append(WorkerProcess(tmp_path, name=f"worker{len(workers)}", beat=True, **given))
        return workers[-1].start()

    yield start
    for worker in workers:
        if worker.is_running():
            worker.kill9()


def has_ended(creation: Creation) -> bool:
    """Looks are due at once, however long their pauses are."""
    waiting = Creation.objects.filter(pk=creation.pk).exclude(provider_object_id="")
    waiting.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
    return fresh(creation).status == EntryStatus.READY


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["delay", "lost"])
def test_a_worker_killed_during_the_order_makes_one(sandbox, new_worker, kind, fault):
    person = make_caller(balance=100)
    creation = order(person, kind)
    seconds = {"seconds": 3600} if fault == "delay" else {}
    sandbox.fault(**create_call(kind), kind=fault, **seconds)
    worker, route = new_worker(), ROUTES.get(kind, "POST /v3/avatars")
    wait_until(lambda: sandbox.records()["requests"].get(route, 0) >= 1)

    worker.kill9()
    assert fresh(creation).status == EntryStatus.CREATING
    sandbox.clear_faults()
    new_worker()

    wait_until(lambda: has_ended(creation), why=lambda: fresh(creation).waiting_reason)
    made = fresh(creation)
    assert [copy.object_id for copy in copies_of(made)] == [made.entry.provider_id]
    assert money_of(person) == Money(100 - made.credits_charged, charges=1)
