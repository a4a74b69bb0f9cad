"""A customer's workflow on the real `make run`, over HTTP only, with a power cut in between."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from genvid.tests.factories import PASSWORD

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

PATIENCE = 900.0


class Customer:
    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False, follow_redirects=True)
        answer = self.ask("POST", "auth/register", email="smoke@example.com", password=PASSWORD)
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, f"/api/v1/{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def order(self, script: str) -> str:
        avatar = self.wait_until(self.presenter)
        video = self.ask("POST", "videos", script=script, avatar_id=avatar["id"], resolution="720p")
        return str(video["id"])

    def presenter(self) -> Any:
        """The catalogue fills in the background of the first start."""
        return next((each for each in self.ask("GET", "avatars") if each["default_voice_id"]), None)

    def wait_for(self, video_id: str, *statuses: str) -> dict[str, Any]:
        def there() -> dict[str, Any] | None:
            video = self.ask("GET", f"videos/{video_id}")
            return video if video["status"] in statuses else None

        return self.wait_until(there)

    def wait_until(self, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            assert time.monotonic() < deadline, f"not within {PATIENCE} s"
            time.sleep(0.05)
        return found

    def download(self, video_id: str, what: str) -> bytes:
        answer = self.http.get(f"/api/v1/videos/{video_id}/{what}")
        assert answer.status_code == 200, answer.text
        return answer.content

    def charges(self) -> list[int]:
        return [entry["credits"] for entry in self.ask("GET", "billing/ledger") if entry["kind"] == "charge"]


@pytest.fixture
def customer(embedded_site) -> Iterator[Customer]:
    person = Customer(embedded_site.url)
    yield person
    person.http.close()


def test_the_schedule_ticks_without_an_error(embedded_site, customer):
    """A fork of beat with SQLite's files open had each of its messages fail."""
    customer.wait_until(lambda: b'"beat":"ok"' in embedded_site.get("/readyz"))
    log = (embedded_site.folder / "log" / "worker.log").read_text()
    assert [line for line in log.splitlines() if "SchedulingError" in line or "not a database" in line] == []


def test_a_customer_gets_the_videos_paid_for_even_through_a_power_cut(embedded_site, customer):
    first = customer.order("Hello there.")
    done = customer.wait_for(first, "completed", "failed")
    assert done["status"] == "completed"
    assert customer.charges() == [-done["credits"]["charged"]]
    film = customer.download(first, "file")
    assert film[4:8] == b"ftyp"
    assert customer.download(first, "thumbnail").startswith(b"\xff\xd8\xff")
    assert b"Hello there." in customer.download(first, "captions")

    second = customer.order("The lights go out.")
    customer.wait_for(second, "processing", "completed")
    embedded_site.kill9()
    embedded_site.start()

    again = customer.wait_for(second, "completed", "failed")
    assert again["status"] == "completed"
    assert sorted(customer.charges()) == sorted([-done["credits"]["charged"], -again["credits"]["charged"]])
    wallet = customer.ask("GET", "billing/wallet")
    assert (wallet["balance"], wallet["held"]) == (30 + sum(customer.charges()), 0)
    assert hashlib.sha256(customer.download(first, "file")).digest() == hashlib.sha256(film).digest()
    assert customer.download(second, "file")[4:8] == b"ftyp"
