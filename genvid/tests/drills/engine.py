"""A `docker compose` for scripts/upgrade.sh where there is no container engine: its services are real processes here.

The client is a script on the PATH that passes its words on and waits; `serve` carries them out in this process.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CLIENT = """#!{python}
import json, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    sys.exit(int(line.makefile().readline()))
"""
ROOT = Path(__file__).resolve().parents[3]
Act = Callable[[list[str]], int]
"""Carries out the words behind `docker compose`; returns the exit code."""


class Engine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "engine"
        self.folder.mkdir()
        self.calls: list[str] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.folder / "socket"))
        self._server.listen()
        client = self.folder / "docker"
        client.write_text(CLIENT.format(python=sys.executable, address=str(self.folder / "socket")))
        client.chmod(0o755)

    def close(self) -> None:
        self._server.close()

    def upgrade(self, act: Act, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs scripts/upgrade.sh to its end."""
        path = f"{self.folder}{os.pathsep}/usr/sbin{os.pathsep}/usr/bin{os.pathsep}/bin"
        log = self.folder / "upgrade.log"
        with log.open("w") as output:
            script = subprocess.Popen(
                [str(ROOT / "scripts" / "upgrade.sh"), *options],
                env=environment | {"PATH": path, "UPGRADE_LOCK": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            self._server.settimeout(0.1)
            while script.poll() is None:
                self._serve_one(act)
        return subprocess.CompletedProcess(script.args, script.returncode, log.read_text())

    def _serve_one(self, act: Act) -> None:
        try:
            line, _ = self._server.accept()
        except TimeoutError:
            return
        with line, line.makefile("rw") as stream:
            words = json.loads(stream.readline())
            assert words[0] == "compose", words
            self.calls.append(" ".join(words[1:]))
            stream.write(f"{act(words[1:])}\n")
