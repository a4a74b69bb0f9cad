"""Before an order is risked on a HeyGen that had trouble with our account: a read that costs nothing."""

from datetime import timedelta
from decimal import Decimal

import structlog
from django.utils import timezone

from genvid.heygen.client import get_client
from genvid.heygen.errors import HeyGenError, OperatorProblem
from videos import provider
from videos.models import ProviderState

logger = structlog.get_logger(__name__)


UNTOLD = Decimal(10**9)
"""HeyGen answers, but does not say how much is left."""
REFUSED = Decimal(-1)
"""It does not even let us ask."""


def may_order(state: ProviderState) -> bool:
    """Ask HeyGen how our account stands. False renews the closing of the gate, and no video is touched.

    After the longest wait an order goes all the same: an empty wallet may be filled by nothing but a rejected order.
    """
    if not provider.take_look():
        return False
    patience = timedelta(seconds=provider.MAX_PROBE_SECONDS)
    balance = _balance()
    if balance is not None:
        provider.note_balance(balance)
    if (balance is None or balance <= 0) and timezone.now() - state.changed_at < patience:
        return False
    provider.let_probe()
    return True


def may_order_early() -> bool:
    """Whether a gate that still waits may be probed now: our account stands better than when it was looked at last."""
    if not provider.take_early_look():
        return False
    balance = _balance()
    if balance is None or not provider.note_balance(balance) or balance <= 0:
        return False
    provider.let_probe()
    return True


def _balance() -> Decimal | None:
    """What HeyGen says is left of our money; None when it does not answer."""
    try:
        account = get_client().get_account()
    except OperatorProblem as error:
        logger.warning("provider_looked_at", error=str(error))
        return REFUSED
    except HeyGenError as error:
        logger.warning("provider_looked_at", error=str(error))
        return None
    logger.info("provider_looked_at", remaining=str(account.remaining), currency=account.currency)
    return UNTOLD if account.remaining is None else min(account.remaining, UNTOLD)
