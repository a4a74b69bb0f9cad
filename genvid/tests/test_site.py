import json
from pathlib import Path

import pytest

from genvid.tests.services import ServiceError
from genvid.tests.site import EmbeddedSite

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_site_comes_up_again_after_a_power_cut(embedded_site):
    before = embedded_site.secrets
    embedded_site.kill9()

    embedded_site.start()

    assert json.loads(embedded_site.get("/readyz"))["success"] is True
    assert embedded_site.secrets == before


def test_the_secrets_are_for_the_owner_only(embedded_site):
    assert (embedded_site.folder / "env").stat().st_mode & 0o777 == 0o600


def test_a_stopped_site_leaves_no_process_behind(embedded_site):
    family = embedded_site.family()

    embedded_site.stop()

    assert embedded_site.process.returncode == 0
    assert [pid for pid in family if is_running(pid)] == []


def test_a_taken_port_stops_the_start(embedded_site, tmp_path):
    second = EmbeddedSite(tmp_path / "second", PORT=str(embedded_site.port))

    with pytest.raises(ServiceError, match=f"PORT {embedded_site.port} is in use"):
        second.start()
