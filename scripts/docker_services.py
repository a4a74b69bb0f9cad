"""`make docker-up` and `make docker-down`: PostgreSQL and Redis alone, for developers, on loopback."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from engine import find_engine, has_compose

COMPOSE_FILE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
PROFILE = "dev"
# Not the project name of production: `down` must never reach its containers.
PROJECT = "genvid-dev"


def main(action: str) -> int:
    engine = find_engine()
    if engine is None:
        print("docker: no container engine answers (docker info, podman info).", file=sys.stderr)
        return 1
    if not has_compose(engine):
        print(f"docker: {engine} has no compose plugin ({engine} compose version).", file=sys.stderr)
        return 1
    ports = {name: os.environ.get(name) or port for name, port in default_ports().items()}
    code = compose(engine, action, ports)
    if code == 0:
        print(settings(ports) if action == "up" else "docker: stopped; the data stays in the volumes.")
    return code


def default_ports() -> dict[str, str]:
    return {"DEV_POSTGRES_PORT": "5432", "DEV_REDIS_PORT": "6379"}


def compose(engine: str, action: str, ports: dict[str, str]) -> int:
    command = [engine, "compose", "--project-name", PROJECT, "--profile", PROFILE, "--file", "-"]
    command += ["up", "--detach", "--wait"] if action == "up" else ["down"]
    text = yaml.safe_dump(developers_part(yaml.safe_load(COMPOSE_FILE.read_text())))
    return subprocess.run(command, input=text, text=True, env=os.environ | ports).returncode


def developers_part(whole: dict[str, Any]) -> dict[str, Any]:
    """Without production's services: older releases of compose require their .env whatever is started."""
    services = {name: each for name, each in whole["services"].items() if PROFILE in each.get("profiles", ())}
    volumes = {name: each for name, each in whole["volumes"].items() if name in services}
    return {"services": services, "volumes": volumes}


def settings(ports: dict[str, str]) -> str:
    return (
        "docker: PostgreSQL and Redis are up. To use them:\n"
        f"  export DATABASE_URL=postgres://genvid:genvid@127.0.0.1:{ports['DEV_POSTGRES_PORT']}/genvid\n"
        f"  export REDIS_URL=redis://127.0.0.1:{ports['DEV_REDIS_PORT']}/0"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
