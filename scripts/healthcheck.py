"""For the container's HEALTHCHECK: exit 0 when the web process answers `/healthz`."""

import os
import sys
import urllib.request

# Asked under the site's own name: ALLOWED_HOSTS need not hold the loopback address.
name = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
port = os.environ.get("GRANIAN_PORT", "8000")
request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": name})
try:
    urllib.request.urlopen(request, timeout=4).close()  # noqa: S310 - our own loopback address
except OSError as error:
    sys.exit(f"unhealthy: {error}")
