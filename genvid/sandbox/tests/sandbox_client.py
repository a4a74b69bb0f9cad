"""A client of the sandbox that holds every answer against the schema."""

import re
import time
from collections.abc import Callable
from typing import Any

import httpx

from genvid.sandbox import heygen_schema
from genvid.sandbox.process import SandboxProcess

WAIT = 300.0


def wait_for(condition: Callable[[], Any]) -> Any:
    """The first truthy value of the condition."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def _templates() -> list[tuple[str, re.Pattern[str]]]:
    """Paths of the schema, plain ones before those with parameters."""
    paths = sorted(heygen_schema.document()["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for path in paths]


def check_answer(answer: httpx.Response) -> None:
    assert answer.headers["x-request-id"]
    path = next((path for path, shape in _templates() if shape.fullmatch(answer.request.url.path)), None)
    answer.read()
    if path is None or not answer.headers["content-type"].startswith("application/json"):
        return
    if answer.request.method.lower() in heygen_schema.document()["paths"][path] and answer.text.endswith("}"):
        violation = heygen_schema.answer_violation(path, answer.request.method, answer.status_code, answer.json())
        assert violation is None, f"{answer.request.method} {path}: {violation}"


class Client(httpx.Client):
    def __init__(self, sandbox: SandboxProcess) -> None:
        super().__init__(
            base_url=sandbox.url,
            headers={"X-Api-Key": sandbox.api_key},
            timeout=WAIT,
            trust_env=False,
            event_hooks={"response": [check_answer]},
        )
        self.sandbox = sandbox
        self._looks: dict[str, dict[str, Any]] = {}

    def look(self, kind: str = "studio_avatar") -> dict[str, Any]:
        if kind not in self._looks:
            self._looks[kind] = self.data("/v3/avatars/looks", avatar_type=kind)[0]
        return self._looks[kind]

    def data(self, path: str, **query: Any) -> Any:
        answer = self.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def body(self, **fields: Any) -> dict[str, Any]:
        body = {"type": "avatar", "avatar_id": self.look()["id"], "script": "Hello there, friend.", **fields}
        return {name: value for name, value in body.items() if value is not ...}

    def submit(self, *, key: str | None = None, **fields: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("/v3/videos", json=self.body(**fields), headers=headers)

    def make(self, **fields: Any) -> str:
        """A submitted video's id."""
        answer = self.submit(**fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["video_id"])

    def status(self, video_id: str) -> str:
        return str(self.data("/v3/videos/statuses", video_ids=video_id)[0]["status"])

    def finish(self, **fields: Any) -> dict[str, Any]:
        """A made video, as its first read shows it."""
        video_id = self.make(**fields)
        wait_for(lambda: self.status(video_id) in ("completed", "failed"))
        found: dict[str, Any] = self.data(f"/v3/videos/{video_id}")
        return found

    def refusal(self, **fields: Any) -> tuple[int, str, str | None]:
        """Status, code and param of a refused submission."""
        return refusal_of(self.submit(**fields))


def refusal_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("param")
