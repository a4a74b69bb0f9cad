"""A headless Chromium, spoken to over its DevTools protocol through a pipe: no driver and no library is needed.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium")
PATIENCE = 30.0
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1280,1000",
)


def chromium() -> str | None:
    """Where this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One window. Clicks and keys are the browser's own, so what nobody could reach is not reached here either."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self.count = 0
        self.page: str | None = None
        self.complaints: list[str] = []

    def __enter__(self) -> "Chromium":
        # Chromium reads its orders from descriptor 3 and answers on 4; it refuses its sandbox to root.
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={self.profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        # The shell gives them these numbers, by way of others: ours may be 3 and 4 the other way round.
        script = f'exec 8<&{orders} 9>&{answers}; exec "$0" "$@" 3<&8 4>&9'
        self.process = subprocess.Popen(
            ["bash", "-c", script, str(chromium()), *flags, "about:blank"],
            pass_fds=(orders, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(orders)
        os.close(answers)
        self.rest = b""
        self._attach()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.page = None
            self.call("Browser.close")
            self.process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
        finally:
            self.process.wait()
            os.close(self.orders)
            os.close(self.answers)

    def _attach(self) -> None:
        windows = self.wait_until(
            lambda: [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        )
        self.page = self.call("Target.attachToTarget", targetId=windows[0]["targetId"], flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.call(f"{part}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Raises AssertionError when the browser refuses, or is silent."""
        self.count += 1
        to = {"sessionId": self.page} if self.page else {}
        os.write(self.orders, json.dumps({"id": self.count, "method": method, "params": params} | to).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._message(deadline)
            if message.get("id") == self.count:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], max(0, deadline - time.monotonic()))
            assert ready, "Chromium does not answer."
            piece = os.read(self.answers, 1 << 16)
            assert piece, "Chromium has gone."
            self.rest += piece
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        """Exceptions of the page's scripts, breaches of its policy, and what could not be fetched."""
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"].get("exception", {}).get("description", "exception"))
        if message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def wait_until(self, look: Callable[[], Any], what: str = "it") -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
            time.sleep(0.05)
        return found

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """What an expression is worth; None while a page is on its way to the next."""
        try:
            answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        except AssertionError:
            if self.process.poll() is not None:
                raise
            return None
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What somebody sees of it; empty while it is hidden or not there."""
        find = f"[document.querySelector({json.dumps(selector)})].find((found) => found?.checkVisibility())"
        return self.evaluate(f"{find}?.innerText ?? ''") or ""

    def see(self, selector: str, words: str) -> None:
        """Wait until it says so."""
        said = ""

        def look() -> bool:
            nonlocal said
            said = self.text(selector)
            return words in said

        try:
            self.wait_until(look)
        except AssertionError:
            where = f"at {self.evaluate('location.href')}, which complains of {self.complaints}"
            raise AssertionError(f"{selector} says {said!r}, not {words!r}, {where}") from None

    def click(self, selector: str) -> None:
        """In the middle of it, as soon as nothing covers it."""
        find = f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            if (!found?.checkVisibility() || found.disabled) return null;
            found.scrollIntoView({{ block: "center", behavior: "instant" }});
            const box = found.getBoundingClientRect();
            const x = box.x + box.width / 2, y = box.y + box.height / 2, top = document.elementFromPoint(x, y);
            return found.contains(top) || found.closest("label")?.contains(top) ? [x, y] : null;
        }})()"""
        x, y = self.wait_until(lambda: self.evaluate(find), f"a way to click {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, selector: str, words: str) -> None:
        """Instead of what stands there."""
        self.click(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=words)
