"""Uploads for tests: files sent to the API, and rows without a file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from avatars.enums import UploadKind
from avatars.models import Upload
from genvid.leasing import from_now
from genvid.tests import media_files
from genvid.tests.factories import Person

PATH = "/api/v1/uploads"


def send(client: Any, content: bytes, name: str = "file.bin", **headers: str) -> Any:
    """Upload `content` as a form."""
    file = SimpleUploadedFile(name, content, content_type="application/octet-stream")
    return client.post(PATH, {"file": file}, format="multipart", headers=headers)


def make_upload(of: Person, content: bytes = b"", **facts: Any) -> Upload:
    """A ready picture, with a stored file."""
    content = content or media_files.picture()
    upload = Upload(account=of.account, created_by=of.user, kind=UploadKind.IMAGE, content_type="image/png")
    upload.filename, upload.bytes, upload.width, upload.height = "me.png", len(content), 320, 200
    upload.expires_at = from_now(7 * 24 * 3600)
    upload.file = f"uploads/{of.account.pk}/{upload.pk}.png"
    for name, value in facts.items():
        setattr(upload, name, value)
    default_storage.save(str(upload.file.name), ContentFile(content))
    upload.save()
    upload.refresh_from_db()
    return upload


def files_on_disk() -> list[str]:
    """Of uploads: stored ones, and what is left of the work on them."""
    folders = [Path(settings.MEDIA_ROOT) / "uploads", Path(settings.WORK_DIR)]
    return sorted(str(path) for folder in folders for path in folder.rglob("*") if path.is_file())


def files_of(person: Person) -> list[str]:
    """Stored files of the account's uploads, by path."""
    return [path for path in files_on_disk() if str(person.account.pk) in path]
