import json
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Iterator[EmbeddedSite]:
    """One installation for the module: the first start migrates, which takes longest."""
    with EmbeddedSite(tmp_path_factory.mktemp("site") / "var") as site:
        yield site


@pytest.fixture
def site(installation: EmbeddedSite) -> EmbeddedSite:
    return installation if installation.is_running() else installation.start()


def test_the_site_comes_up_again_after_a_power_cut(site):
    before = site.secrets
    site.kill9()

    site.start()

    assert json.loads(site.get("/readyz"))["success"] is True
    assert site.secrets == before


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
