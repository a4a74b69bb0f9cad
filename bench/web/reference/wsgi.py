"""Reference design, no part of the product: its WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.web.reference.settings"
application = get_wsgi_application()
