"""Faults: processes are killed and restarted, Redis is emptied, PostgreSQL crashes, webhooks are forged."""

import json
import math
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from genvid.tests.deployment import Deployment
from genvid.tests.processes import OwnProcess, answers
from videos.tests.chaos.plan import Outage, Plan

TICK = 0.05
CHECK_INTERVAL = 0.5
GRACE = 3.0
"""Seconds that a process works before it may be killed again."""
FORGERY_INTERVAL = 0.7


class FaultInjector:
    """Injects the planned outages and ends them. Only PostgreSQL is waited for.

    `work` starts all processes in the calling thread: they die with the thread that started them.
    """

    def __init__(self, plan: Plan, deployment: Deployment) -> None:
        self.deployment = deployment
        self.counts: Counter[str] = Counter()
        self.accepted_forgeries: list[str] = []
        self._seed = plan.seed
        self._outages = plan.outages()
        self._restarts: list[tuple[float, Callable[[], object]]] = []
        self._down: set[str] = set()
        self._up_since: dict[str, float] = {worker.name: math.inf for worker in deployment.workers}
        self._logged: dict[str, int] = {}
        self._checked_at = 0.0
        self._begun = time.monotonic()
        self._over = threading.Event()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def begin(self) -> None:
        self._begun = time.monotonic()
        threading.Thread(target=self._forge_webhooks, daemon=True).start()

    def work(self) -> None:
        """Inject and end the outages that are due."""
        for due in [one for one in self._restarts if one[0] <= self.seconds]:
            self._restarts.remove(due)
            due[1]()
        while self._outages and self._outages[0].at <= self.seconds:
            self._inject(self._outages.pop(0))
        if self.seconds - self._checked_at > CHECK_INTERVAL:
            self._checked_at = self.seconds
            self._restart_crashed()
            self._record_who_is_up()
        time.sleep(TICK)

    def end(self) -> None:
        """Inject no further outage, and end all present ones."""
        self._over.set()
        self._outages = []
        while self._restarts:
            self.work()

    def _inject(self, outage: Outage) -> None:
        name = f"worker{outage.which}" if outage.what == "worker" else outage.what
        if name in self._down or self.seconds - self._up_since.get(name, 0.0) < GRACE:
            return
        self.counts[outage.what] += 1
        if outage.what == "redis":
            self.deployment.redis.flush()
            return
        kill, restart = self._kill_and_restart(outage)
        kill()
        self._down.add(name)
        self._restarts.append((self.seconds + outage.down_for, lambda: self._restart(name, restart)))

    def _restart(self, name: str, restart: Callable[[], object]) -> None:
        for process in self._processes:
            if process.name == name:
                self._up_since[name] = math.inf
                self._logged[name] = len(process.output())
        restart()
        self._down.discard(name)

    @property
    def _processes(self) -> tuple[OwnProcess, ...]:
        return (self.deployment.web, *self.deployment.workers)

    def _record_who_is_up(self) -> None:
        for name in [name for name, since in self._up_since.items() if since == math.inf and name not in self._down]:
            if self._is_up(name):
                self._up_since[name] = self.seconds

    def _is_up(self, name: str) -> bool:
        if name == "web":
            return answers(f"{self.deployment.web.url}/healthz", seconds=0.5)
        worker = next(worker for worker in self.deployment.workers if worker.name == name)
        return " ready." in worker.output()[self._logged.get(name, 0) :]

    def _kill_and_restart(self, outage: Outage) -> tuple[Callable[[], object], Callable[[], object]]:
        deployment = self.deployment
        if outage.what == "worker":
            worker = deployment.workers[outage.which]
            return worker.kill9, worker.launch
        return {
            "web": (deployment.web.kill9, deployment.web.launch),
            "sandbox": (deployment.sandbox.kill, deployment.sandbox.start),
            "postgres": (deployment.postgres.crash, deployment.postgres.resume),
        }[outage.what]

    def _restart_crashed(self) -> None:
        """Restart processes that died by themselves, as systemd would, and count them."""
        for process in self._processes:
            if process.name not in self._down and not process.is_running():
                self.counts[f"{process.name} died by itself"] += 1
                process.launch()

    def _forge_webhooks(self) -> None:
        """Post forged webhooks about real videos until the storm is over."""
        rng, known = random.Random(self._seed), []
        with httpx.Client(timeout=5, trust_env=False) as http:
            while not self._over.wait(FORGERY_INTERVAL):
                try:
                    if not known or rng.random() < 0.2:
                        known = self.deployment.sandbox.renders()["renders"]
                    if known:
                        # A forged webhook can harm only recent renders.
                        self._post_forged_webhook(http, rng, rng.choice(known[-20:]))
                except Exception as error:  # noqa: BLE001 - any service may be down; forging goes on
                    self.counts[f"forgeries unanswered, {type(error).__name__}"] += 1

    def _post_forged_webhook(self, http: httpx.Client, rng: random.Random, render: dict[str, Any]) -> None:
        kind = rng.choice(("avatar_video.fail", "avatar_video.success"))
        event = {"event_id": f"evt_{secrets.token_hex(8)}", "event_type": kind}
        event_data = {
            "video_id": render["id"],
            "callback_id": render["callback_id"],
            "msg": "x",
            "url": "http://127.0.0.1:9/",
        }
        body = json.dumps(event | {"event_data": event_data}).encode()
        header = rng.choice(({}, {"Signature": "0" * 64}, {"Heygen-Signature": secrets.token_hex(32)}))
        headers = {"Content-Type": "application/json", "Heygen-Timestamp": str(int(time.time())), **header}
        answer = http.post(f"{self.deployment.web.url}/webhooks/heygen/", content=body, headers=headers)
        self.counts[f"forgeries answered {answer.status_code}"] += 1
        if answer.is_success:
            self.accepted_forgeries.append(f"a forged {kind} for {render['id']} was taken: {answer.status_code}")
