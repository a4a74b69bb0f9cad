"""Helpers for tests of batches."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from genvid.tests.asserts import data_of
from genvid.tests.factories import Person
from videos import settlement
from videos.models import Batch, Video

BATCHES = "/api/v1/batches"
ROWS = [{"name": "Ada"}, {"name": "Bob"}, {"name": "Cyd"}]
SCRIPT = "Hello {{name}}, welcome to our spring sale."


def payload_for(avatar: Any) -> dict[str, Any]:
    """The body of a request for a batch of three videos."""
    return {"script": SCRIPT, "title": "For {{name}}", "avatar_id": str(avatar.pk), "rows": ROWS}


def make_batch(person: Person, payload: dict[str, Any], **changes: Any) -> Batch:
    return Batch.objects.get(pk=data_of(person.client.post(BATCHES, payload | changes), 201)["id"])


def videos_of(batch: Any) -> list[Video]:
    return list(Video.objects.filter(batch=batch).order_by("batch_row"))


def shown(person: Person, batch: Batch) -> Any:
    return data_of(person.client.get(f"{BATCHES}/{batch.pk}"))


def counts(**given: int) -> dict[str, int]:
    return {"queued": 0, "processing": 0, "completed": 0, "failed": 0, "canceled": 0} | given


def as_form(payload: dict[str, Any], content: bytes, **changes: Any) -> dict[str, Any]:
    given = {name: value for name, value in payload.items() if name != "rows"} | changes
    return given | {"rows_file": SimpleUploadedFile("rows.csv", content, "text/csv")}


def fail_video(video: Video) -> None:
    """Fail a video, in any waiting status."""
    settlement.fail_video(video, code="render_failed", message="No.", retryable=True, reason="test")
