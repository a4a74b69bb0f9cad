"""WSGI entry point: `granian --interface wsgi genvid.wsgi:application`."""

import os

from django.core.handlers.wsgi import WSGIHandler

from genvid.start_up import set_up_django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")
set_up_django()

# The import needs the settings.
from genvid.api.requests import Utf8WSGIRequest  # noqa: E402


class Handler(WSGIHandler):
    request_class = Utf8WSGIRequest


application = Handler()
