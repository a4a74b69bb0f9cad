"""Who sends the requests: people of the loaded accounts, with access tokens as a sign-in gives them."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from rest_framework_simplejwt.tokens import AccessToken

from accounts.auth.tokens import new_refresh_token, sign_token_pair
from accounts.models import Session
from avatars.models import Avatar
from bench.web.sizes import CALLERS, TEAM, Size
from bench.web.traffic import OURS, REFERENCE, Caller, Catalogue, Traffic
from videos.models import Video

VIDEOS_EACH = 4
PAGE = 20
LIFETIME = timedelta(days=1)
"""A run takes longer than 15 minutes, and a server looks only at the end that a token names."""


def make_traffic(size: Size) -> dict[str, Traffic]:
    """By the name of the server. Both get the same requests, but sign-ins: each has passwords hashed its own way."""
    callers = [_caller(number, number, videos=_videos_of(number)) for number in _drawn(range(size.owners))]
    team = [_caller(size.accounts + number, size.accounts) for number in range(TEAM)]
    catalogue = Catalogue([(str(pk), str(voice)) for pk, voice in _avatars()])
    return {
        server.name: Traffic(server, callers, team, _signers(range(parity, size.accounts, 2)), catalogue)
        for parity, server in enumerate((OURS, REFERENCE))
    }


def _drawn(numbers: Sequence[int]) -> list[int]:
    return random.Random("callers").sample(numbers, min(CALLERS, len(numbers)))


def _signers(numbers: Sequence[int]) -> list[Caller]:
    """`rows` hashed the passwords of even numbers for our server, of odd ones for the reference."""
    return [Caller("", f"person{number}@example.com") for number in numbers[:CALLERS]]


def _avatars() -> Iterable[tuple[UUID, UUID | None]]:
    return Avatar.objects.order_by("provider_id").values_list("pk", "default_voice_id")


def _caller(number: int, account: int, *, videos: Sequence[str] = ()) -> Caller:
    session = Session(id=_id("session", number), user_id=_id("user", number), account_id=_id("account", account))
    role = "owner" if number == account else "member"
    token = AccessToken(sign_token_pair(session, role, new_refresh_token()).access_token.encode())  # type: ignore[arg-type]
    token.set_exp(lifetime=LIFETIME)
    return Caller(str(token), f"person{number}@example.com", videos)


def _videos_of(number: int) -> list[str]:
    """Some of the first page."""
    newest = Video.objects.filter(account=_id("account", number)).values_list("pk", flat=True)[:PAGE]
    return [str(pk) for pk in random.Random(number).sample([*newest], VIDEOS_EACH)]


def _id(kind: str, number: int) -> UUID:
    """As `rows.ID` makes it."""
    return UUID(hashlib.md5(f"{kind}:{number}".encode(), usedforsecurity=False).hexdigest())
