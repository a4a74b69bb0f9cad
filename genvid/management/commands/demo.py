"""`manage.py demo`: a customer's workflow over HTTP against a running server: sign up, pay, order, wait, download."""

import secrets
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from genvid.http import HttpError, Redirected, Unreachable, download, send

SCRIPT = "Hello! You typed this sentence a moment ago, and now I am saying it."
CALL_SECONDS = 30.0
FINISHED = ("completed", "failed", "canceled")
FILES = {"file_url": "video.mp4", "thumbnail_url": "thumbnail.jpg", "captions_url": "captions.srt"}
MAX_BYTES = 500 * 1024 * 1024
BAR = 30


class Customer:
    """One person's session with the API. Failures become a CommandError that names the request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        url = path if path.startswith("http") else f"{self.url}/api/v1/{path}"
        try:
            answer = send(
                method,
                url,
                json=json,
                headers=self.headers | headers,
                timeout=CALL_SECONDS,
                allow_private=True,
            )
            body = answer.json()
        except Unreachable as error:
            raise CommandError(f"No server answers at {self.url}: run `make run` first.") from error
        except (HttpError, ValueError) as error:
            raise CommandError(f"{method} {url}: {error}") from error
        if not isinstance(body, dict) or "data" not in body:
            raise CommandError(f"{method} {url}: {explained(answer.status, body)}")
        return body["data"]

    def sign_up(self) -> str:
        login = {"email": f"demo-{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe(16)}
        self.call("POST", "auth/register", login)
        signed_in = self.call("POST", "auth/login", login)
        self.headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        return login["email"]

    def fetch(self, url: str, target: Path, seconds: float) -> None:
        link = self._signed_link(url)
        try:
            with target.open("wb") as sink:
                download(
                    link,
                    sink,
                    max_bytes=MAX_BYTES,
                    timeout=max(1.0, seconds),
                    allowed_hosts=None,
                    allow_private=True,
                )
        except HttpError as error:
            raise CommandError(f"Downloading {target.name}: {error}") from error

    def _signed_link(self, url: str) -> str:
        try:
            answer = send("GET", url, headers=self.headers, timeout=CALL_SECONDS, allow_private=True)
        except Redirected as redirect:
            return redirect.location or ""
        except HttpError as error:
            raise CommandError(f"GET {url}: {error}") from error
        raise CommandError(f"GET {url}: answered {answer.status} instead of a link to the file.")


def explained(status: int, body: Any) -> str:
    error = body.get("error", {}) if isinstance(body, dict) else {}
    details = "".join(f"\n  {field}: {text}" for field, text in (error.get("details") or {}).items())
    return f"{status} {error.get('code', 'unknown')}: {error.get('message', 'not one of our answers')}{details}"


class Command(BaseCommand):
    help = "Makes one video as a new customer of the running server, and saves its files."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the server runs")
        parser.add_argument("--script", default=SCRIPT, help="what is to be said")
        parser.add_argument("--timeout", type=float, default=300.0, help="seconds, for everything")

    def handle(self, *args: Any, **options: Any) -> None:
        self.deadline = time.monotonic() + options["timeout"]
        customer = Customer(options["url"].rstrip("/"))
        self.stdout.write(f"Signed up and in     {customer.sign_up()} at {customer.url}")
        before = customer.call("GET", "billing/wallet")
        payload = self.choose(customer, options["script"])
        video = self.wait(customer, self.order(customer, payload))
        self.save(customer, video)
        after = customer.call("GET", "billing/wallet")
        self.stdout.write(f"Wallet               {before['balance']} credits before, {after['balance']} after")

    def choose(self, customer: Customer, script: str) -> dict[str, Any]:
        avatars = self.catalogue(customer, "avatars")
        voices = {voice["id"]: voice for voice in self.catalogue(customer, "voices")}
        complete = [a for a in avatars if a["is_available"] and a["default_voice_id"] in voices]
        if not complete:
            raise CommandError("No presenter in the catalogue has a voice of its own.")
        avatar = complete[0]
        voice = voices[avatar["default_voice_id"]]
        self.stdout.write(f"Catalogue            {len(avatars)} presenters, {len(voices)} voices")
        self.stdout.write(f"Chosen               {avatar['name']}, with the voice of {voice['name']}")
        return {"script": script, "avatar_id": avatar["id"], "voice_id": voice["id"], "title": "Demo"}

    def catalogue(self, customer: Customer, name: str) -> list[dict[str, Any]]:
        while not (rows := customer.call("GET", f"{name}?limit=100")):
            self.pause(f"The catalogue has no {name} yet.")
        return list(rows)

    def order(self, customer: Customer, payload: dict[str, Any]) -> dict[str, Any]:
        quote = customer.call("POST", "videos/quote", payload)
        price = f"about {quote['estimated_seconds']} s for at most {quote['credits']} credits"
        self.stdout.write(f"Quote                {price}, {quote['available_credits']} available")
        key = {"Idempotency-Key": secrets.token_hex(16)}
        video: dict[str, Any] = customer.call("POST", "videos", payload, **key)
        self.stdout.write(f"Ordered              video {video['id']}")
        return video

    def wait(self, customer: Customer, video: dict[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        while video["status"] not in FINISHED:
            self.draw(video)
            self.pause(f"Video {video['id']} is still {video['status']}.")
            video = customer.call("GET", f"videos/{video['id']}")
        self.draw(video)
        self.stdout.write("")
        if video["status"] != "completed":
            reason = (video["error"] or {}).get("message", "no reason given")
            raise CommandError(f"The video {video['status']}: {reason}")
        length, took = video["duration_seconds"], time.monotonic() - started
        self.stdout.write(f"Completed            {length:.1f} s of video after {took:.0f} s")
        return video

    def draw(self, video: dict[str, Any]) -> None:
        percent = video["progress_percent"]
        bar = "█" * (percent * BAR // 100)
        eta = "" if video["eta_seconds"] is None else f"about {video['eta_seconds']} s left"
        place = f"no. {video['queue_position']} in the queue" if video["queue_position"] else ""
        line = f"  {bar:░<{BAR}} {percent:3} %  {video['status']:<10} {place or eta:<22}"
        self.stdout.write(f"\r{line}" if self.stdout.isatty() else line.rstrip(), ending=self.line_end())
        self.stdout.flush()

    def line_end(self) -> str:
        return "" if self.stdout.isatty() else "\n"

    def pause(self, unfinished: str) -> None:
        if time.monotonic() > self.deadline:
            raise CommandError(f"{unfinished} Giving up; --timeout allows more.")
        time.sleep(1)

    def save(self, customer: Customer, video: dict[str, Any]) -> None:
        folder = Path(settings.VAR_DIR) / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        for field, name in FILES.items():
            if video[field]:
                target = folder / name
                customer.fetch(video[field], target, self.deadline - time.monotonic())
                self.stdout.write(f"Saved                {target} ({target.stat().st_size:,} bytes)")
