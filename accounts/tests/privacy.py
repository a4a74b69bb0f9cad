"""Helpers of the tests of exports and erasures."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.files.storage import default_storage
from django.utils import timezone

from accounts import jobs
from accounts.models import Erasure, Export
from accounts.signals import account_erasing
from genvid import request_context
from genvid.tests.asserts import data_of
from genvid.tests.factories import PASSWORD, JsonClient, Person
from genvid.tests.jobs import run_job

PROFILE = "/api/v1/profile"
EXPORT = f"{PROFILE}/export"


def ask_for_export(person: Person, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = data_of(person.client.post(EXPORT, **headers), 202)
    return answer


def work(export: dict[str, Any]) -> Export:
    """Run the next step of a worker, due or not."""
    Export.objects.filter(pk=export["id"]).update(due_at=timezone.now())
    run_job(jobs.WORK_ON_EXPORT, export["id"])
    return Export.objects.get(pk=export["id"])


def exported(person: Person) -> dict[str, Any]:
    """The content of an export's files by name, downloaded by its link."""
    export = ask_for_export(person)
    work(export)
    link = data_of(person.client.get(EXPORT))["download_url"]
    return read(fetch(link))


def fetch(link: str) -> Any:
    return JsonClient().get(urlsplit(link).path)


def read(answer: Any) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.endswith(".json")]
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in names}


def ask_to_be_erased(person: Person) -> Erasure:
    data_of(person.client.delete(PROFILE, {"password": PASSWORD}), 202)
    return Erasure.objects.get(user=person.user)


def let_grace_pass(erasure: Erasure) -> None:
    Erasure.objects.filter(pk=erasure.pk).update(erase_after=timezone.now() - timedelta(seconds=1))


def take_step(erasure: Erasure) -> Erasure:
    """Run the next step of a worker, due or not."""
    Erasure.objects.filter(pk=erasure.pk, due_at__isnull=False).update(due_at=timezone.now())
    # A worker has no request: clear the context of the previous request in this thread.
    request_context.set_current(request_context.NO_REQUEST)
    run_job(jobs.WORK_ON_ERASURE, str(erasure.pk))
    erasure.refresh_from_db()
    return erasure


@contextmanager
def extra_erasure_receiver(left: str | Exception) -> Iterator[None]:
    """Connect a receiver of `account_erasing` that returns `left` or raises it."""

    def receiver(**_: object) -> str:
        if isinstance(left, Exception):
            raise left
        return left

    account_erasing.connect(receiver, weak=False)
    try:
        yield
    finally:
        assert account_erasing.disconnect(receiver)


def stored() -> list[str]:
    """Names of all files in the storage."""
    return sorted(_below(""))


def _below(folder: str) -> list[str]:
    if not default_storage.exists(folder or "."):
        return []
    folders, files = default_storage.listdir(folder)
    inner = [name for each in folders for name in _below(f"{folder}/{each}".strip("/"))]
    return [f"{folder}/{name}".strip("/") for name in files] + inner
