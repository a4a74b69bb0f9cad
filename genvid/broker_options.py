"""How kombu talks to the broker."""

from typing import Any


def transport_options(*, is_redis: bool) -> dict[str, Any]:
    """For CELERY_BROKER_TRANSPORT_OPTIONS. Enqueueing gives up at once where the broker is dead."""
    options: dict[str, Any] = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
    if not is_redis:
        return options
    # A worker that dies keeps its messages unacknowledged; they come back after the visibility timeout.
    return options | {
        "visibility_timeout": 600,
        "unacked_restore_throttle": 1,
        "unacked_restore_interval": 2,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    }
