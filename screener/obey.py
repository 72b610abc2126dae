"""What people ask by the journal, done by the daemon that runs."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from screener.asterisk.desk import Desk
from screener.memory.history import Marked
from screener.memory.wishes import LOOK_SECONDS, Closed, Opened, Wish, Wishes

log = logging.getLogger(__name__)

TROUBLE_SECONDS: Final = 5.0
"""How long to leave a journal alone that cannot be read."""


async def obey(wishes: Wishes, desk: Desk, wall: Callable[[], float]) -> None:
    """Look at the journal in a thread, and do what was asked, until cancelled; `wall` is in seconds since the epoch."""
    # A thread of its own: those of the loop may be busy with lists for a long time.
    with ThreadPoolExecutor(1, thread_name_prefix="wishes") as thread:
        loop, told = asyncio.get_running_loop(), ""
        try:
            while True:
                wait = LOOK_SECONDS
                try:
                    found = await loop.run_in_executor(thread, wishes.look, wall())
                    told = ""
                except FileNotFoundError:
                    found = []  # nothing was written yet
                except (sqlite3.Error, OSError, ValueError) as error:
                    found, wait = [], TROUBLE_SECONDS
                    if str(error) != told:
                        log.warning("what people ask by the journal is not seen: %s", error)
                    told = str(error)
                for wish in found:
                    _do(wish, desk)
                await asyncio.sleep(wait)
        finally:
            thread.submit(wishes.close)


def _do(wish: Wish, desk: Desk) -> None:
    try:
        match wish:
            case Opened(window=window):
                desk.open_window(window)
            case Closed(kind=kind, did=did):
                desk.close_window(kind, did)
            case Marked(number=number, wanted=wanted):
                desk.mark(number, wanted=wanted)
    except Exception:
        log.exception("what was asked by the journal could not be done: %s", wish)
