"""Starts Django without garbage collections. For the entry points: wsgi, asgi, manage.py."""

import gc

import django


def set_up_django() -> None:
    # Next to nothing that start-up makes becomes garbage: no collection looks through it, now or later.
    gc.disable()
    try:
        django.setup(set_prefix=False)
    finally:
        gc.freeze()
        gc.enable()
