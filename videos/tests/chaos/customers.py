"""Customers who order over HTTP and repeat each request under its key until the answer is definite."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from avatars.models import Avatar
from genvid.tests import media_files
from genvid.tests.factories import Person, make_caller
from videos.tests.chaos.plan import Order, Plan

BALANCE = 5_000
PATIENCE = 600.0
PAUSE = 0.3
CHECK_INTERVAL = 1.0
ENDED = ("completed", "failed", "canceled")


class Customer:
    """An account with a client that repeats unanswered requests."""

    def __init__(self, person: Person, url: str, orders: list[Order], avatar: Avatar, seed: int) -> None:
        self.person, self.orders, self.avatar, self.seed = person, orders, avatar, seed
        self.photo_id = ""
        self.ids: dict[str, set[str]] = {order.name: set() for order in orders}
        self.canceled: set[str] = set()
        self.deleted: set[str] = set()
        self.errors: list[str] = []
        self.counts: Counter[str] = Counter()
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {person.tokens.access_token}"},
            timeout=60,
            trust_env=False,
        )

    def order_all(self) -> None:
        if any(order.with_photo for order in self.orders):
            self._try(self._upload_photo, self.orders[0])
        for order in self.orders:
            self._try(self._order, order)
        self._http.close()

    def delete_ended_videos(self, http: httpx.Client, over: threading.Event) -> None:
        """Delete the videos that are to be deleted, each as soon as it has ended."""
        open_ones = [order for order in self.orders if order.follow_up == "delete" and self.ids[order.name]]
        while open_ones and not over.is_set():
            open_ones = [order for order in open_ones if not self._deleted(http, next(iter(self.ids[order.name])))]
            over.wait(CHECK_INTERVAL)

    def _try(self, action: Any, order: Order) -> None:
        try:
            action(order)
        except Exception as error:  # noqa: BLE001 - every error is reported as a violation
            self.errors.append(f"{order.name}: {error!r}")

    def _upload_photo(self, _: Order) -> None:
        photo = {"file": ("me.jpg", media_files.picture("JPEG", (64, 64)), "image/jpeg")}
        answer = self._send_until_answered("POST", "/api/v1/uploads", files=photo, key=f"{self.seed}-photo")
        self.counts[f"upload {answer.status_code}"] += 1
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.photo_id = answer.json()["data"]["id"]

    def _subject(self, order: Order) -> dict[str, Any]:
        if order.with_photo and self.photo_id:
            return {"picture": {"upload_id": self.photo_id}, "voice_id": str(self.avatar.default_voice_id)}
        return {"avatar_id": str(self.avatar.pk)}

    def _order(self, order: Order) -> None:
        body = {
            "script": order.script,
            **self._subject(order),
            "resolution": "720p",
            "captions": order.captions,
            "metadata": {"order": order.name},
        }
        key = f"{self.seed}-{order.name}"
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(self._send_until_answered, "POST", "/api/v1/videos", json=body, key=key)]
            if order.sent_twice:
                calls.append(pool.submit(self._send_until_answered, "POST", "/api/v1/videos", json=body, key=key))
            answers = [call.result() for call in calls]
        for answer in answers:
            self._record(order, answer)
        if order.follow_up == "cancel":
            self._cancel(next(iter(self.ids[order.name])))

    def _record(self, order: Order, answer: httpx.Response) -> None:
        self.counts[f"order {answer.status_code}"] += 1
        self.counts["order replayed"] += "Idempotent-Replayed" in answer.headers
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.ids[order.name].add(answer.json()["data"]["id"])

    def _cancel(self, video_id: str) -> None:
        answer = self._send_until_answered("POST", f"/api/v1/videos/{video_id}/cancel")
        self.counts[f"cancel {answer.status_code}"] += 1
        if answer.status_code == 200:
            self.canceled.add(video_id)

    def _deleted(self, http: httpx.Client, video_id: str) -> bool:
        """Whether the video is gone. Reads it once, without waiting."""
        headers = dict(self._http.headers)
        try:
            answer = http.get(f"/api/v1/videos/{video_id}", headers=headers)
            if answer.status_code == 404:
                self.deleted.add(video_id)
                return True
            if answer.status_code != 200 or answer.json()["data"]["status"] not in ENDED:
                return False
            gone = http.delete(f"/api/v1/videos/{video_id}", headers=headers).status_code == 204
        except httpx.TransportError:
            return False
        if gone:
            self.counts["delete 204"] += 1
            self.deleted.add(video_id)
        return gone

    def _send_until_answered(self, method: str, path: str, *, key: str | None = None, **body: Any) -> httpx.Response:
        """The first definite answer. Raises TimeoutError after `PATIENCE` seconds without one."""
        until, last = time.monotonic() + PATIENCE, ""
        headers = {"Idempotency-Key": key} if key else {}
        while time.monotonic() < until:
            try:
                answer = self._http.request(method, path, headers=headers, **body)
            except httpx.TransportError as error:
                last = type(error).__name__
            else:
                last = str(answer.status_code)
                if not _should_retry(answer):
                    return answer
            self.counts[f"repeated after {last}"] += 1
            time.sleep(PAUSE)
        raise TimeoutError(f"{method} {path}: no definite answer in {PATIENCE:.0f} s, at last {last}")


def _should_retry(answer: httpx.Response) -> bool:
    if answer.status_code in (429, *range(500, 600)):
        return True
    return answer.status_code == 409 and answer.json()["error"]["code"] == "idempotency_in_progress"


class Customers:
    """All customers, each in its own thread."""

    def __init__(self, plan: Plan, url: str, avatar: Avatar) -> None:
        orders = plan.orders()
        self.customers = [
            Customer(
                make_caller(balance=BALANCE),
                url,
                [order for order in orders if order.customer == number],
                avatar,
                plan.seed,
            )
            for number in range(plan.accounts)
        ]
        self.ordered_in: float | None = None
        self._url, self._over = url, threading.Event()
        self._begun = time.monotonic()
        self._threads = [threading.Thread(target=each.order_all, daemon=True) for each in self.customers]
        self._last = threading.Thread(target=self._clear_up, daemon=True)

    def start(self) -> None:
        self._begun = time.monotonic()
        for thread in [*self._threads, self._last]:
            thread.start()

    @property
    def all_ordered(self) -> bool:
        done = not any(thread.is_alive() for thread in self._threads)
        if done and self.ordered_in is None:
            self.ordered_in = time.monotonic() - self._begun
        return done

    @property
    def all_done(self) -> bool:
        """Whether everything is ordered, canceled and deleted."""
        return not self._last.is_alive()

    def stop(self) -> None:
        """Stop deleting videos."""
        self._over.set()
        self._last.join(PATIENCE)

    def counts(self) -> Counter[str]:
        return sum((each.counts for each in self.customers), Counter())

    def _clear_up(self) -> None:
        for thread in self._threads:
            thread.join()
        with httpx.Client(base_url=self._url, timeout=10, trust_env=False) as http:
            threads = [
                threading.Thread(target=each.delete_ended_videos, args=(http, self._over), daemon=True)
                for each in self.customers
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
