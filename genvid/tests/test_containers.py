"""The compose file, and the make targets that need a container engine, with a stand-in for the engine's client."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from genvid.schedule import queues
from genvid.tests.scripts import SCRIPTS, load_script

ROOT = SCRIPTS.parent
PRODUCTION = {
    *(
        "postgres",
        "redis",
        "migrate",
        "web",
        "web2",
        "stream",
        "worker",
        "poller",
        "speaker",
        "caller",
        "mailer",
        "beat",
    )
}
ENGINE = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$1 $2" in
"info "*) exit ${INFO:-0} ;;
"compose version") exit ${COMPOSE:-0} ;;
"compose "*) cat >"$CALLS.yml" ;;
"build "*) exit ${BUILD:-0} ;;
esac
"""


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_without_a_profile_production_alone_is_started(compose):
    assert {name for name, each in compose["services"].items() if not each.get("profiles")} == PRODUCTION


def test_production_publishes_the_web_ports_alone_and_on_loopback(compose):
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert {name: ports for name, ports in published.items() if name in PRODUCTION} == {
        "web": ["${WEB_BIND:-127.0.0.1}:${WEB_PORT:-8000}:8000"],
        "web2": ["${WEB_BIND:-127.0.0.1}:${WEB2_PORT:-8001}:8000"],
        "stream": ["${WEB_BIND:-127.0.0.1}:${STREAM_PORT:-8010}:8000"],
    }


def test_the_two_webs_differ_by_their_ports_alone(compose):
    first, second = (dict(compose["services"][name]) for name in ("web", "web2"))
    assert first.pop("ports") != second.pop("ports")
    assert first == second


def test_the_workers_of_production_serve_every_queue_once(compose):
    commands = [each["command"] for each in compose["services"].values() if "worker" in each.get("command", ())]
    served = [queue for command in commands for queue in command[command.index("-Q") + 1].split(",")]
    assert sorted(served) == sorted(queue.name for queue in queues())


@pytest.mark.parametrize(
    ("name", "served"),
    [("mailer", "mail"), ("poller", "polls"), ("speaker", "speech"), ("worker", "celery,ticks")],
)
def test_what_waits_for_others_and_what_must_not_wait_have_workers_of_their_own(compose, name, served):
    command = compose["services"][name]["command"]
    assert command[command.index("-Q") + 1] == served


def test_the_override_for_a_pooler_reaches_all_but_migrations(compose):
    page = (ROOT / "docs" / "production.md").read_text()
    (override,) = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "pgbouncer" in block]
    given = yaml.safe_load(override)["services"]
    ours = {name for name, each in compose["services"].items() if each.get("image") == "genvid:latest"}
    assert set(given) == ours - {"migrate"}
    assert {name for each in given.values() for name in each["environment"]} == {"DATABASE_URL", "PREPARED_STATEMENTS"}


def test_whatever_ends_in_production_is_started_again(compose):
    restarts = {name: compose["services"][name]["restart"] for name in PRODUCTION}
    assert restarts == dict.fromkeys(PRODUCTION, "unless-stopped") | {"migrate": "no"}


def test_every_service_names_only_services_and_volumes_that_are_there(compose):
    services = compose["services"]
    waited_for = {name for each in services.values() for name in each.get("depends_on", ())}
    mounted = {volume.partition(":")[0] for each in services.values() for volume in each.get("volumes", ())}
    assert (waited_for - set(services), mounted) == (set(), set(compose["volumes"]))


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_developers_have_the_same_services_on_loopback_with_data_of_their_own(compose, name):
    theirs, ours = compose["services"][f"dev-{name}"], compose["services"][name]
    assert (theirs["image"], theirs["healthcheck"]) == (ours["image"], ours["healthcheck"])
    assert [port.startswith("127.0.0.1:") for port in theirs["ports"]] == [True]
    assert not set(theirs["volumes"]) & set(ours["volumes"])


def test_what_developers_start_asks_for_no_setting_of_production(compose):
    part = load_script("docker_services").developers_part(compose)
    assert set(part["services"]) == set(part["volumes"]) == {"dev-postgres", "dev-redis"}
    assert not {"env_file", "depends_on", "build"} & {key for each in part["services"].values() for key in each}
    assert ":?" not in yaml.safe_dump(part)


class Engine:
    """A `docker` that records its arguments."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self.path = folder / "bin"
        self.path.mkdir()
        (self.path / "docker").write_text(ENGINE)
        (self.path / "docker").chmod(0o755)

    def run(self, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.path}{os.pathsep}/usr/bin{os.pathsep}/bin"
        given = {"PATH": path, "CALLS": str(self.calls), **environment}
        line = [sys.executable, str(SCRIPTS / script), *words]
        return subprocess.run(line, env=given, capture_output=True, text=True, timeout=120)

    def told(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def engine(tmp_path) -> Engine:
    return Engine(tmp_path)


def test_up_starts_the_two_and_prints_the_settings_to_use_them(engine):
    done = engine.run("docker_services.py", "up", DEV_REDIS_PORT="6400")
    assert done.returncode == 0, done.stderr
    assert [line.strip() for line in done.stdout.splitlines()[1:]] == [
        "export DATABASE_URL=postgres://genvid:genvid@127.0.0.1:5432/genvid",
        "export REDIS_URL=redis://127.0.0.1:6400/0",
    ]
    assert engine.told()[-1] == "compose --project-name genvid-dev --profile dev --file - up --detach --wait"
    assert set(yaml.safe_load(Path(f"{engine.calls}.yml").read_text())["services"]) == {"dev-postgres", "dev-redis"}


def test_down_reaches_the_developers_project_alone_and_keeps_its_volumes(engine):
    assert engine.run("docker_services.py", "down").returncode == 0
    assert engine.told()[-1] == "compose --project-name genvid-dev --profile dev --file - down"


@pytest.mark.parametrize("action", ["up", "down"])
@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ({"INFO": "1"}, "docker: no container engine answers (docker info, podman info).\n"),
        ({"COMPOSE": "1"}, "docker: docker has no compose plugin (docker compose version).\n"),
    ],
)
def test_without_an_engine_one_line_says_so(engine, action, missing, line):
    done = engine.run("docker_services.py", action, **missing)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_an_engine_that_answers_builds_the_image(engine):
    done = engine.run("build.py")
    assert (done.returncode, engine.told()) == (0, ["info", f"build --tag genvid:latest {ROOT}"])
    assert done.stdout.splitlines()[-1] == "build: done: the image genvid:latest is built by docker"


def test_an_image_that_cannot_be_built_is_a_failure(engine):
    done = engine.run("build.py", BUILD="3")
    assert (done.returncode, "docker build ended with code 3" in done.stderr) == (1, True)
