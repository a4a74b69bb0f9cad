"""Programs of this code or of an older one, beside each other on one database."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from genvid.sandbox.ports import ReservedPort
from genvid.tests.processes import OwnProcess, answers

PATIENCE = 600.0


def server(database: str, **options: Any) -> psycopg.Connection:
    """A session on the test's server, in `database`."""
    given = connection.settings_dict
    login = {"host": given["HOST"], "port": given["PORT"] or None, "user": given["USER"], "password": given["PASSWORD"]}
    return psycopg.connect(dbname=database, **login, **options)


class Program(OwnProcess):
    """A Python module of the code in `root`, with `environment` and no more of this one's but its packages."""

    def __init__(self, name: str, folder: Path, root: Path, environment: dict[str, str]) -> None:
        super().__init__(name, folder, environment)
        self.root = root

    def run(self, *words: str) -> None:
        environment = self.environment | {"PYTHONPATH": str(self.root), "PYTHONUNBUFFERED": "1"}
        self.spawn([sys.executable, *words], before=partial(os.chdir, self.root), environment=environment)

    def finish(self) -> int:
        assert self.process
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise


def manage(folder: Path, root: Path, environment: dict[str, str], *words: str) -> Program:
    """`manage.py`, started."""
    program = Program(words[0], folder, root, environment)
    program.run("manage.py", *words)
    return program


class ReleaseWeb(Program):
    """granian with the WSGI application of `root`, which may change between two starts."""

    def __init__(self, name: str, folder: Path, root: Path, environment: dict[str, str]) -> None:
        super().__init__(name, folder, root, environment)
        self._reserved = ReservedPort()
        self.port, self.url = self._reserved.number, self._reserved.url

    def launch(self) -> None:
        self._reserved.hand_over()
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        size = ["--workers", "1", "--blocking-threads", "2"]
        self.run("-m", "granian", "--interface", "wsgi", *address, *size, "genvid.wsgi:application")

    def start(self) -> None:
        self.launch()
        self.wait(lambda: answers(f"{self.url}/healthz"))
