"""What the sandbox's HeyGen keeps of files that were sent to it."""

from typing import Any

import httpx

from genvid.sandbox.heygen.users import USERNAME
from genvid.sandbox.process import SandboxProcess


def listed(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{sandbox.url}/v3/assets",
        params={"username": USERNAME, "limit": 100},
        headers={"X-Api-Key": sandbox.api_key},
        trust_env=False,
    )
    rows: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return rows


def names(sandbox: SandboxProcess) -> list[str]:
    return sorted(row["name"] for row in listed(sandbox))


def content_of(asset: dict[str, Any]) -> bytes:
    return httpx.get(asset["url"], trust_env=False).raise_for_status().content


def delete(sandbox: SandboxProcess, asset_id: str) -> None:
    headers = {"X-Api-Key": sandbox.api_key}
    httpx.delete(f"{sandbox.url}/v3/assets/{asset_id}", headers=headers, trust_env=False).raise_for_status()
