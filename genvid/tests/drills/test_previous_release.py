"""An upgrade from the release before: its code goes on serving while this code migrates its database, and after."""

import os
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from genvid.sandbox.stripe_actions import StripeActions
from genvid.tests.drills.programs import PATIENCE, Program, manage, server
from genvid.tests.previous_release import NoHistory, PreviousSite, commit_of_previous_release, unpack
from genvid.tests.site import ROOT, clean_environment
from videos.tests.pipeline import wait_until

pytestmark = [pytest.mark.drill, pytest.mark.slow]


@pytest.fixture
def site(previous_code: Path, empty_database: str, tmp_path: Path) -> Iterator[PreviousSite]:
    """The previous release, serving on its own schema.

    The web of 0.9.0 sends its messages to no broker but the one of CELERY_BROKER_URL. Without them all waits for ticks,
    which its worker throws away when it is two seconds late: on a busy machine that may take minutes.
    """
    broker = os.environ["REDIS_URL"]
    own = {"DATABASE_URL": empty_database, "REDIS_URL": broker, "CELERY_BROKER_URL": broker}
    with PreviousSite(previous_code, tmp_path / "var", **own) as running:
        yield running.start()


class Customer:
    """Registers with the site, and calls its API with a token."""

    def __init__(self, site: PreviousSite) -> None:
        self.url, self.headers = f"{site.url}/api/v1", dict[str, str]()
        login = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe(16)}
        self.call("POST", "auth/register", login)
        self.headers["Authorization"] = f"Bearer {self.call('POST', 'auth/login', login)['access_token']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = self.headers | {"Idempotency-Key": secrets.token_hex(16)}
        answer = httpx.request(method, f"{self.url}/{path}", json=body, headers=headers, timeout=60, trust_env=False)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()["data"]

    @property
    def balance(self) -> int:
        return self.call("GET", "billing/wallet")["balance"]

    def order(self) -> dict[str, Any]:
        avatar = next(each for each in self.call("GET", "avatars?limit=100") if each["default_voice_id"])
        return self.call("POST", "videos", {"script": "Hello from the release before.", "avatar_id": avatar["id"]})

    def wait_for(self, video: dict[str, Any]) -> dict[str, Any]:
        last = [video]

        def has_ended() -> bool:
            last.append(self.call("GET", f"videos/{video['id']}"))
            return last[-1]["status"] in ("completed", "failed", "canceled")

        wait_until(has_ended, seconds=PATIENCE, why=lambda: str(last[-1]))
        return last[-1]

    def buy(self, site: PreviousSite) -> None:
        """The first pack on sale, paid at the sandbox's Stripe; waits for its credits."""
        plan = next(each for each in self.call("GET", "billing/plans") if each["kind"] == "pack")
        session = self.call("POST", "billing/checkout", {"plan_id": plan["id"]})
        before = self.balance
        StripeActions(asking(site.sandbox_url)).pay(session["session_id"])
        wait_until(lambda: self.balance == before + plan["credits"], seconds=PATIENCE, why=lambda: str(self.balance))


def asking(sandbox_url: str) -> Callable[..., Any]:
    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{sandbox_url}/_sandbox{path}", json=body, timeout=120, trust_env=False)
        return answer.raise_for_status().json()

    return ask


@pytest.fixture
def manage_site(site: PreviousSite, empty_database: str) -> Callable[..., Program]:
    """`manage.py` of this code on the site's database, with the site's secrets."""
    environment = clean_environment() | {"GENVID_VAR": str(site.folder), "DATABASE_URL": empty_database}
    return partial(manage, site.folder, ROOT, environment | {"REDIS_URL": os.environ["REDIS_URL"]})


def test_the_release_before_serves_while_and_after_its_database_is_migrated(site, manage_site, database_name):
    early = Customer(site)
    with server(database_name) as reader:
        reader.execute("SELECT 1 FROM videos_video")
        migration = manage_site("migrate", "--lock-timeout", "0.5")
        wait_until(lambda: "Held by" in migration.output(), seconds=PATIENCE, why=migration.output)
        during = early.order()
        reader.rollback()
    assert migration.finish() == 0, migration.output()
    assert "on videos_video" in migration.output()

    assert early.wait_for(during)["status"] == "completed"
    late = Customer(site)
    granted = late.balance
    video = late.wait_for(late.order())
    assert (video["status"], granted - late.balance) == ("completed", video["credits"]["charged"])
    late.buy(site)

    proof = manage_site("check_ledger")
    assert proof.finish() == 0, proof.output()


def test_the_previous_release_is_named_by_the_table_of_releases():
    assert len(commit_of_previous_release()) >= 7


def test_without_history_the_reason_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    with pytest.raises(NoHistory, match="is not in the history of this clone"):
        unpack(tmp_path / "code")
