"""WSGI entry point: `granian --interface wsgi genvid.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")

application = get_wsgi_application()
