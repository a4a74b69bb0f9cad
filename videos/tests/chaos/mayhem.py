"""The storm: processes killed and started again, the broker emptied, the database cut off, forged webhooks."""

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
from videos.tests.chaos.plan import Blow, Plan

TICK = 0.05
LOOK_EVERY = 0.5
GRACE = 3.0
"""Seconds that a process has worked before it is killed again: one that only ever starts proves nothing."""
FORGERIES_EVERY = 0.7


class Mayhem:
    """Strikes as planned. What was struck down comes up again; nothing here waits for it, but for the database.

    All processes are started from the thread that calls `work`: they die with the thread that started them.
    """

    def __init__(self, plan: Plan, deployment: Deployment) -> None:
        self.deployment = deployment
        self.counts: Counter[str] = Counter()
        self.unpunished: list[str] = []
        self._seed = plan.seed
        self._blows = plan.blows()
        self._revivals: list[tuple[float, Callable[[], object]]] = []
        self._down: set[str] = set()
        self._up_since: dict[str, float] = {worker.name: math.inf for worker in deployment.workers}
        self._logged: dict[str, int] = {}
        self._looked = 0.0
        self._begun = time.monotonic()
        self._over = threading.Event()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def begin(self) -> None:
        self._begun = time.monotonic()
        threading.Thread(target=self._forge, daemon=True).start()

    def work(self) -> None:
        """Strike and revive whatever is due."""
        for due in [one for one in self._revivals if one[0] <= self.seconds]:
            self._revivals.remove(due)
            due[1]()
        while self._blows and self._blows[0].at <= self.seconds:
            self._strike(self._blows.pop(0))
        if self.seconds - self._looked > LOOK_EVERY:
            self._looked = self.seconds
            self._raise_the_dead()
            self._note_who_is_up()
        time.sleep(TICK)

    def end(self) -> None:
        """No further blow; everything that is down comes up."""
        self._over.set()
        self._blows = []
        while self._revivals:
            self.work()

    def _strike(self, blow: Blow) -> None:
        name = f"worker{blow.which}" if blow.what == "worker" else blow.what
        if name in self._down or self.seconds - self._up_since.get(name, 0.0) < GRACE:
            return
        self.counts[blow.what] += 1
        if blow.what == "redis":
            self.deployment.redis.flush()
            return
        kill, revive = self._means(blow)
        kill()
        self._down.add(name)
        self._revivals.append((self.seconds + blow.down_for, lambda: self._revive(name, revive)))

    def _revive(self, name: str, revive: Callable[[], object]) -> None:
        for process in self._processes:
            if process.name == name:
                self._up_since[name] = math.inf
                self._logged[name] = len(process.output())
        revive()
        self._down.discard(name)

    @property
    def _processes(self) -> tuple[OwnProcess, ...]:
        return (self.deployment.web, *self.deployment.workers)

    def _note_who_is_up(self) -> None:
        for name in [name for name, since in self._up_since.items() if since == math.inf and name not in self._down]:
            if self._is_up(name):
                self._up_since[name] = self.seconds

    def _is_up(self, name: str) -> bool:
        if name == "web":
            return answers(f"{self.deployment.web.url}/healthz", seconds=0.5)
        worker = next(worker for worker in self.deployment.workers if worker.name == name)
        return " ready." in worker.output()[self._logged.get(name, 0) :]

    def _means(self, blow: Blow) -> tuple[Callable[[], object], Callable[[], object]]:
        deployment = self.deployment
        if blow.what == "worker":
            worker = deployment.workers[blow.which]
            return worker.kill9, worker.launch
        return {
            "web": (deployment.web.kill9, deployment.web.launch),
            "sandbox": (deployment.sandbox.kill, deployment.sandbox.start),
            "postgres": (deployment.postgres.crash, deployment.postgres.resume),
        }[blow.what]

    def _raise_the_dead(self) -> None:
        """What died by itself is started again as systemd or compose would, and counted."""
        for process in self._processes:
            if process.name not in self._down and not process.is_running():
                self.counts[f"{process.name} died by itself"] += 1
                process.launch()

    def _forge(self) -> None:
        """Somebody tells lies about real videos until the storm is over. No lie may be taken."""
        dice, known = random.Random(self._seed), []
        with httpx.Client(timeout=5, trust_env=False) as http:
            while not self._over.wait(FORGERIES_EVERY):
                try:
                    if not known or dice.random() < 0.2:
                        known = self.deployment.sandbox.renders()["renders"]
                    if known:
                        # The latest are those that a lie could still harm.
                        self._tell_a_lie(http, dice, dice.choice(known[-20:]))
                except Exception as error:  # noqa: BLE001 - whatever is down; the liar must not fall silent
                    self.counts[f"lies unheard, {type(error).__name__}"] += 1

    def _tell_a_lie(self, http: httpx.Client, dice: random.Random, render: dict[str, Any]) -> None:
        kind = dice.choice(("avatar_video.fail", "avatar_video.success"))
        lie = {"event_id": f"evt_{secrets.token_hex(8)}", "event_type": kind}
        told = {
            "video_id": render["id"],
            "callback_id": render["callback_id"],
            "msg": "x",
            "url": "http://127.0.0.1:9/",
        }
        body = json.dumps(lie | {"event_data": told}).encode()
        header = dice.choice(({}, {"Signature": "0" * 64}, {"Heygen-Signature": secrets.token_hex(32)}))
        headers = {"Content-Type": "application/json", "Heygen-Timestamp": str(int(time.time())), **header}
        answer = http.post(f"{self.deployment.web.url}/webhooks/heygen/", content=body, headers=headers)
        self.counts[f"lies answered {answer.status_code}"] += 1
        if answer.is_success:
            self.unpunished.append(f"a forged {kind} for {render['id']} was taken: {answer.status_code}")
