"""Throttles failed sign-ins and requested mails. The limit per e-mail address does not apply to networks from which the
person has signed in before, so that others cannot lock them out.
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
from genvid.api.rate_limits import rate_limit_network
from genvid.errors import RateLimited
from genvid.rate_limit_storage import with_limiter

KNOWN_NETWORK_RETENTION = timedelta(days=90)


@dataclass(frozen=True)
class Counter:
    limit: RateLimitItem
    name: tuple[str, ...]

    def wait(self) -> int:
        """Seconds until the next attempt is allowed, 0 if it is now."""
        stats = with_limiter(lambda limiter: limiter.get_window_stats(self.limit, *self.name))
        return max(1, math.ceil(stats.reset_time - time.time())) if stats.remaining <= 0 else 0

    def hit(self) -> bool:
        return with_limiter(lambda limiter: limiter.hit(self.limit, *self.name))

    def clear(self) -> None:
        with_limiter(lambda limiter: limiter.clear(self.limit, *self.name))


@dataclass(frozen=True)
class Attempt:
    email: str
    network: str

    @property
    def subject(self) -> str:
        return f"{self.network}:{_digest(self.email)}"

    def check(self) -> None:
        """Raises RateLimited. Concurrent attempts may exceed the limit by the number of threads."""
        wait = max(counter.wait() for counter in self._counters())
        if wait:
            raise RateLimited("Too many failed tries; wait a little.", retry_after=wait)

    def fail(self) -> None:
        for counter in self._counters():
            counter.hit()

    def succeed(self) -> None:
        """Resets the failures of this person from this network only."""
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
    """Call it after a sign-in or the use of a mailed token."""
    if current_network():
        KnownNetwork.objects.bulk_create(
            [KnownNetwork(user_id=user_id, network=current_network(), last_used_at=timezone.now())],
            update_conflicts=True,
            unique_fields=["user", "network"],
            update_fields=["last_used_at"],
        )


def take_mail_allowance(email: str, purpose: str) -> bool:
    """Count a mail to this address. Returns False if MAIL_LIMIT_PER_MAILBOX is reached."""
    return Counter(settings.MAIL_LIMIT_PER_MAILBOX, ("mail", purpose, _digest(email.lower()))).hit()


def current_network() -> str:
    return network_of(request_context.current().address)


def network_of(address: str) -> str:
    """An IPv4 address, the /64 of an IPv6 address, or ""."""
    return rate_limit_network(address)


def _is_known(email: str, network: str) -> bool:
    return bool(network) and KnownNetwork.objects.filter(user__email=email, network=network).exists()


def _digest(email: str) -> str:
    """Keeps addresses out of Redis."""
    return hashlib.sha256(email.encode()).hexdigest()[:32]
