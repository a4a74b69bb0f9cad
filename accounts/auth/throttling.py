"""How often somebody may try to sign in, and ask for mail. Only tries that failed are counted.

Nobody is ever locked out by somebody else: the limit of an e-mail address over all others does not hold for a network
from which that person has signed in.
"""

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from limits import RateLimitItem

from accounts.models import KnownNetwork
from genvid import request_context
from genvid.api.rate_limits import neighbourhood
from genvid.errors import RateLimited
from genvid.rate_limit_storage import counting

KNOWN_NETWORK_RETENTION = timedelta(days=90)
"""How long a network is remembered after the last sign-in from it."""


@dataclass(frozen=True)
class Counter:
    """One limit for one subject."""

    limit: RateLimitItem
    name: tuple[str, ...]

    def wait(self) -> int:
        """Seconds until the next try is free; 0 when it is now."""
        stats = counting(lambda limiter: limiter.get_window_stats(self.limit, *self.name), exactly=True)
        return max(1, math.ceil(stats.reset_time - time.time())) if stats.remaining <= 0 else 0

    def take(self) -> bool:
        """Count one; False when there is none left."""
        return counting(lambda limiter: limiter.hit(self.limit, *self.name), exactly=True)

    def clear(self) -> None:
        counting(lambda limiter: limiter.clear(self.limit, *self.name), exactly=True)


@dataclass(frozen=True)
class Attempt:
    """A try to prove to be the person behind `email`, from where the present request came."""

    email: str
    network: str

    @property
    def subject(self) -> str:
        return f"{self.network}:{_digest(self.email)}"

    def check(self) -> None:
        """Raises RateLimited. Tries that run side by side may overshoot by as many as there are threads to run them."""
        wait = max(counter.wait() for counter in self._counters())
        if wait:
            raise RateLimited("Too many failed tries; wait a little.", retry_after=wait)

    def fail(self) -> None:
        for counter in self._counters():
            counter.take()

    def succeed(self) -> None:
        """Forgets this person's failures from here, and nobody else's."""
        self._pair().clear()

    def _counters(self) -> list[Counter]:
        counters = [self._pair()]
        if self.network:
            counters.append(Counter(settings.LOGIN_LIMIT_PER_ADDRESS, ("login", self.network)))
        if not _is_known(self.email, self.network):
            counters.append(Counter(settings.LOGIN_LIMIT_PER_EMAIL, ("login", _digest(self.email))))
        return counters

    def _pair(self) -> Counter:
        return Counter(settings.LOGIN_LIMIT_PER_PAIR, ("login", self.network, _digest(self.email)))


def attempt(email: str) -> Attempt:
    return Attempt(email.lower(), current_network())


def remember_network(user_id: UUID) -> None:
    """Somebody has proved from here who they are, by a sign-in or by a token of their mailbox.

    One statement, for a network that is known and one that is not.
    """
    if current_network():
        KnownNetwork.objects.bulk_create(
            [KnownNetwork(user_id=user_id, network=current_network(), last_used_at=timezone.now())],
            update_conflicts=True,
            unique_fields=["user", "network"],
            update_fields=["last_used_at"],
        )


def take_mail_allowance(email: str, purpose: str) -> bool:
    """Count one mail to this address; False when it has had enough of them for now."""
    return Counter(settings.MAIL_LIMIT_PER_MAILBOX, ("mail", purpose, _digest(email.lower()))).take()


def current_network() -> str:
    """The network that the present request came from (`network_of`)."""
    return network_of(request_context.current().address)


def network_of(address: str) -> str:
    """What counts as one network: an IPv4 address, the /64 of an IPv6 address, "" for none."""
    return neighbourhood(address)


def _is_known(email: str, network: str) -> bool:
    return bool(network) and KnownNetwork.objects.filter(user__email=email, network=network).exists()


def _digest(email: str) -> str:
    """Nobody who looks into Redis reads who uses this site."""
    return hashlib.sha256(email.encode()).hexdigest()[:32]
