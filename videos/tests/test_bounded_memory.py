"""A worker stores a large file without holding it in memory."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genvid.tests.processes import current_database_url
from videos.tests.pipeline import Pipeline, fresh
from videos.tests.test_crash import make_huge

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MOST_BYTES = 64 * 1024 * 1024
STORE = """
import sys
import django
django.setup()
from django.db import connection
from videos.pipeline import storage

def peak() -> int:
    # Not ru_maxrss: that survives exec, and so begins at what the process that started this one had used.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

connection.ensure_connection()
before = peak()
storage.store_video(sys.argv[1])
print(peak() - before)
"""


class Bucket(BaseHTTPRequestHandler):
    """An S3 endpoint for multipart uploads; it counts the bytes and stores none."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            chunk = len(self.rfile.read(min(left, 65536)))
            left, Bucket.received = left - chunk, Bucket.received + chunk
        self.answer(b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(b"<Result><UploadId>1</UploadId><ETag>2</ETag></Result>")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"2"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    """The environment of a worker that stores into a bucket."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "S3_REGION": "us-east-1"}
        yield keys | {"S3_BUCKET": "films", "S3_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


@pytest.fixture
def huge(sandbox, owner):
    """A rendered video of half a gigabyte."""
    pipeline = Pipeline(sandbox)
    video = pipeline.reach_storing(pipeline.order(owner))
    make_huge(pipeline.file_at_provider(video, "video.mp4"))
    return video


def test_storing_half_a_gigabyte_takes_less_than_64_mib_of_memory(sandbox, huge, monkeypatch):
    grown = int(stored_by_a_worker(huge, sandbox.url, monkeypatch)) * 1024

    assert fresh(huge).file_bytes > 512 * 1024 * 1024
    assert 0 < grown < MOST_BYTES


def test_storing_half_a_gigabyte_in_a_bucket_takes_less_than_64_mib_of_memory(sandbox, huge, bucket, monkeypatch):
    grown = int(stored_by_a_worker(huge, sandbox.url, monkeypatch, **bucket)) * 1024

    assert Bucket.received > fresh(huge).file_bytes > 512 * 1024 * 1024
    assert 0 < grown < MOST_BYTES


def stored_by_a_worker(video, heygen: str, monkeypatch, **environment: str) -> str:
    """The KiB by which the memory of the worker process has grown."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", current_database_url())
    monkeypatch.setenv("HEYGEN_BASE_URL", heygen)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "genvid.settings")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", STORE, str(video.pk)], cwd=root, capture_output=True, text=True, timeout=900, check=True
    )
    return done.stdout.splitlines()[-1]
