"""WSGI entry point: `granian --interface wsgi genvid.wsgi:application`."""

import gc
import os

import django
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")
django.setup(set_prefix=False)

# The import needs the settings.
from genvid.api.requests import Utf8WSGIRequest  # noqa: E402


class Handler(WSGIHandler):
    request_class = Utf8WSGIRequest


application = Handler()
# The heap of a process that serves does not become garbage: collections need not look through it.
gc.collect()
gc.freeze()
