"""`make run`: genvid on this machine, without services and keys.

Writes the secrets once, prepares the database, then runs sandbox, web server and worker together until it is stopped or
one of them ends.
"""

import errno
import hashlib
import os
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import installation
from installation import ROOT, CannotStart
from part_log import open_log
from supervisor import Supervisor, die_with_parent

HOST = "127.0.0.1"


def main() -> int:
    try:
        var = read_environment()
        lock = installation.lock_installation(var)
        check_ports(wanted_ports())
        open_logs(var / "log")
        # Counts of the last run: a new version may count differently, and no process still writes them.
        shutil.rmtree(var / "metrics", ignore_errors=True)
        remember_ports(var)
        prepare(var)
    except CannotStart as error:
        print(f"genvid: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    with lock:
        return serve(var / "log")


def read_environment() -> Path:
    var = installation.read_environment()
    os.environ.setdefault("PORT", "8000")
    os.environ.setdefault("SANDBOX_PORT", "8001")
    # No secret: it opens free, marked videos on this machine alone.
    os.environ.setdefault("TEST_RENDERER_KEY", "test-key")
    os.environ |= {"GENVID_EMBEDDED": "1", "LOG_SPLIT": "1"}
    os.environ |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
    # Celery's warning about root is of no use here: the worker reaches the sandbox only.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser privileges")
    return var


def open_logs(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for name in commands():
            open_log(folder, name)
    except OSError as error:
        raise CannotStart(f"the log cannot be written: {error.filename or folder}: {error.strerror}.") from None


def remember_ports(var: Path) -> None:
    ports = {name: os.environ[name] for name in ("PORT", "SANDBOX_PORT")}
    lines = ["# Made by the last `make run`.", *(f"{name}={port}" for name, port in ports.items()), ""]
    installation.write_atomically(var / "run.env", "\n".join(lines))


def needs_sandbox() -> bool:
    return not os.environ.get("HEYGEN_BASE_URL") or sells_in_sandbox()


def sells_in_sandbox() -> bool:
    names = ("STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE", "STRIPE_API_HOST")
    return not any(map(os.environ.get, names))


def wanted_ports() -> dict[str, int]:
    names = ["PORT", "SANDBOX_PORT"] if needs_sandbox() else ["PORT"]
    try:
        return {name: int(os.environ[name]) for name in names}
    except ValueError as error:
        raise CannotStart(f"PORT and SANDBOX_PORT are numbers: {error}.") from None


def check_ports(ports: dict[str, int]) -> None:
    if len(set(ports.values())) < len(ports):
        raise CannotStart("PORT and SANDBOX_PORT must differ.")
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError) as error:
                busy = getattr(error, "errno", None) == errno.EADDRINUSE
                why = "is in use" if busy else f"cannot be used ({error})"
                raise CannotStart(f"{name} {port} {why}. Set {name} to a free port.") from None


def prepare(var: Path) -> None:
    stamp = var / "prepared"
    has_broker = bool(os.environ.get("REDIS_URL")) or (var / "broker.sqlite3").exists()
    is_known = not os.environ.get("DATABASE_URL") and stamp.exists() and stamp.read_text() == fingerprint(var)
    if has_broker and is_known:
        return
    command = [sys.executable, str(ROOT / "manage.py"), "prepare"]
    quiet = os.environ | {"LOG_LEVEL": "WARNING"}
    with subprocess.Popen(command, cwd=ROOT, env=quiet, preexec_fn=lambda: die_with_parent(signal.SIGTERM)) as child:
        if child.wait():
            raise CannotStart("the database could not be prepared; the lines above say why.")
    stamp.write_text(fingerprint(var))


def fingerprint(var: Path) -> str:
    files = sorted(f"{path.parent}/{path.name}" for path in ROOT.glob("*/*migrations/*.py"))
    try:
        with closing(sqlite3.connect(f"file:{var}/genvid.sqlite3?mode=ro", uri=True)) as database:
            applied = database.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    except sqlite3.Error:
        applied = []
    parts = [(ROOT / "requirements-dev.lock").read_text(), files, applied, os.environ["DEMO_ADMIN_EMAIL"]]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def commands() -> dict[str, list[str]]:
    python, var = sys.executable, Path(os.environ["GENVID_VAR"])
    # One process that streams and answers alike; a client that keeps its connection cannot keep it from stopping.
    web = ["--interface", "asginl", "--host", HOST, "--port", os.environ["PORT"], "--workers", "1", "--no-ws"]
    web += ["--workers-kill-timeout", "4", "--log-level", "warning"]
    worker = ["-A", "genvid", "worker", "-P", "threads", "-c", "12", "--without-mingle", "--without-gossip"]
    worker += ["-B", "-s", str(var / "celerybeat-schedule")]
    wanted = {
        "web": [python, "-m", "granian", *web, "genvid.asgi:application"],
        "worker": [python, "-m", "celery", "--quiet", *worker],
    }
    if needs_sandbox():
        wanted = {"sandbox": [python, "-m", "genvid.sandbox"]} | wanted
    return wanted


def serve(logs: Path) -> int:
    sandbox_port = int(os.environ["SANDBOX_PORT"]) if needs_sandbox() else None
    supervisor = Supervisor(f"http://{HOST}:{os.environ['PORT']}/readyz", banner(logs), logs, sandbox_port)
    parts = commands()
    print(f"genvid: starting {', '.join(parts)} (the first time up to a minute)", flush=True)
    for name, command in parts.items():
        supervisor.add_process(name, command, cwd=str(ROOT))
    supervisor.loop()
    return supervisor.verdict()


def banner(logs: Path) -> str:
    address = f"http://{HOST}:{os.environ['PORT']}"
    sandbox = f"the sandbox, http://{HOST}:{os.environ['SANDBOX_PORT']}"
    heygen = os.environ.get("HEYGEN_BASE_URL") or sandbox
    stripe = sandbox if sells_in_sandbox() else os.environ.get("STRIPE_API_HOST") or "Stripe itself, with your key"
    lines = [
        f"genvid is up     {address}/",
        f"API docs         {address}/api/v1/docs/",
        f"Staff            {address}/admin/",
        f"  signs in with  {os.environ.get('DEMO_ADMIN_EMAIL')} / {os.environ.get('DEMO_ADMIN_PASSWORD')}",
        f"  shown again by {password_command()}",
        f"HeyGen is        {heygen}",
        f"Stripe is        {stripe}",
        f"Data and mail    {os.environ['GENVID_VAR']}",
        f"Log              {logs}/ ({', '.join(f'{name}.log' for name in commands())})",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(["", *(f"    {line}" for line in lines), "", ""])


def password_command() -> str:
    for path in (ROOT / ".env", Path(os.environ["GENVID_VAR"]) / ".env"):
        if path.exists() and f"DEMO_ADMIN_PASSWORD={os.environ['DEMO_ADMIN_PASSWORD']}" in path.read_text():
            return f"grep DEMO_ADMIN {shlex.quote(str(path))}"
    return 'echo "$DEMO_ADMIN_PASSWORD", where `make run` was started'


if __name__ == "__main__":
    sys.exit(main())
