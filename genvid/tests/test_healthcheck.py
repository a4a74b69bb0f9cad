"""The container's HEALTHCHECK, as a program: healthy while the web process serves requests."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from genvid.tests.scripted import ScriptedServer
from genvid.tests.scripts import SCRIPTS


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_container_is_as_healthy_as_its_web_parts(status, code):
    with ScriptedServer() as server:
        server.says(status)
        port = str(urlsplit(server.url).port)
        environment = os.environ | {"GRANIAN_PORT": port, "ALLOWED_HOSTS": "genvid.example.com"}
        done = subprocess.run([sys.executable, str(SCRIPTS / "healthcheck.py")], env=environment, capture_output=True)
    (request,) = server.requests
    asked = (request.path, request.query, request.headers["host"])
    assert (done.returncode, asked) == (code, ("/readyz", {"parts": "web"}, "genvid.example.com"))
