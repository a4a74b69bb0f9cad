"""A web process that is killed while clients repeat orders: each is made and charged once."""

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
    # A short lease, so that the claim of a killed process soon ends.
    process = WebProcess(tmp_path, threads=TWINS, IDEMPOTENCY_LEASE="1", REQUIRE_VERIFIED_EMAIL="off")
    yield process.start()
    process.kill9()


class RetryingClient:
    """A client that sends an order until it has an answer."""

    def __init__(self, client: httpx.Client, avatar_id: str) -> None:
        self._client = client
        self._payload = {"script": "Hello there.", "avatar_id": avatar_id}

    def send(self, key: str) -> tuple[int, str]:
        """Status and id of the video; 0 where the connection broke."""
        try:
            answer = self._client.post("/api/v1/videos", json=self._payload, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, answer.json().get("data", {}).get("id", "")

    def send_until_answered(self, key: str) -> str:
        """The id of the ordered video."""
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
def retrying_client(web, person):
    headers = {"Authorization": f"Bearer {person.tokens.access_token}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=60, trust_env=False) as client:
        yield RetryingClient(client, str(make_avatar().pk))


def test_orders_repeated_against_a_killed_web_process_are_made_once(web, person, retrying_client):
    made = {}
    for number in range(ROUNDS):
        key = f"order-{number}"
        with ThreadPoolExecutor(TWINS) as pool:
            tries = [pool.submit(retrying_client.send, key) for _ in range(TWINS)]
            # The claim is committed, the effect only perhaps: later rounds kill later.
            wait_until(lambda key=key: IdempotencyRecord.objects.filter(key=key).exists())
            if number % 2:
                wait_until(lambda number=number: Video.objects.count() > number)
            web.kill9()
            heard = {video_id for status, video_id in (each.result() for each in tries) if status == 201}
        web.launch()
        wait_until(lambda: answers(f"{web.url}/healthz"))
        made[key] = retrying_client.send_until_answered(key)
        assert heard <= {made[key]}
        assert retrying_client.send_until_answered(key) == made[key]

    assert set(map(str, Video.objects.values_list("pk", flat=True))) == set(made.values())
    holds = Hold.objects.filter(wallet=person.account.pk, status=HoldStatus.OPEN)
    assert person.wallet.held == sum(holds.values_list("amount", flat=True))
    assert holds.count() == ROUNDS
    assert the_ledger_proves()
