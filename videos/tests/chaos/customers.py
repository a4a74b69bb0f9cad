"""Customers who order over HTTP and repeat each request under its key until the answer is definite."""

import threading
import time
from collections import Counter, defaultdict
from typing import Any

import httpx

from avatars.models import Avatar
from genvid.tests.factories import Person, make_caller
from videos.tests.chaos.own_material import OwnMaterial, file_named
from videos.tests.chaos.own_plan import MaterialPlan, material_plans
from videos.tests.chaos.patient_client import PATIENCE, PatientClient
from videos.tests.chaos.plan import Order, Plan

BALANCE = 5_000
CHECK_INTERVAL = 1.0
ENDED = ("completed", "failed", "canceled")


class Customer:
    """An account with a client that repeats unanswered requests."""

    def __init__(
        self, person: Person, url: str, orders: list[Order], material: MaterialPlan, avatar: Avatar, seed: int
    ) -> None:
        self.person, self.orders, self.avatar, self.seed = person, orders, avatar, seed
        self.photo_ids: set[str] = set()
        self.ids: dict[str, set[str]] = defaultdict(set)
        """The videos that each order was answered with, by its name."""
        self.canceled: set[str] = set()
        self.deleted: set[str] = set()
        self._errors: list[str] = []
        self._counts: Counter[str] = Counter()
        self._client = PatientClient(person, url)
        self._own_client = PatientClient(person, url)
        voice_id = str(avatar.default_voice_id)
        self.material = OwnMaterial(material, self._own_client, self._film, str(avatar.pk), voice_id)

    @property
    def errors(self) -> list[str]:
        return self._errors + self.material.errors

    @property
    def counts(self) -> Counter[str]:
        return self._counts + self._client.counts + self._own_client.counts + self.material.counts

    def order_all(self) -> None:
        if any(order.with_photo for order in self.orders):
            self._try(self._upload_photo, self.orders[0])
        for order in self.orders:
            self._try(self._order, order)

    def delete_ended_videos(self, over: threading.Event) -> None:
        """Delete the videos that are to be deleted, each as soon as it has ended."""
        open_ones = [order for order in self.orders if order.follow_up == "delete" and self.ids[order.name]]
        while open_ones and not over.is_set():
            open_ones = [order for order in open_ones if not self._deleted(next(iter(self.ids[order.name])))]
            over.wait(CHECK_INTERVAL)

    def close(self) -> None:
        self._client.close()
        self._own_client.close()

    def _try(self, action: Any, order: Order) -> None:
        try:
            action(order)
        except Exception as error:  # noqa: BLE001 - every error is reported as a violation
            self._errors.append(f"{order.name}: {error!r}")

    def _upload_photo(self, _: Order) -> None:
        photo = {"file": file_named("photo")}
        answer = self._client.send("POST", "/api/v1/uploads", files=photo, key=f"{self.seed}-photo")
        self._counts[f"upload {answer.status_code}"] += 1
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        self.photo_ids.add(answer.json()["data"]["id"])

    def _subject(self, order: Order) -> dict[str, Any]:
        if order.with_photo and self.photo_ids:
            photo_id = next(iter(self.photo_ids))
            return {"picture": {"upload_id": photo_id}, "voice_id": str(self.avatar.default_voice_id)}
        return {"avatar_id": str(self.avatar.pk)}

    def _order(self, order: Order) -> None:
        body = {"script": order.script, **self._subject(order), "captions": order.captions}
        self._order_video(self._client, order.name, body, copies=1 + order.sent_twice)
        if order.follow_up == "cancel":
            self._cancel(next(iter(self.ids[order.name])))

    def _film(self, name: str, body: dict[str, Any]) -> None:
        self._order_video(self._own_client, name, body, copies=1)

    def _order_video(self, client: PatientClient, name: str, body: dict[str, Any], *, copies: int) -> None:
        key, wanted = f"{self.seed}-{name}", {"resolution": "720p", "metadata": {"order": name}} | body
        ids = self.ids[name]
        for answer in client.send_copies(copies, "POST", "/api/v1/videos", json=wanted, key=key):
            self._counts[f"order {answer.status_code}"] += 1
            self._counts["order replayed"] += "Idempotent-Replayed" in answer.headers
            if answer.status_code != 201:
                raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
            ids.add(answer.json()["data"]["id"])

    def _cancel(self, video_id: str) -> None:
        answer = self._client.send("POST", f"/api/v1/videos/{video_id}/cancel")
        self._counts[f"cancel {answer.status_code}"] += 1
        if answer.status_code == 200:
            self.canceled.add(video_id)

    def _deleted(self, video_id: str) -> bool:
        """Whether the video is gone. Reads it once, without waiting."""
        path = f"/api/v1/videos/{video_id}"
        answer = self._client.try_once("GET", path)
        if isinstance(answer, httpx.Response) and answer.status_code == 404:
            self.deleted.add(video_id)
            return True
        if not _has_ended(answer):
            return False
        answer = self._client.try_once("DELETE", path)
        if not isinstance(answer, httpx.Response) or answer.status_code != 204:
            return False
        self._counts["delete 204"] += 1
        self.deleted.add(video_id)
        return True


def _has_ended(answer: httpx.Response | httpx.TransportError) -> bool:
    """Whether it shows a video that has ended."""
    if not isinstance(answer, httpx.Response) or answer.status_code != 200:
        return False
    return answer.json()["data"]["status"] in ENDED


class Customers:
    """All customers, each in its own thread."""

    def __init__(self, plan: Plan, url: str, avatar: Avatar) -> None:
        orders = plan.orders()
        self.customers = [
            Customer(
                make_caller(balance=BALANCE),
                url,
                [order for order in orders if order.customer == material.customer],
                material,
                avatar,
                plan.seed,
            )
            for material in material_plans(plan.seed, plan.accounts)
        ]
        self.ordered_in: float | None = None
        self._over = threading.Event()
        self._begun = time.monotonic()
        actions = [each.order_all for each in self.customers] + [each.material.make_all for each in self.customers]
        self._threads = [threading.Thread(target=action, daemon=True) for action in actions]
        self._last = threading.Thread(target=self._clear_up, daemon=True)

    def start(self) -> None:
        self._begun = time.monotonic()
        for thread in [*self._threads, self._last]:
            thread.start()

    @property
    def all_ordered(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def all_done(self) -> bool:
        """Whether everything is ordered, canceled and deleted."""
        return not self._last.is_alive()

    def stop(self) -> None:
        """Stop deleting videos."""
        self._over.set()
        self._last.join(PATIENCE)
        for each in self.customers:
            each.close()

    def counts(self) -> Counter[str]:
        return sum((each.counts for each in self.customers), Counter())

    def _clear_up(self) -> None:
        for thread in self._threads:
            thread.join()
        self.ordered_in = time.monotonic() - self._begun
        threads = [
            threading.Thread(target=each.delete_ended_videos, args=(self._over,), daemon=True)
            for each in self.customers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
