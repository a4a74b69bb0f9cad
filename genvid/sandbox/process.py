"""A sandbox process for tests: started, controlled, killed and started again."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from genvid.sandbox.ports import ReservedPort
from genvid.sandbox.stripe_actions import StripeActions

START_TIMEOUT = 900.0
STOP_TIMEOUT = 120.0
ROOT = Path(__file__).resolve().parents[2]


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process whose coverage `genvid.tests.measuring` must not measure."""
    return {name: value for name, value in environment.items() if name != "GENVID_COVERAGE"}


class SandboxProcess:
    def __init__(
        self,
        folder: Path,
        *,
        renderer: str = "clip",
        api_key: str = "sandbox-key",
        test_key: str = "test-key",
        concurrency: int = 10,
        stripe_key: str = "",
    ) -> None:
        self.folder = folder
        self.renderer = renderer
        self._port = ReservedPort()
        self.api_key, self.test_key = api_key, test_key
        self.concurrency = concurrency
        self.stripe_key = stripe_key
        self.url = self._port.url
        self._process: subprocess.Popen[bytes] | None = None
        self._admin = httpx.Client(base_url=self.url + "/_sandbox", timeout=120, trust_env=False)
        self.stripe = StripeActions(self._ask)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._admin.close()
        self._port.close()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - asked only of a started sandbox
        return self._process.pid

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {"--port": str(self._port.number), "--var": str(self.folder), "--api-key": self.api_key}
        options |= {"--test-key": self.test_key, "--stripe-key": self.stripe_key}
        options |= {"--renderer": self.renderer}
        command = [sys.executable, "-m", "genvid.sandbox"]
        self._port.hand_over()
        with (self.folder / "sandbox.log").open("ab") as log:
            self._process = subprocess.Popen(
                command + [word for pair in options.items() for word in pair],
                cwd=ROOT,
                env=unmeasured(os.environ) | {"HEYGEN_SANDBOX_CONCURRENCY": str(self.concurrency)},
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready(self._process)

    def configure(self, **values: Any) -> dict[str, Any]:
        return self._ask("PATCH", "/settings", values)

    def fault(self, **spec: Any) -> None:
        self._ask("POST", "/faults", spec)

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def reset(self) -> None:
        self._ask("POST", "/reset")

    def records(self) -> dict[str, Any]:
        return self._ask("GET", "/records")

    def renders(self) -> dict[str, Any]:
        return self._ask("GET", "/renders")

    def made_objects(self) -> list[dict[str, Any]]:
        """Every asset, own look, own voice and speech that was ever made, deleted ones too."""
        rows: list[dict[str, Any]] = self._ask("GET", "/made-objects")["made_objects"]
        return rows

    def wallet(self, balance: float) -> None:
        self._ask("POST", "/wallet", {"balance": balance})

    def complete(self, video_id: str) -> None:
        self._ask("POST", f"/videos/{video_id}/complete")

    def fail(self, video_id: str, **reason: str) -> None:
        self._ask("POST", f"/videos/{video_id}/fail", reason)

    def consent(self, group_id: str) -> None:
        """As the filmed person does on HeyGen's page."""
        self._ask("POST", f"/avatars/{group_id}/consent")

    def kill(self) -> None:
        self._end(subprocess.Popen.kill)

    def stop(self) -> int | None:
        return self._end(subprocess.Popen.terminate)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._admin.request(method, path, json=body)
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        found: dict[str, Any] = answer.json()
        return found

    def _end(self, how: Any) -> int | None:
        if self._process is None:
            return None
        how(self._process)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        code, self._process = self._process.returncode, None
        return code

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self._admin.get("/settings")
                return
            except httpx.TransportError:
                time.sleep(0.03)
        log = (self.folder / "sandbox.log").read_text(errors="replace")
        raise RuntimeError(f"The sandbox did not start:\n{log[-2000:]}")
