"""What a part of the screener logs, to wait for."""

import asyncio
import logging
from typing import Self


class Said(logging.Handler):
    """Keeps the lines of one logger and of those below it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._news = asyncio.Event()
        self._logger = logging.getLogger(name)

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())
        self._news.set()

    async def line(self, text: str) -> str:
        """Wait for a line that holds `text`, and return it."""
        async with asyncio.timeout(15):
            while True:
                self._news.clear()
                for line in self.lines:
                    if text in line:
                        return line
                await self._news.wait()
