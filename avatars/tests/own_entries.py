"""Orders own avatars and voices in tests, and leads them through their making in the test's own thread."""

import io
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from accounts.caller import Caller
from avatars.enums import CreationKind, EntryStatus, UploadKind, UploadOrigin
from avatars.models import Creation, Upload
from avatars.own import copies, orders, work
from avatars.own.clients import maker_for
from avatars.own.copies import Copy
from avatars.own.orders import FOOTAGE_SECONDS, Consent, CreationRequest
from avatars.uploads.intake import keep_file
from genvid.tests import media_files
from genvid.tests.factories import Person

KINDS = tuple(CreationKind)
CREATE = {CreationKind.VOICE_CLONE: {"method": "POST", "path": "/v3/voices/clone"}}
"""The call that makes one."""
CONTENT: dict[CreationKind, tuple[UploadKind, Callable[[], bytes]]] = {
    CreationKind.PHOTO_AVATAR: (UploadKind.IMAGE, media_files.picture),
    CreationKind.DIGITAL_TWIN: (UploadKind.VIDEO, media_files.film),
    CreationKind.VOICE_CLONE: (UploadKind.AUDIO, media_files.wav),
}
CONSENT = {"is_me": True, "subject_name": "Ada", "confirmed": True}
DEADLINE_SECONDS = 120.0


def create_call(kind: CreationKind) -> dict[str, str]:
    return CREATE.get(kind, {"method": "POST", "path": "/v3/avatars"})


def make_upload(
    of: Person, kind: CreationKind = CreationKind.PHOTO_AVATAR, *, is_test: bool = False, stored: bool = True
) -> Upload:
    """`stored`: a real file that was read and kept; otherwise a row alone, which no renderer can be sent."""
    upload_kind, content = CONTENT[kind]
    if stored:
        file = io.BytesIO(content())
        upload = keep_file(of.account.pk, file, kind=upload_kind, is_test=is_test, origin=UploadOrigin.CUSTOMER)
        if kind == CreationKind.DIGITAL_TWIN:
            # The film has a second, for a long one takes long to make.
            Upload.objects.filter(pk=upload.pk).update(duration_seconds=FOOTAGE_SECONDS[0])
        return upload
    return Upload.objects.create(account=of.account, kind=upload_kind, is_test=is_test)


def order(
    by: Person, kind: CreationKind = CreationKind.PHOTO_AVATAR, *, caller: Caller | None = None, **fields: Any
) -> Creation:
    """An order by the service. `stored=False`: its file is never sent."""
    caller = caller or by.caller
    upload = make_upload(by, kind, is_test=caller.is_test, stored=fields.pop("stored", True))
    given = {"name": "Ada", "consent": Consent(is_me=True, subject_name="Ada"), "language": ""} | fields
    if kind == CreationKind.VOICE_CLONE:
        given["language"] = given["language"] or "English"
    return orders.order(caller, CreationRequest(kind=kind, upload_id=upload.pk, **given))


def fresh(creation: Creation) -> Creation:
    return Creation.objects.select_related("avatar", "voice", "upload").get(pk=creation.pk)


def step(creation: Creation) -> Creation:
    """One step of a worker, whenever it is due."""
    Creation.objects.filter(pk=creation.pk, due_at__isnull=False).update(due_at=timezone.now())
    work.work_on(str(creation.pk))
    return fresh(creation)


def run(creation: Creation, *until: str) -> Creation:
    """Steps until it has one of these statuses, `ready` unless named."""
    wanted, end = until or (EntryStatus.READY,), time.monotonic() + DEADLINE_SECONDS
    while (now := step(creation)).status not in wanted:
        assert time.monotonic() < end, f"{now.status}: {now.waiting_reason or now.provider_error}"
        time.sleep(0.02)
    return now


def history(creation: Creation) -> list[tuple[str, str, str]]:
    return [(each.from_status, each.to_status, each.reason) for each in creation.events.all()]


def copies_of(creation: Creation) -> list[Copy]:
    """What HeyGen has of it."""
    return copies.all_of(creation, maker_for(creation))
