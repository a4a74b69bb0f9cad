"""What every operation of HeyGen uses, and HeyGen's background tasks."""

import asyncio
import time

from genvid.sandbox.heygen import events
from genvid.sandbox.heygen.call_rates import CallRates
from genvid.sandbox.heygen.heygen_sender import HeyGenSender
from genvid.sandbox.heygen.render_queue import RenderQueue
from genvid.sandbox.heygen.wallet import Wallet
from genvid.sandbox.options import Options
from genvid.sandbox.render_worker.handle import WorkerHandle
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.signed_links import Links
from genvid.sandbox.store import Row, Store


class HeyGenCore:
    def __init__(self, store: Store, settings: StoredSettings, options: Options) -> None:
        self.store, self.settings, self.options = store, settings, options
        self.links = Links(options.folder, store.signing_key())
        self.wallet = Wallet(store)
        self.rates = CallRates(store, settings)
        self.sender = HeyGenSender(store, settings)
        log = options.folder / "render.log"
        self._workers = [WorkerHandle(log) for _ in range(options.workers)]
        # Speech and previews that somebody is waiting for must not queue behind a long render.
        self.interactive_worker = WorkerHandle(log)
        self.render_queue = RenderQueue(store, settings, self.links, self.wallet, self.sender, self._workers)
        self.in_progress: set[str] = set()
        """Hashes of the Idempotency-Keys whose requests are being answered."""
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.sender.run()), *self.render_queue.start()]
        self.announce_looks()
        return tasks

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        await self.sender.stop()
        await asyncio.gather(*(worker.stop() for worker in [*self._workers, self.interactive_worker]))

    def give_consent(self, group_id: str) -> bool:
        """As the filmed person does on the consent page. False for a group that is not there."""
        found = self.store.run("UPDATE looks SET consent = 'approved' WHERE group_id = ?", group_id)
        self.announce_looks()
        return found > 0

    def announce_looks(self) -> None:
        for look in self.store.rows("SELECT * FROM looks WHERE announced = 0 AND consent IS NOT 'pending'"):
            delay = max(0.0, look["ready_at"] - time.time())
            self._timers.append(asyncio.get_running_loop().call_later(delay, self._announce_look, look))

    def _announce_look(self, look: Row) -> None:
        sql = "UPDATE looks SET announced = 1 WHERE id = ? AND announced = 0"
        with self.store.together():
            if self.store.run(sql, look["id"]):
                self.sender.send(events.of_look(look), mode=self.settings.current.webhooks)
