"""One running sandbox: its books, its knobs, and the parts that work in the background."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from genvid.sandbox.courier import Courier
from genvid.sandbox.files import Links
from genvid.sandbox.heygen import events
from genvid.sandbox.knobs import KnobBoard
from genvid.sandbox.production import Production
from genvid.sandbox.store import Row, Store
from genvid.sandbox.stripe import clocks
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.wallet import Wallet
from genvid.sandbox.workshop.bench import Bench


@dataclass(frozen=True)
class Options:
    """What a sandbox is started with."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8001
    api_key: str = ""
    test_key: str = ""
    """Orders with it are free and watermarked; empty: there are none."""
    renderer: str = "full"
    concurrency: int = 10
    workers: int = 1
    stripe_key: str = ""
    """The one secret key Stripe knows; empty: any."""
    public_url: str = ""
    """Where browsers find Stripe's pages; empty: under the name that the API is called by."""


class House:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = options.folder
        self.store = Store(options.folder)
        self.board = KnobBoard(self.store, renderer=options.renderer, concurrency=options.concurrency)
        self.links = Links(options.folder, self.store.signing_key())
        self.wallet = Wallet(self.store)
        self.courier = Courier(self.store, self.board)
        log = options.folder / "render.log"
        self.benches = [Bench(log) for _ in range(options.workers)]
        # Speech and previews that somebody is waiting for must not queue behind a long render.
        self.desk = Bench(log)
        self.production = Production(self.store, self.board, self.links, self.wallet, self.courier, self.benches)
        self.bank = Bank(self.store, self.board, f"http://{options.host}:{options.port}", public_url=options.public_url)
        self.in_progress: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> None:
        parts = (self.courier.run(), self.bank.courier.run(), clocks.run(self.bank))
        self._tasks = [*map(asyncio.create_task, parts), *self.production.start()]
        self.announce_looks()

    def announce_looks(self) -> None:
        """Tells of each own avatar once, as soon as it is ready."""
        for look in self.store.rows("SELECT * FROM looks WHERE announced = 0 AND consent IS NOT 'pending'"):
            delay = max(0.0, look["ready_at"] - time.time())
            self._timers.append(asyncio.get_running_loop().call_later(delay, self._announce_look, look))

    def _announce_look(self, look: Row) -> None:
        sql = "UPDATE looks SET announced = 1 WHERE id = ? AND announced = 0"
        with self.store.together():
            if self.store.run(sql, look["id"]):
                self.courier.send(events.of_look(look), mode=self.board.now.webhooks)

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.courier.stop()
        await self.bank.courier.stop()
        await asyncio.gather(*(bench.stop() for bench in [*self.benches, self.desk]))
        self.store.close()
