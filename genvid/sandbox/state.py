"""One running sandbox: the store and the settings that both providers share, and the background tasks."""

import asyncio

from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.options import Options
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store
from genvid.sandbox.stripe import due_actions
from genvid.sandbox.stripe.stripe_core import StripeCore


class State:
    def __init__(self, options: Options) -> None:
        self.store = Store(options.folder)
        self.settings = StoredSettings(self.store, renderer=options.renderer, concurrency=options.concurrency)
        self.heygen = HeyGenCore(self.store, self.settings, options)
        self.stripe = StripeCore(self.store, self.settings, options)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        stripe_parts = (self.stripe.sender.run(), due_actions.run(self.stripe))
        self._tasks = [*map(asyncio.create_task, stripe_parts), *self.heygen.start()]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.heygen.stop()
        await self.stripe.sender.stop()
        self.store.close()
