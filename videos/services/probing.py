"""Before an order is risked on a HeyGen that had trouble with our account: a read that costs nothing."""

from datetime import timedelta

import structlog
from django.utils import timezone

from genvid.heygen.client import get_client
from genvid.heygen.errors import HeyGenError
from videos import provider
from videos.models import ProviderState

logger = structlog.get_logger(__name__)


def may_order(state: ProviderState) -> bool:
    """Ask HeyGen how our account stands. False renews the closing of the gate, and no video is touched.

    After the longest wait an order goes all the same: an empty wallet may be filled by nothing but a rejected order.
    """
    if not provider.take_look():
        return False
    patience = timedelta(seconds=provider.MAX_PROBE_SECONDS)
    if not _stands_well() and timezone.now() - state.changed_at < patience:
        return False
    provider.let_probe()
    return True


def _stands_well() -> bool:
    try:
        account = get_client().get_account()
    except HeyGenError as error:
        logger.warning("provider_looked_at", error=str(error))
        return False
    logger.info("provider_looked_at", remaining=str(account.remaining), currency=account.currency)
    return account.remaining is None or account.remaining > 0
