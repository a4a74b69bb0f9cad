"""Starts Django at two thirds of the usual CPU time. For the entry points: wsgi, asgi, manage.py."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django

OPTIONAL = ("anyio", "httpx", "jinja2", "pygments", "rich")
"""Development tools install these. Where they are, structlog, Stripe's library, Django's tests and REST framework load
them for what nothing here uses. Production has none of them.
"""


def set_up_django() -> None:
    # Next to nothing that start-up makes becomes garbage: no collection looks through it, now or later.
    gc.disable()
    try:
        with _absent(OPTIONAL):
            django.setup(set_prefix=False)
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Imports of these fail meanwhile, as if they were not installed, unless they are loaded already."""
    blocked = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in blocked:
            del sys.modules[name]
