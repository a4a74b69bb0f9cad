"""scripts/image.py on a small Dockerfile with a real server, and what each failure says."""

import fcntl
import os
import signal
import socket
from pathlib import Path

import pytest

from genvid.tests.process_table import wait_for_the_end_of
from genvid.tests.scripts import load_script

dockerfile = load_script("dockerfile")
image = load_script("image")

DOCKERFILE = """
FROM python AS tools
COPY name .
RUN python -m venv --without-pip /tools

FROM python AS unused
RUN false

FROM python
RUN useradd genvid
COPY --from=tools /tools /tools
WORKDIR /app
COPY site site
COPY server.py health.py ./
ENV PATH=/tools/bin:$PATH \\
    DATA=/data
VOLUME /data
RUN WORD=built sh -c 'echo $WORD' >/data/word && python -c pass && test -d site/deep
HEALTHCHECK --interval=1s CMD ["python", "health.py"]
CMD ["python", "server.py"]
"""
SERVER = """
import http.server, os, socket
class Server(http.server.HTTPServer):
    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()
open(os.environ["DATA"] + "/pid", "w").write(str(os.getpid()))
Server(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
DEAF_WITH_A_CHILD = """
import fcntl, os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = open(os.environ["DATA"] + "/lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
child = os.fork()
if child == 0:
    signal.pause()
open(os.environ["DATA"] + "/child", "w").write(str(child))
"""
HEALTH = """
import os, sys, urllib.request
try:
    urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/", timeout=5)
except OSError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    (folder / "site" / "deep" / "tests").mkdir(parents=True)
    for name in ("name", "site/index.html", "site/deep/page.html", "site/deep/tests/test.html"):
        (folder / name).write_text(name)
    (folder / "server.py").write_text(SERVER)
    (folder / "health.py").write_text(HEALTH)
    return folder


def built(source: Path, text: str = DOCKERFILE) -> "image.Image":
    made = image.Image(source.parent / "an image", dockerfile.Context(source, "**/tests\n"))
    made.build(dockerfile.parse_dockerfile(text))
    return made


def test_the_image_holds_what_was_copied_and_what_its_steps_made(source):
    root = built(source).root
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {path for path in files if not path.startswith("tools/")} == {
        "name",
        "build.log",
        "app/site/index.html",
        "app/site/deep/page.html",
        "app/server.py",
        "app/health.py",
        "data/word",
    }
    assert (root / "data" / "word").read_text() == "built\n"


def test_nothing_of_the_callers_settings_reaches_the_image(source, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://production")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert {"DATABASE_URL", "PYTHONPATH"} & set(built(source).environment) == set()


def test_the_server_answers_its_health_check_and_is_stopped(source):
    made = built(source)
    with image.held_port() as port:
        made.serve_and_ask({"PORT": str(port)})
    pid = int((made.root / "data" / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def test_no_process_of_a_server_that_does_not_obey_is_left(source, monkeypatch):
    monkeypatch.setattr(image, "STOP_SECONDS", 0.1)
    (source / "server.py").write_text(DEAF_WITH_A_CHILD + SERVER)
    made = built(source)
    with image.held_port() as port:
        made.serve_and_ask({"PORT": str(port)})
    wait_for_the_end_of([int((made.root / "data" / "child").read_text())])
    with (made.root / "data" / "lock").open() as lock:
        # Raises while any process has the file that was locked.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_step_that_fails_is_named_with_what_it_printed(source):
    text = DOCKERFILE.replace("test -d site/deep", "echo no such luck && exit 7")
    with pytest.raises(
        image.BuildFailed, match=r"(?s)RUN WORD=built.*no such luck\nbuild: code 7; all that it printed: "
    ):
        built(source, text)


def test_a_server_that_ends_is_reported_with_its_last_lines(source):
    (source / "server.py").write_text("raise SystemExit('no database')")
    made = built(source)
    with pytest.raises(image.BuildFailed, match=r"(?s)the server ended with code 1\n.*no database"):
        made.serve_and_ask({"PORT": "9"})


def test_a_program_that_is_not_in_the_image_is_not_borrowed_from_the_machine(source):
    made = built(source, DOCKERFILE.replace('CMD ["python", "server.py"]', 'CMD ["sh", "server.sh"]'))
    with pytest.raises(image.BuildFailed, match="sh is not in the image"):
        made.serve_and_ask({})


def test_a_held_port_is_nobody_elses():
    with image.held_port() as port, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
