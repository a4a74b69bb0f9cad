"""How much there is in the tables, and how long each call is measured."""

from dataclasses import dataclass

CLIENTS = 32
SIGN_IN_CLIENTS = 2
"""Those that only sign in while the others read."""
AVATARS = 1_200
VOICES = 1_500
TEAM = 20
"""Members of the large account, each with a session of their own."""
CALLERS = 500
"""Accounts that send requests; as many sign in."""
SCRIPT = "Hello and welcome to our spring sale. Everything in the shop is a third off until Sunday evening."


@dataclass(frozen=True)
class Size:
    videos: int
    large: int
    """Videos of the one large account."""
    owners: int
    """Accounts that share the other videos; further ones have none but those that wait."""
    rounds: int
    seconds: float
    """Of each call in each round."""
    warm_up: float
    """Seconds before them that are not measured."""
    accounts: int = 5_000
    """Beside the large one."""
    waiting: int = 10_000
    """Videos, of all accounts alike, while the queue is long."""


FULL = Size(videos=1_000_000, large=50_000, owners=5_000, rounds=3, seconds=10, warm_up=2)
QUICK = Size(videos=50_000, large=5_000, owners=1_000, rounds=2, seconds=3, warm_up=1)
