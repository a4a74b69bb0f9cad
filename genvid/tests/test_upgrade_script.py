"""scripts/upgrade.sh with a stand-in for the engine: the order of its steps, and what the proxy is told at each."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from genvid.tests.drills.engine import ROOT, Engine

WORKERS = "worker poller speaker caller mailer beat"
PORTS = {"WEB_PORT": "18000", "WEB2_PORT": "18001"}
BOTH = "server 127.0.0.1:18000 max_fails=0;\nserver 127.0.0.1:18001 max_fails=0;\n"
FIRST, SECOND = BOTH.splitlines(keepends=True)


class Machine:
    """Services that are ready or not. Notes what the proxy read when it was reloaded, and beside it each `up`."""

    def __init__(self, engine: Engine, folder: Path, *, running: set[str], broken: tuple[str, ...] = ()) -> None:
        self.engine, self.running, self.broken = engine, set(running), broken
        self.upstreams, self.reloads = folder / "genvid_web.conf", folder / "reloads"
        self.seen: list[str] = []

    def act(self, words: list[str]) -> int:
        if words[:2] == ["--profile", "test-keys"]:
            words = words[2:]
        if words[0] == "exec":
            return int(words[2] not in self.running)
        if words[0] == "up":
            self.seen.append(f"{' '.join(words[3:])}: {self.upstreams.read_text() if self.upstreams.is_file() else ''}")
            self.running = (self.running | {words[-1]}) - ({words[-1]} & set(self.broken))
        return int(words[0] in self.broken or (words[0] == "run" and words[-1] in self.broken))

    def upgrade(self, *options: str, proxy: str = "--nginx"):
        reload = f"cat {self.upstreams} >>{self.reloads}; echo >>{self.reloads}"
        words = [proxy, str(self.upstreams), "--reload", reload, "--drain", "0", "--ready", "0", *options]
        return self.engine.upgrade(self.act, *words, **PORTS)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    made.close()


def test_each_web_is_replaced_while_the_proxy_knows_the_other_alone(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    done = machine.upgrade()
    assert done.returncode == 0, done.stdout
    assert engine.calls[1:4] == ["build", "run --rm --no-deps migrate", f"up -d --no-deps {WORKERS}"]
    assert machine.seen == [f"{WORKERS}: ", f"web: {SECOND}", f"web2: {FIRST}", f"stream: {BOTH}"]
    assert machine.reloads.read_text() == f"{SECOND}\n{FIRST}\n{BOTH}\n"


def test_every_process_of_the_compose_file_is_replaced(engine, tmp_path):
    """One that was forgotten would go on with the release before, or, where that had none, never start."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name for name, each in services.items() if each.get("image") == "genvid:latest"}
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    machine.upgrade()
    started = {name for call in engine.calls if call.startswith("up ") for name in call.split()[3:]}
    assert started == ours - {"migrate"}


RENDERER = "--profile test-keys"


def test_a_renderer_of_test_keys_that_runs_is_built_anew_and_replaced_before_the_workers(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2", "test-renderer"})
    assert machine.upgrade().returncode == 0
    assert engine.calls[:6] == [
        f"{RENDERER} exec -T test-renderer true",
        "build",
        f"{RENDERER} build test-renderer",
        "run --rm --no-deps migrate",
        f"{RENDERER} up -d --no-deps test-renderer",
        f"up -d --no-deps {WORKERS}",
    ]


def test_a_renderer_of_test_keys_that_does_not_run_is_not_started(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    assert machine.upgrade().returncode == 0
    assert [call for call in engine.calls if RENDERER in call] == [f"{RENDERER} exec -T test-renderer true"]


def test_two_upgrades_at_once_are_refused(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    with subprocess.Popen(["flock", str(engine.folder), "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin and other.stdout
        other.stdin.write(b"\n")
        other.stdin.flush()
        other.stdout.read(1)
        done = machine.upgrade()
    assert (done.returncode, engine.calls) == (1, [])
    assert done.stdout == "upgrade: another upgrade is under way\n"


def test_upstreams_that_cannot_be_written_end_the_upgrade_before_the_proxy_reads_them(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    machine.upstreams.symlink_to("/dev/full")
    # Nothing may read that file: it has no end.
    done = machine.upgrade("--reload", f"touch {machine.reloads}")
    assert (done.returncode, "cannot be written" in done.stdout, machine.reloads.exists()) == (1, True, False)
    assert machine.running == {"web", "web2", "beat"}


def test_a_web_that_is_not_running_is_started_first(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web"})
    assert machine.upgrade().returncode == 0
    assert machine.seen == [f"{WORKERS}: ", "web2: ", f"web: {SECOND}", f"stream: {BOTH}"]


def test_when_the_new_web_does_not_get_ready_the_other_serves_on(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"}, broken=("web",))
    done = machine.upgrade()
    assert (done.returncode, "web is not ready after 0 s: docker compose logs web." in done.stdout) == (1, True)
    assert (machine.upstreams.read_text(), "web2" in machine.running) == (SECOND, True)


@pytest.mark.parametrize("step", ["build", "migrate"])
def test_a_failed_step_ends_the_upgrade_before_anything_is_replaced(engine, tmp_path, step):
    machine = Machine(engine, tmp_path, running={"web", "web2"}, broken=(step,))
    assert machine.upgrade().returncode == 1
    assert (machine.seen, machine.upstreams.exists()) == ([], False)


def test_caddy_reads_its_upstreams_from_a_snippet(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    assert machine.upgrade(proxy="--caddy").returncode == 0
    one, other, both = (line for line in machine.reloads.read_text().splitlines() if line)
    assert (one, other, both) == ("to 127.0.0.1:18001", "to 127.0.0.1:18000", "to 127.0.0.1:18000 127.0.0.1:18001")


def test_a_proxy_that_cannot_be_reloaded_ends_the_upgrade(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    done = machine.upgrade("--reload", "false")
    assert (done.returncode, "the proxy could not be reloaded: false" in done.stdout) == (1, True)
    assert machine.seen == [f"{WORKERS}: "]


def test_without_a_proxy_the_webs_are_replaced_and_the_risk_is_told(engine, tmp_path):
    machine = Machine(engine, tmp_path, running={"web", "web2"})
    done = engine.upgrade(machine.act, **PORTS)
    assert (done.returncode, "no proxy was named" in done.stdout) == (0, True)


@pytest.mark.parametrize("words", [["--nginx"], ["--haproxy", "file"]])
def test_unknown_options_are_refused(engine, words):
    done = engine.upgrade(lambda _: 0, *words)
    assert (done.returncode, done.stdout.startswith("usage: scripts/upgrade.sh"), engine.calls) == (2, True, [])
