"""A large file passes through a worker without ever being in its memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from genvid.tests.processes import current_database_url
from videos.tests.pipeline import Pipeline, fresh
from videos.tests.test_crash import make_huge

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MOST_BYTES = 64 * 1024 * 1024
STORE = """
import os, resource, sys
import django
django.setup()
from django.db import connection
from videos.services import storing
connection.ensure_connection()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
storing.store_video(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_half_a_gigabyte_takes_less_than_64_mib_of_memory(sandbox, settings, owner, monkeypatch):
    pipeline = Pipeline(sandbox)
    video = pipeline.storing(pipeline.order(owner))
    make_huge(pipeline.file_at_provider(video, "video.mp4"))

    grown = int(stored_by_a_worker(video, sandbox.url, monkeypatch)) * 1024

    assert fresh(video).file_bytes > 512 * 1024 * 1024
    assert grown < MOST_BYTES


def stored_by_a_worker(video, heygen: str, monkeypatch) -> str:
    monkeypatch.setenv("DATABASE_URL", current_database_url())
    monkeypatch.setenv("HEYGEN_BASE_URL", heygen)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "genvid.settings")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", STORE, str(video.pk)], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.splitlines()[-1]
