"""`make run`: genvid on this machine, with no services and no keys.

Writes the secrets once, prepares the database, then runs the sandbox (a stand-in for HeyGen and Stripe), the
web server and the worker together until it is told to stop or one of them ends.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

import environ
from supervisor import Supervisor, die_with_parent

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"


class CannotStart(Exception):
    """Something the operator can mend; the message says what."""


def main() -> int:
    var = read_environment()
    try:
        lock = claim(var)
        check_ports(wanted_ports())
        # Counts of the last run: a new version may count otherwise, and nobody runs who still writes them.
        shutil.rmtree(var / "metrics", ignore_errors=True)
        prepare(var)
    except CannotStart as error:
        print(f"genvid: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    with lock:
        return serve()


def read_environment() -> Path:
    """The same order as the settings: environment, `.env`, then the secrets of this installation."""
    environ.Env.read_env(ROOT / ".env")
    var = Path(os.environ.get("GENVID_VAR") or ROOT / "var").resolve()
    var.mkdir(parents=True, exist_ok=True)
    write_secrets(var / ".env")
    environ.Env.read_env(var / ".env")
    os.environ.setdefault("PORT", "8000")
    os.environ.setdefault("SANDBOX_PORT", "8001")
    # No secret: it opens free, marked videos on this machine alone.
    os.environ.setdefault("TEST_RENDERER_KEY", "test-key")
    os.environ |= {"GENVID_VAR": str(var), "GENVID_EMBEDDED": "1"}
    os.environ |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
    # Root on a machine of one's own is no news, and the sandbox is all this worker ever reaches.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser privileges")
    return var


def write_secrets(path: Path) -> None:
    """Random keys for this installation, in a file that only its owner reads; never written twice."""
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SALT_KEY": secrets.token_urlsafe(32),
        "HEYGEN_API_KEY": f"sandbox-{secrets.token_urlsafe(24)}",
        "DEMO_ADMIN_EMAIL": "admin@example.com",
        "DEMO_ADMIN_PASSWORD": secrets.token_urlsafe(12),
    }
    if path.exists():
        return
    # Complete or not at all: a half-written file would be taken for the finished one.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("# Made by `make run`. Whatever is set in the environment or in .env goes before it.\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    draft.rename(path)
    print(f"genvid: wrote new secrets to {path}")


def claim(var: Path) -> IO[str]:
    """Two runs on one folder would share a database file and run every schedule twice."""
    lock = (var / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"already running on {var}. Stop it, or set GENVID_VAR to another folder.") from None
    return lock


def needs_sandbox() -> bool:
    return not os.environ.get("HEYGEN_BASE_URL") or sells_in_sandbox()


def sells_in_sandbox() -> bool:
    return not (os.environ.get("STRIPE_SECRET_KEY") or os.environ.get("STRIPE_API_HOST"))


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
    """Start the command that migrates, unless nothing has changed since it last ran; it says what it does."""
    stamp = var / "prepared"
    if not os.environ.get("DATABASE_URL") and stamp.exists() and stamp.read_text() == fingerprint(var):
        return
    command = [sys.executable, str(ROOT / "manage.py"), "prepare"]
    with subprocess.Popen(command, cwd=ROOT, preexec_fn=lambda: die_with_parent(signal.SIGTERM)) as child:
        if child.wait():
            raise CannotStart("the database could not be prepared; the lines above say why.")
    stamp.write_text(fingerprint(var))


def fingerprint(var: Path) -> str:
    """What the prepared database depends on: packages, the rooms' migrations, those it has had."""
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
    # One process that streams and answers alike; whoever does not let go of a connection cannot keep it from stopping.
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


def serve() -> int:
    supervisor = Supervisor(f"http://{HOST}:{os.environ['PORT']}/readyz", banner())
    for name, command in commands().items():
        supervisor.add_process(name, command, cwd=str(ROOT))
    supervisor.loop()
    return supervisor.verdict()


def banner() -> str:
    address = f"http://{HOST}:{os.environ['PORT']}"
    sandbox = f"the sandbox, http://{HOST}:{os.environ['SANDBOX_PORT']}"
    heygen = os.environ.get("HEYGEN_BASE_URL") or sandbox
    stripe = sandbox if sells_in_sandbox() else os.environ.get("STRIPE_API_HOST") or "Stripe itself, with your key"
    lines = [
        f"genvid is up     {address}/",
        f"API docs         {address}/api/v1/docs/",
        f"Staff            {address}/admin/",
        f"  signs in with  {os.environ.get('DEMO_ADMIN_EMAIL')} / {os.environ.get('DEMO_ADMIN_PASSWORD')}",
        f"HeyGen is        {heygen}",
        f"Stripe is        {stripe}",
        f"Data and mail    {os.environ['GENVID_VAR']}",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(["", *(f"    {line}" for line in lines), "", ""])


if __name__ == "__main__":
    sys.exit(main())
