"""A real nginx in front of several processes, as docs/production.md has it."""

import signal
from pathlib import Path

from genvid.sandbox.ports import ReservedPort
from genvid.tests.processes import answers
from genvid.tests.services import Service

CONFIGURATION = """
daemon off;
error_log {folder}/nginx-error.log;
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream genvid_web {{
        include {upstreams};
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 5m;
        location / {{
            proxy_pass http://genvid_web;
            proxy_connect_timeout 2s;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-Proto http;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


class Nginx(Service):
    """`upstreams` is the file with its servers; `reload_command` has it read again."""

    option = "--nginx"

    def __init__(self, folder: Path, binary: str) -> None:
        super().__init__("nginx", folder, signal.SIGQUIT)
        self.binary = binary
        self.upstreams = folder / "genvid_web.conf"
        self.configuration = folder / "nginx.conf"
        self._reserved = ReservedPort()
        self.port, self.url = self._reserved.number, self._reserved.url

    def start(self, *ports: int) -> None:
        self.upstreams.write_text("".join(f"server 127.0.0.1:{port} max_fails=0;\n" for port in ports))
        text = CONFIGURATION.format(folder=self.folder, upstreams=self.upstreams, port=self.port)
        self.configuration.write_text(text)
        self._reserved.hand_over()
        self.spawn([self.binary, "-c", str(self.configuration)])
        self.wait(lambda: answers(f"{self.url}/healthz"))

    @property
    def reload_command(self) -> str:
        return f"{self.binary} -c {self.configuration} -s reload"
