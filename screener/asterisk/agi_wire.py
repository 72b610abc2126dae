"""One FastAGI connection, read and written within limits of time and size."""

import asyncio
import contextlib
import secrets
from typing import Final

from screener.asterisk import agi
from screener.policy.text import printable

SHOWN: Final = 200
"""Characters of what came that are logged."""
AT_HAND_SECONDS: Final = 0.01
"""How long to wait for what should be there already."""


class HungUpError(Exception):
    """The connection ended, or Asterisk says that the call has."""


class UnansweredError(Exception):
    """Asterisk does not answer in time."""


class RefusedError(Exception):
    """Asterisk does not do what we ask."""


class AgiWire:
    """One connection, read and written within limits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_seconds: float) -> None:
        self.writer = writer
        self._reader = reader
        self._answer_seconds = answer_seconds

    async def environment(self, seconds: float) -> dict[str, str]:
        """Read what Asterisk says first."""
        try:
            return dict(agi.read_environment(await self._read(b"\n\n", seconds)))
        except UnansweredError:
            raise UnansweredError(f"it sent no environment within {seconds:g} s") from None

    async def told(self) -> dict[str, str] | None:
        """Ask for the facts; None where somebody answers who cannot tell them, so no Asterisk."""
        mark = secrets.token_hex(12)
        self._write(agi.question(mark))
        try:
            answer = await self._read(agi.last_words(mark), self._answer_seconds)
        except UnansweredError:
            # A caller who forges answers does not keep a true one from coming.
            if await self._answered():
                return None
            raise
        return dict(agi.read_told(answer, mark))

    async def ask(self, command: str) -> None:
        """Have a command carried out."""
        self._write(command)
        answer = await self._read(b"\n", self._answer_seconds)
        if answer.startswith(b"HANGUP"):
            raise HungUpError
        if not answer.startswith(b"200 "):
            said = printable(answer.decode(errors="replace").strip(), SHOWN)
            raise RefusedError(f"Asterisk answers {said!r} to {command.partition(' ')[0]}")

    def hang_up(self) -> None:
        """End AGI(), so that the call goes on at once."""
        self.writer.close()

    async def _answered(self) -> bool:
        with contextlib.suppress(UnansweredError):
            return (await self._read(b"\n", AT_HAND_SECONDS)).startswith(b"200 ")
        return False

    def _write(self, command: str) -> None:
        self.writer.write(command.encode(errors="replace") + b"\n")

    async def _read(self, end: bytes, seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self._reader.readuntil(end)
        except TimeoutError:
            raise UnansweredError(f"nothing came within {seconds:g} s") from None
        except asyncio.IncompleteReadError:
            raise HungUpError from None
        except asyncio.LimitOverrunError:
            raise agi.MalformedAgiError(f"more than {agi.LARGEST} bytes without an end") from None
