"""nginx and Caddy with the files of docs/ops, on loopback and with stand-ins for `web` and `stream`."""

import http.client
import json
import os
import re
import signal
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

from genvid.sandbox.ports import ReservedPort
from genvid.tests.certificates import write_certificate
from genvid.tests.services import Service
from genvid.tests.tools import find

OPS = Path(__file__).resolve().parents[2] / "docs" / "ops"
HOST = "genvid.example.com"
FILE = b"a film" * 1000
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Echo(BaseHTTPRequestHandler):
    """Answers who was asked, with which headers and how long a body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server: Any = self.server
        told = {"by": server.label, "headers": dict(self.headers), "length": len(body), "path": self.path}
        content = json.dumps(told).encode()
        self.send_response(200)
        if self.path.startswith("/media/") and server.hands_over:
            self.send_header("X-Accel-Redirect", "/protected-media/video.mp4")
            self.send_header("Cache-Control", "private, max-age=60")
            self.send_header("X-Request-Id", "request-1")
        self.send_header("Content-Type", "video/mp4" if self.path.startswith("/media/") else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A proxy that refuses a body closes its connection to us."""


@contextmanager
def echo(label: str, *, hands_over: bool) -> Iterator[int]:
    server: Any = QuietServer(("127.0.0.1", 0), Echo)
    server.label, server.hands_over = label, hands_over
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


class Proxy(Service):
    """A proxy with a file of docs/ops. `ports`: of the stand-ins, by the port that the file names."""

    def __init__(self, name: str, folder: Path, ports: dict[int, int]) -> None:
        super().__init__(name, folder, signal.SIGTERM)
        self.ports = ports
        self.access_log = folder / "access.log"
        self._secure, self._plain = ReservedPort(), ReservedPort()

    def start(self) -> Self:
        command = self._nginx() if self.name == "nginx" else self._caddy()
        self._secure.hand_over()
        self._plain.hand_over()
        self.spawn(command, environment={"PATH": os.defpath, "HOME": str(self.folder)})
        self.wait(self._answers)
        return self

    def _upstreams(self, text: str) -> str:
        """The file that scripts/upgrade.sh writes, with its first content, which docs/ops names."""
        written = self.folder / "upstreams"
        written.write_text(self._with_ports(text))
        return str(written)

    def _nginx(self) -> list[str]:
        certificate, key = write_certificate(self.folder, days=1)
        live = f"/etc/letsencrypt/live/{HOST}"
        both = "".join(f"server 127.0.0.1:{port} max_fails=0;\n" for port in (8000, 8001))
        site = self._site("nginx.conf", {
            "include /etc/nginx/genvid_web.conf;": f"include {self._upstreams(both)};",
            f"{live}/fullchain.pem": str(certificate),
            f"{live}/privkey.pem": str(key),
            "/var/log/nginx/genvid.log": str(self.access_log),
            "/var/lib/docker/volumes/genvid_data/_data/media/": f"{self.folder}/media/",
            "listen 443 ": f"listen 127.0.0.1:{self._secure.number} ",
            "listen 80;": f"listen 127.0.0.1:{self._plain.number};",
        })  # fmt: skip
        temporary = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)
        whole = self.folder / "whole.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        whole.write_text(
            f"{user} pid {self.folder}/pid; error_log stderr; daemon off; events {{}} "
            f"http {{ {temporary} include {site}; }}"
        )
        return [str(find("nginx")), "-e", "stderr", "-c", str(whole)]

    def _caddy(self) -> list[str]:
        site = self._site("Caddyfile", {
            "import /etc/caddy/genvid_web": f"import {self._upstreams('to 127.0.0.1:8000 127.0.0.1:8001')}",
            f"\n{HOST} {{": f"\nhttp://{HOST}:{self._plain.number} {{\n\tbind 127.0.0.1",
            "/var/log/caddy/genvid.log": str(self.access_log),
        })  # fmt: skip
        site.write_text("{\n\tadmin off\n\tpersist_config off\n}\n" + site.read_text())
        return [str(find("caddy")), "run", "--config", str(site), "--adapter", "caddyfile"]

    def _site(self, name: str, changes: dict[str, str]) -> Path:
        text = re.sub(r"\n *listen \[::\].*", "", (OPS / name).read_text())
        for old, new in changes.items():
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        written = self.folder / name
        written.write_text(self._with_ports(text))
        return written

    def _with_ports(self, text: str) -> str:
        return re.sub(r"127\.0\.0\.1:(80\d\d)\b", lambda found: f"127.0.0.1:{self.ports[int(found[1])]}", text)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/healthz").status == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, *, body: Any = None, **headers: str) -> Answer:
        """A body that is no bytes is sent in chunks."""
        given = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(self._connection()) as connection:
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def ask_plainly(self, path: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self._plain.number, timeout=60)) as connection:
            connection.request("GET", path, headers={"Host": HOST})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def _connection(self) -> http.client.HTTPConnection:
        if self.name == "caddy":
            return http.client.HTTPConnection("127.0.0.1", self._plain.number, timeout=60)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self._secure.number, timeout=60, context=context)
