"""Logging that never holds up a call: a bounded queue, written by a thread, with a limit of lines a second.

A terminal that is stopped, a full disk or a slow journald blocks whoever writes to it. Here that is a thread; what
does not fit into the queue is dropped, counted and told afterwards.
"""

import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler
from typing import Final, TextIO

FORMAT: Final = "%(levelname)s %(name)s: %(message)s"
"""journald adds the time, and sees a line as one event: messages hold no line breaks of strangers."""
WAITING: Final = 2000
"""Lines that wait for a slow reader; beyond it they are dropped."""
LAST_WORDS_SECONDS: Final = 1.0
"""How long to wait at the end for what is not written yet."""

Records = queue.Queue[logging.LogRecord | None]
"""None ends it."""


class Throttled(QueueHandler):
    """Puts records into the queue, at most `rate` a second on average, and counts those that it drops."""

    def __init__(self, records: Records, rate: int, clock: Callable[[], float]) -> None:
        """`clock` is in seconds and never steps back."""
        super().__init__(records)
        self.dropped = 0
        """Records dropped since the last one that was let through."""
        self._rate = rate
        self._clock = clock
        self._second = 0
        self._written = 0
        self._lock = threading.Lock()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Take a record, or count it; warnings and worse have a second's share of their own."""
        with self._lock:
            if int(self._clock()) != self._second:
                self._second, self._written = int(self._clock()), 0
            limit = self._rate if record.levelno < logging.WARNING else 2 * self._rate
            if self._written >= limit:
                self.dropped += 1
                return
            self._written += 1
            if self.dropped:
                record.msg = f"{record.msg} [{self.dropped} lines before this one were dropped]"
            try:
                self.queue.put_nowait(record)
                self.dropped = 0
            except queue.Full:
                self.dropped += 1


class Unfailing(logging.StreamHandler[TextIO]):
    """Writes to a stream; a stream that is broken costs the line and nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: there is nowhere to say it."""


@contextmanager
def logging_to(stream: TextIO = sys.stderr, *, level: str = "info", rate: int = 200) -> Iterator[None]:
    """Log to `stream` while the block runs; `rate` is in lines a second."""
    records: Records = queue.Queue(WAITING)
    handler, writer = Throttled(records, rate, time.monotonic), Unfailing(stream)
    writer.setFormatter(logging.Formatter(FORMAT))
    # A daemon: whoever blocks it must not keep us from ending.
    thread = threading.Thread(target=_write, args=(records, writer), name="log", daemon=True)
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(handler)
    thread.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        with suppress(queue.Full):
            records.put_nowait(None)
        thread.join(LAST_WORDS_SECONDS)


def _write(records: Records, writer: logging.Handler) -> None:
    while (record := records.get()) is not None:
        writer.handle(record)
