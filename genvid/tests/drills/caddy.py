"""A real Caddy in front of several processes, as docs/production.md has it."""

import os
import signal
from pathlib import Path

from genvid.sandbox.ports import ReservedPort
from genvid.tests.processes import answers
from genvid.tests.services import Service

CONFIGURATION = """
{{
    admin 127.0.0.1:{admin}
    persist_config off
    auto_https off
}}
http://127.0.0.1:{port} {{
    request_body {{
        max_size 5MiB
    }}
    reverse_proxy {{
        import {upstreams}
        lb_policy least_conn
        lb_try_duration 5s
    }}
}}
"""


class Caddy(Service):
    """`upstreams` is the file with its servers; `reload_command` has it read again."""

    option = "--caddy"

    def __init__(self, folder: Path, binary: str) -> None:
        super().__init__("caddy", folder, signal.SIGTERM)
        self.binary = binary
        self.upstreams = folder / "genvid_web"
        self.configuration = folder / "Caddyfile"
        self._reserved, self._admin = ReservedPort(), ReservedPort()
        self.port, self.url = self._reserved.number, self._reserved.url

    def start(self, *ports: int) -> None:
        self.upstreams.write_text(f"to {' '.join(f'127.0.0.1:{port}' for port in ports)}\n")
        text = CONFIGURATION.format(admin=self._admin.number, port=self.port, upstreams=self.upstreams)
        self.configuration.write_text(text)
        self._reserved.hand_over()
        self._admin.hand_over()
        command = [self.binary, "run", "--config", str(self.configuration), "--adapter", "caddyfile"]
        self.spawn(command, environment={"PATH": os.defpath, "HOME": str(self.folder)})
        self.wait(lambda: answers(f"{self.url}/healthz"))

    @property
    def reload_command(self) -> str:
        options = f"--config {self.configuration} --adapter caddyfile --address 127.0.0.1:{self._admin.number} --force"
        return f"HOME={self.folder} {self.binary} reload {options}"
