"""The measured requests. Each case of the API names the reference design that it is compared with."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from bench.requests.wsgi_calls import Answer, Request, call
from billing.models import Tier
from genvid.tests.factories import Person, make_avatar, make_caller, make_video

BALANCE = 100_000_000
UNLIMITED = 1_000_000_000
AVATARS = 21
STATUSES = ["completed"] * 16 + ["failed", "canceled", "queued", "rendering", "completed"]
"""Oldest first: a page of 20 with some of each status, and one more, so that there is a next page."""
SCRIPT = "Hello and welcome to our spring sale. Everything in the shop is a third off until Sunday evening."


@dataclass(frozen=True)
class Case:
    """`request` makes a new request each time, `undo` reverts the change of one answer; neither is timed."""

    name: str
    request: Callable[[], Request]
    status: int = 200
    beside: str = ""
    undo: Callable[[Answer], None] | None = None

    @property
    def is_reference(self) -> bool:
        return not self.beside


LIST, ONE, CREATE, CATALOGUE = (
    "reference: list of 20 videos",
    "reference: one video",
    "reference: create a video",
    "reference: list of 20 avatars",
)


def make_cases() -> list[Case]:
    Tier.objects.update(requests_per_minute=UNLIMITED)
    avatars = [make_avatar() for _ in range(AVATARS)]
    looker, buyer = (make_caller(balance=BALANCE, verified=True) for _ in range(2))
    videos = [make_video(looker, status, avatar_id=avatars[0].pk, script=SCRIPT) for status in STATUSES]
    return _reads(looker, str(videos[-1].pk)) + _writes(buyer, str(avatars[0].pk), str(avatars[0].default_voice_id))


def _reads(looker: Person, video: str) -> list[Case]:
    def get(path: str, query: str = "") -> Callable[[], Request]:
        return lambda: Request("GET", path, query, headers=_token(looker))

    return [
        Case("GET avatars", get("/api/v1/avatars", "limit=20"), beside=CATALOGUE),
        Case(CATALOGUE, get("/reference/avatars")),
        Case("GET videos", get("/api/v1/videos", "limit=20"), beside=LIST),
        Case(LIST, get("/reference/videos")),
        Case("GET videos/{id}", get(f"/api/v1/videos/{video}"), beside=ONE),
        Case(ONE, get(f"/reference/videos/{video}")),
        Case("GET billing/wallet", get("/api/v1/billing/wallet"), beside=ONE),
    ]


def _writes(buyer: Person, avatar: str, voice: str) -> list[Case]:
    def post(path: str, body: dict[str, object]) -> Callable[[], Request]:
        return lambda: Request("POST", path, body=body, headers=_token(buyer) | {"Idempotency-Key": str(uuid.uuid4())})

    def cancel(created: Answer) -> None:
        """Otherwise the queue grows, and with it the cost of computing a queue position."""
        path = f"/api/v1/videos/{created.data['id']}/cancel"
        answer = call(Request("POST", path, headers=_token(buyer)).environ())
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body!r}")

    look: dict[str, object] = {"title": "Bench", "script": SCRIPT, "resolution": "720p", "metadata": {"order": "4711"}}
    payload = look | {"avatar_id": avatar, "voice_id": voice}
    return [
        Case("POST videos/quote", post("/api/v1/videos/quote", payload), beside=ONE),
        Case("POST videos", post("/api/v1/videos", payload), 201, beside=CREATE, undo=cancel),
        Case(CREATE, post("/reference/videos", look | {"avatar": avatar, "voice": voice}), 201),
    ]


def _token(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.tokens.access_token}"}
