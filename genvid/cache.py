"""A cache shared by all processes that fails open: without it, results are computed each time."""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache import cache

logger = structlog.get_logger(__name__)
T = TypeVar("T")


def remembered(key: str, find: Callable[[], T], seconds: float) -> T:
    try:
        known: T | None = cache.get(key)
    except Exception as error:  # noqa: BLE001 - whatever the cache raises, the truth is elsewhere
        logger.warning("cache_unavailable", error=repr(error))
        return find()
    if known is not None:
        return known
    found = find()
    _keep(key, found, seconds)
    return found


def peek(key: str) -> Any:
    """The cached value; None when it is not cached, or the cache is down."""
    try:
        return cache.get(key)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))
        return None


def _keep(key: str, value: object, seconds: float) -> None:
    try:
        cache.set(key, value, seconds)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))


def is_first_in(key: str, seconds: float) -> bool:
    """True for the first caller in `seconds`; True for everybody while the cache is down."""
    try:
        return bool(cache.add(key, 1, seconds))
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))
        return True


def keep_first(key: str, value: object, seconds: float) -> None:
    """Keeps the value unless there is one."""
    try:
        cache.add(key, value, seconds)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))


def keep_many(values: dict[str, object], seconds: float) -> None:
    try:
        cache.set_many(values, seconds)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))


def delete(*keys: str) -> None:
    try:
        cache.delete_many(keys)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("cache_unavailable", error=repr(error))
