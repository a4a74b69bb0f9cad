"""A web process killed in the middle of orders that clients send again: each is made, and paid for, once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from accounts.models import IdempotencyRecord
from billing.enums import HoldStatus
from billing.models import Hold
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import make_avatar, make_caller
from genvid.tests.processes import WebProcess, answers
from videos.models import Video
from videos.tests.pipeline import wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = 6
TWINS = 6
IN_PROGRESS = (409, 503)


@pytest.fixture
def web(tmp_path):
    # So short a lease that what a killed process has claimed is soon free.
    process = WebProcess(tmp_path, threads=TWINS, IDEMPOTENCY_LEASE="1", REQUIRE_VERIFIED_EMAIL="off")
    yield process.start()
    process.kill9()


class Shopper:
    """A client that sends an order until it knows what became of it."""

    def __init__(self, client: httpx.Client, avatar_id: str) -> None:
        self._client = client
        self._payload = {"script": "Hello there.", "avatar_id": avatar_id}

    def send(self, key: str) -> tuple[int, str]:
        """Status and the id of the video; 0 where the connection broke."""
        try:
            answer = self._client.post("/api/v1/videos", json=self._payload, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, answer.json().get("data", {}).get("id", "")

    def insist(self, key: str) -> str:
        """The id that the order has in the end."""
        seen: list[tuple[int, str]] = []

        def answered() -> bool:
            seen.append(self.send(key))
            return seen[-1][0] not in (0, *IN_PROGRESS)

        wait_until(answered)
        assert seen[-1][0] == 201, seen
        return seen[-1][1]


@pytest.fixture
def person():
    return make_caller(balance=1000)


@pytest.fixture
def shopper(web, person):
    headers = {"Authorization": f"Bearer {person.tokens.access_token}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=60, trust_env=False) as client:
        yield Shopper(client, str(make_avatar().pk))


def test_orders_sent_again_and_again_to_a_web_that_is_killed_are_made_once(web, person, shopper):
    made = {}
    for number in range(ROUNDS):
        key = f"order-{number}"
        with ThreadPoolExecutor(TWINS) as pool:
            tries = [pool.submit(shopper.send, key) for _ in range(TWINS)]
            # The claim is committed, the effect perhaps: the later rounds kill later.
            wait_until(lambda key=key: IdempotencyRecord.objects.filter(key=key).exists())
            if number % 2:
                wait_until(lambda number=number: Video.objects.count() > number)
            web.kill9()
            heard = {video_id for status, video_id in (each.result() for each in tries) if status == 201}
        web.launch()
        wait_until(lambda: answers(f"{web.url}/healthz"))
        made[key] = shopper.insist(key)
        assert heard <= {made[key]}
        assert shopper.insist(key) == made[key]

    assert set(map(str, Video.objects.values_list("pk", flat=True))) == set(made.values())
    holds = Hold.objects.filter(wallet=person.account.pk, status=HoldStatus.OPEN)
    assert person.wallet.held == sum(holds.values_list("amount", flat=True))
    assert holds.count() == ROUNDS
    assert the_ledger_proves()
