"""scripts/upgrade.sh from the release before to this one, under load behind a proxy: not one request fails."""

import os
import secrets
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from genvid.sandbox.process import SandboxProcess
from genvid.tests.drills.caddy import Caddy
from genvid.tests.drills.engine import Engine
from genvid.tests.drills.nginx import Nginx
from genvid.tests.drills.programs import ReleaseWeb, manage, server
from genvid.tests.site import ROOT
from genvid.tests.tools import find, first_of

pytestmark = [pytest.mark.drill, pytest.mark.slow]
REQUESTS = 600
FORMER = 100_000
"""Videos of the time before the upgrade."""
CUSTOMERS = 4
WEBS = ("web", "web2")
PROXIES: dict[str, type[Nginx] | type[Caddy]] = {"nginx": Nginx, "caddy": Caddy}


@pytest.fixture
def environment(empty_database: str, sandbox_process: SandboxProcess, tmp_path: Path) -> dict[str, str]:
    own = {"DATABASE_URL": empty_database, "GENVID_VAR": str(tmp_path / "var")}
    return dict(os.environ) | own | {"HEYGEN_BASE_URL": sandbox_process.url, "SIGNUP_CREDITS": "30"}


@pytest.fixture
def webs(previous_code: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, ReleaseWeb]]:
    """Two web processes of the release before, on its own schema with a catalogue."""
    for words in (["migrate", "--noinput"], ["sync_avatars"]):
        program = manage(tmp_path, previous_code, environment, *words)
        assert program.finish() == 0, program.output()
    running = {name: ReleaseWeb(name, tmp_path, previous_code, environment) for name in WEBS}
    try:
        for web in running.values():
            web.start()
        yield running
    finally:
        for web in running.values():
            web.stop()


def proxy_params() -> list[Any]:
    """Each that this machine has, or the first, which says what is missing; beside it the other takes minutes more."""
    first, *others = [name for name in PROXIES if find(name)] or [*PROXIES]
    return [first, *(pytest.param(name, marks=pytest.mark.minutes) for name in others if find(name))]


@pytest.fixture(params=proxy_params())
def proxy(request: pytest.FixtureRequest, webs: dict[str, ReleaseWeb], tmp_path: Path) -> Iterator[Nginx | Caddy]:
    _, binary = first_of(request.param, *PROXIES)
    with PROXIES[request.param](tmp_path, binary) as started:
        started.start(*(web.port for web in webs.values()))
        yield started


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    made.close()


class Machine:
    """What the words of `docker compose` do here: `web` and `web2` are processes, the image is this code."""

    def __init__(self, webs: dict[str, ReleaseWeb], environment: dict[str, str], folder: Path) -> None:
        self.webs, self.environment, self.folder = webs, environment, folder

    def act(self, words: list[str]) -> int:
        if words[0] == "--profile":
            # No renderer of test keys runs here.
            return 1
        if words[0] == "run":
            program = manage(self.folder, ROOT, self.environment, words[-1], "--noinput")
            return program.finish()
        if words[0] == "exec":
            return self.ask(self.webs[words[2]], words[4:])
        if words[0] == "up" and words[-1] in self.webs:
            self.replace(self.webs[words[-1]])
        return 0

    def ask(self, web: ReleaseWeb, words: list[str]) -> int:
        environment = {"GRANIAN_PORT": str(web.port), "ALLOWED_HOSTS": "127.0.0.1"}
        return subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True).returncode

    def replace(self, web: ReleaseWeb) -> None:
        web.stop()
        web.root = ROOT
        web.launch()


class Load:
    """Customers who register, look, ask for prices and order, as fast as they are answered."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1"
        self.failures: list[str] = []
        self.answered: Counter[str] = Counter()
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._live) for _ in range(CUSTOMERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Goes on until there were enough requests."""
        while exc[0] is None and sum(self.answered.values()) < REQUESTS and not self.failures:
            self._enough.wait(0.05)
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def visit_once(self) -> None:
        self._visit()

    def _live(self) -> None:
        while not self._enough.is_set() and not self.failures:
            try:
                self._visit()
            except (httpx.HTTPError, AssertionError) as error:
                self.failures.append(repr(error))

    def _visit(self) -> None:
        login = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe(16)}
        registered = self._call("POST", "auth/register", login)
        token = {"Authorization": f"Bearer {registered['access_token']}"}
        avatars = self._call("GET", "avatars?limit=100", headers=token)
        request = {"script": "Hello.", "avatar_id": next(each["id"] for each in avatars if each["default_voice_id"])}
        for _ in range(4):
            self._call("POST", "videos/quote", request, token)
            self._call("GET", "billing/wallet", headers=token)
        video = self._call("POST", "videos", request, token)
        for _ in range(4):
            self._call("GET", f"videos/{video['id']}", headers=token)
            self._call("GET", "billing/ledger", headers=token)

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = httpx.request(method, f"{self.url}/{path}", json=body, headers=headers, timeout=60, trust_env=False)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        self.answered[f"POST {path}" if method == "POST" else "GET"] += 1
        return answer.json()["data"]


def copy_video(session: Any, count: int) -> None:
    """Many finished copies of the only video, so that migrations have rows to change and indexes to build."""
    columns = [name for (name,) in session.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'videos_video'"
    )]  # fmt: skip
    own = {"id": "gen_random_uuid()", "status": "'canceled'", "completed_at": "now()", "due_at": "NULL"}
    own |= {"idempotency_key": "NULL", "provider_video_id": "NULL", "created_at": "now() - n * interval '1 second'"}
    values = ", ".join(own.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    session.execute(
        f"INSERT INTO videos_video ({names}) SELECT {values} FROM videos_video, generate_series(1, {count}) n"  # noqa: S608 - SQL of tests
    )


def test_no_request_fails_during_an_upgrade(webs, proxy, engine, environment, database_name, tmp_path):
    machine = Machine(webs, environment, tmp_path)
    ports = {"WEB_PORT": str(webs["web"].port), "WEB2_PORT": str(webs["web2"].port)}
    options = [proxy.option, str(proxy.upstreams), "--reload", proxy.reload_command, "--drain", "1"]
    first = Load(proxy.url)
    first.visit_once()
    with server(database_name, autocommit=True) as session:
        copy_video(session, FORMER)
    with Load(proxy.url) as load:
        done = engine.upgrade(machine.act, *options, **ports)
    assert (done.returncode, load.failures) == (0, []), done.stdout
    assert sum(load.answered.values()) >= REQUESTS
    assert [web.root for web in webs.values()] == [ROOT, ROOT]
    with server(database_name) as session:
        (orders,) = session.execute("SELECT count(*) FROM videos_video").fetchone()
    assert orders == FORMER + first.answered["POST videos"] + load.answered["POST videos"]
