"""`manage.py backup_part`: what the scripts of backup and restore ask of the settings."""

import shlex
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection


def part(name: str) -> str:
    out = StringIO()
    call_command("backup_part", name, stdout=out)
    return out.getvalue()


def variables(name: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in shlex.split(part(name)))


def use_empty_folder(settings, folder) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    }


def test_the_inventory_names_every_file_with_its_bytes(settings, tmp_path):
    use_empty_folder(settings, tmp_path)
    for name, content in (("b.txt", b"12"), ("videos/1/video.mp4", b"film"), ("videos/2/a_b.mp4", b"")):
        default_storage.save(name, ContentFile(content))
    assert sorted(part("inventory").splitlines()) == ["b.txt,2", "videos/1/video.mp4,4", "videos/2/a_b.mp4,0"]


def test_the_inventory_of_nothing_is_empty(settings, tmp_path):
    use_empty_folder(settings, tmp_path / "missing")
    assert part("inventory") == ""


def test_the_environment_leads_pg_dump_to_the_database(settings, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "it's $HOME")
    found = variables("environment")
    assert (found["PGDATABASE"], found["PGPASSWORD"]) == (connection.settings_dict["NAME"], "it's $HOME")
    assert found["MEDIA_FOLDER"] == str(settings.MEDIA_ROOT)


def test_a_bucket_has_no_media_folder(settings):
    settings.S3_BUCKET = "films"
    assert variables("environment")["MEDIA_FOLDER"] == ""


def test_sqlite_is_refused(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    with pytest.raises(CommandError, match=r"^Backups are for PostgreSQL\."):
        part("environment")


def test_the_settings_have_no_secret(monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://videos.example")
    monkeypatch.setenv("SECRET_KEY", "hidden")
    found = variables("settings")
    assert found["PUBLIC_URL"] == "https://videos.example"
    assert not {"SECRET_KEY", "SALT_KEY", "DATABASE_URL", "GENVID_TEST"} & found.keys()
