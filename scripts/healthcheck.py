"""The container's HEALTHCHECK: exits 0 when the web process answers 200, to the path that is given where one is.

It asks `/readyz?parts=web`, as all that steers traffic: a dead beat or a dead worker must not take the API down.
"""

import os
import sys
import urllib.request

# Sends the site's own host name: ALLOWED_HOSTS need not have the loopback address.
name = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
port = os.environ.get("GRANIAN_PORT", "8000")
path = sys.argv[1] if sys.argv[1:] else "/readyz?parts=web"
request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": name})
try:
    urllib.request.urlopen(request, timeout=4).close()  # noqa: S310 - our own loopback address
except OSError as error:
    sys.exit(f"unhealthy: {error}")
