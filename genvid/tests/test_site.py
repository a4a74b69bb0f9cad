import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from genvid.tests.process_table import is_running
from genvid.tests.services import ServiceError
from genvid.tests.site import ROOT, EmbeddedSite, clean_environment

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

LAST_OF_BANNER = "Ctrl-C stops everything."


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Iterator[EmbeddedSite]:
    """One installation for the module: the first start migrates, which takes longest."""
    with EmbeddedSite(tmp_path_factory.mktemp("site") / "var") as site:
        yield site


@pytest.fixture(scope="module")
def first_console(installation: EmbeddedSite) -> str:
    """The output of the first start."""
    return start_until_banner(installation)


@pytest.fixture
def site(installation: EmbeddedSite, first_console: str) -> EmbeddedSite:
    return installation if installation.is_running() else installation.start()


def workers(site: EmbeddedSite) -> list[int]:
    """Beat is a thread of the one worker, for SQLite's files bear no fork."""
    return [pid for pid in site.family() if "celery\0--quiet" in command_line(pid)]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def start_until_banner(site: EmbeddedSite) -> str:
    """The output of this start."""
    before = len(site.output())
    site.start()
    site.wait(lambda: LAST_OF_BANNER in site.output()[before:])
    return site.output()[before:]


def split_at_banner(console: str) -> tuple[list[str], str]:
    lines, _, banner = console.partition("\n\n    genvid is up")
    return lines.splitlines(), banner


def command(site: EmbeddedSite, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs manage.py with the folder as its only setting."""
    environment = clean_environment() | {"GENVID_VAR": str(site.folder)}
    line = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=240)


def test_a_first_start_says_what_it_does_and_warns_of_nothing(first_console):
    lines, banner = split_at_banner(first_console)
    assert [line.split(" ")[0] for line in lines] == ["genvid:", "Bringing", "Made", "genvid:"], lines
    assert banner.rstrip().endswith(LAST_OF_BANNER), banner


def test_a_second_start_says_only_that_it_starts(site):
    site.stop()
    lines, banner = split_at_banner(start_until_banner(site))
    assert [line.partition(" (")[0] for line in lines] == ["genvid: starting sandbox, web, worker"]
    assert banner.rstrip().endswith(LAST_OF_BANNER), banner


def test_the_banner_says_how_to_see_the_password_again(site):
    (shown,) = {line.split("by ", 1)[1] for line in site.output().splitlines() if "shown again by" in line}
    again = subprocess.run(["sh", "-c", shown], capture_output=True, text=True)
    assert f"DEMO_ADMIN_PASSWORD={site.secrets['DEMO_ADMIN_PASSWORD']}\n" in again.stdout


def test_requests_are_in_the_log_of_the_web_server_and_not_on_the_screen(site):
    site.get("/api/v1/schema/?asked=for-the-log")
    log = site.folder / "log" / "web.log"
    site.wait(lambda: "request='GET /api/v1/schema/" in log.read_text())
    assert "request_finished" not in site.output()


def test_manage_py_finds_the_settings_of_the_site(site):
    shown = command(site, "shell", "-v", "0", "-c", "from django.conf import settings as s; print(s.HEYGEN_BASE_URL)")
    assert (shown.returncode, shown.stdout.strip()) == (0, site.sandbox_url), shown.stderr


def test_manage_py_works_on_the_data_of_the_site(site):
    proof = command(site, "check_ledger")
    assert (proof.returncode, proof.stdout) == (0, "The ledger proves: 0 wallets.\n"), proof.stderr


def test_a_part_that_ends_stops_the_site_and_its_last_lines_are_shown(site):
    site.wait(lambda: parts_of(site)["beat"] == "ok")
    family = site.family()
    (worker,) = workers(site)
    before = len(site.output())

    os.kill(worker, signal.SIGKILL)

    site.process.wait(120)
    console = site.output()[before:]
    assert (site.returncode, [pid for pid in family if is_running(pid)]) == (1, [])
    assert f"the last lines of {site.folder}/log/worker.log:\n" in console
    log = (site.folder / "log" / "worker.log").read_text()
    assert log.splitlines()[-1] in console
    assert console.endswith("genvid: stopped, because worker ended (code -9); its last lines above say why.\n")


def test_the_queues_are_made_before_the_parts_could_race_for_them(tmp_path):
    with (
        EmbeddedSite.prepared(tmp_path / "var") as unstarted,
        closing(sqlite3.connect(unstarted.folder / "broker.sqlite3")) as link,
    ):
        names = [name for (name,) in link.execute("SELECT name FROM kombu_queue ORDER BY name")]
    assert names == ["celery", "files", "mail", "orders", "outgoing", "polls", "speech", "ticks"]


def test_the_site_comes_up_again_after_a_power_cut(site):
    before = site.secrets
    site.kill9()

    site.start()

    site.wait(lambda: json.loads(site.get("/readyz"))["success"])
    assert site.secrets == before


def test_beat_and_every_queue_of_the_embedded_broker_prove_that_they_live(site):
    site.wait(lambda: "starting" not in parts_of(site).values())
    parts = parts_of(site)
    queues = ("celery", "files", "mail", "orders", "outgoing", "polls", "speech", "ticks")
    assert {name: parts[name] for name in ("beat", *queues)} == dict.fromkeys(("beat", *queues), "ok")


def parts_of(site: EmbeddedSite) -> dict[str, str]:
    """As if all were starting, while one of them needs longer."""
    return json.loads(site.get("/readyz")).get("data", {"parts": {"beat": "starting"}})["parts"]


def test_the_secrets_are_for_the_owner_only(site):
    assert (site.folder / ".env").stat().st_mode & 0o777 == 0o600


def test_a_stopped_site_leaves_no_process_behind(site):
    family = site.family()

    site.stop()

    assert site.returncode == 0
    assert [pid for pid in family if is_running(pid)] == []


def test_a_taken_port_stops_the_start(site, tmp_path):
    second = EmbeddedSite(tmp_path / "second", PORT=str(site.port))

    with pytest.raises(ServiceError, match=f"PORT {site.port} is in use"):
        second.start()
