"""Tasks that somebody holds: asyncio keeps only weak references, and an exception in a lost task is seen by nobody."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """A set of running tasks, one for each call."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        """Return how many run."""
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work`; an exception that it lets out is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def finish(self, seconds: float) -> None:
        """Wait up to `seconds` for all to end, then cancel what is left."""
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a call's task failed: %s", error, exc_info=error)
