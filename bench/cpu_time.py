"""CPU seconds of a deployment's processes, by part."""

import os
from pathlib import Path

from genvid.tests.deployment import Deployment
from genvid.tests.process_table import descendants
from genvid.tests.services import Service

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(deployment: Deployment) -> dict[str, float]:
    """CPU seconds so far; `ours` is web and workers."""
    web = cpu_of(deployment.web.pid)
    return {
        "ours": web + sum(cpu_of(worker.pid) for worker in deployment.workers),
        "web": web,
        "postgres": cpu_of(_pid_of(deployment.postgres)),
        "redis": cpu_of(_pid_of(deployment.redis)),
        "sandbox": cpu_of(deployment.sandbox.pid),
    }


def _pid_of(service: Service) -> int:
    if service.process is None:
        raise RuntimeError(f"{service.name} was not started")
    return service.process.pid


def cpu_of(pid: int) -> float:
    total = 0
    for each in (pid, *descendants(pid)):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS
