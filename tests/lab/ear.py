"""What a caller hears and says: the far end of Asterisk's AudioSocket, which carries one call's sound over TCP."""

import asyncio
import struct
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.lab.recogniser import LOUD, Hit, Recogniser
from tests.lab.sounds import RATE, Samples

PEOPLE: Final[Mapping[str, float]] = {"agent": 1000.0, "sales": 1150.0}
"""Who picks up sends a tone of their own, in Hz (as etc/world/extensions.conf has it)."""
BEEP: Final = "beep"
"""What is heard before one may leave a message."""
TONES: Final[Mapping[str, float]] = {**PEOPLE, BEEP: 700.0}

FRAME: Final = RATE // 50
"""Samples in 20 ms, which is what telephones send at a time."""
FALLEN_SILENT: Final = 0.12
"""Seconds without sound after which what has come is looked at: a PBX that waits for keys sends nothing at all."""

_HEADER: Final = struct.Struct("!BH")
_ENDS, _NAMES_ITSELF, _SOUND = 0x00, 0x01, 0x10
_SILENCE: Final = _HEADER.pack(_SOUND, 2 * FRAME) + bytes(2 * FRAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something that the caller recognised."""

    digit: str
    """A digit, `beep`, or the name of whoever picked up."""
    at: float
    """Seconds since the caller lifted the receiver, at the end of the digit."""
    likeness: float


class Receiver:
    """One caller's telephone: what was heard, and what is to be said."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.heard: list[Heard] = []
        self.samples = 0
        """How much sound came, 8000 per second."""
        self.loud_at = 0.0
        """When there was sound last."""
        self.recording: list[bytes] | None = None
        """Set to a list to keep the sound itself, as 16-bit samples."""
        self._recogniser = recogniser
        self._lifted = time.monotonic()
        self.news = asyncio.Event()
        """Set when something more is heard; whoever listens clears it before looking."""
        self._speech: deque[bytes] = deque()

    def lift(self) -> None:
        """Count the seconds from now."""
        self._lifted = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the receiver was lifted."""
        return time.monotonic() - self._lifted

    def say(self, samples: Samples) -> None:
        """Speak into the telephone; returns at once, silence follows."""
        whole = np.concatenate((samples, np.zeros(-len(samples) % FRAME, dtype=np.float32))).astype("<i2").tobytes()
        for start in range(0, len(whole), 2 * FRAME):
            self._speech.append(_HEADER.pack(_SOUND, 2 * FRAME) + whole[start : start + 2 * FRAME])

    @property
    def speaking(self) -> bool:
        """Whether something is left to say."""
        return bool(self._speech)

    def next_frame(self) -> bytes:
        """Return the next 20 ms to send."""
        return self._speech.popleft() if self._speech else _SILENCE

    def take(self, sound: bytes) -> None:
        """Take 16-bit samples that came down the line."""
        if self.recording is not None:
            self.recording.append(sound)
        samples = np.frombuffer(sound, dtype="<i2").astype(np.float32)
        self.samples += len(samples)
        if np.sqrt(np.mean(np.square(samples))) > LOUD:
            self.loud_at = self.now
        self._note(self._recogniser.feed(samples))

    def pause(self) -> None:
        """Take note that nothing comes down the line at the moment."""
        self._note(self._recogniser.flush())

    def _note(self, hits: Iterable[Hit]) -> None:
        for hit in hits:
            ended = self.now - (self.samples - hit.end) / RATE
            self.heard.append(Heard(digit=hit.what, at=ended, likeness=hit.likeness))
            self.news.set()


class Ear:
    """The server at which the calls' sound arrives. One for all calls of a world."""

    def __init__(self, digits: Mapping[str, Samples]) -> None:
        self._digits = digits
        self._receivers: dict[uuid.UUID, Receiver] = {}
        self._lines: dict[asyncio.StreamWriter, Receiver] = {}
        self._handlers: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen, at a port of its own choice."""
        self._server = await asyncio.start_server(self._line, "127.0.0.1", 0, backlog=1000)
        self._pacer = asyncio.Task(self._pace())

    async def close(self) -> None:
        """End all lines, and listen no more."""
        self._server.close()
        tasks = [self._pacer, *self._handlers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        """Host and port, as AudioSocket wants them."""
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def expect(self, call: uuid.UUID) -> Receiver:
        """Return the telephone of a call that is about to be made."""
        receiver = self._receivers[call] = Receiver(Recogniser(self._digits, TONES))
        return receiver

    def forget(self, call: uuid.UUID) -> None:
        """The call is over."""
        self._receivers.pop(call, None)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one call until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._handlers.discard(task)
            if (receiver := self._lines.pop(writer, None)) is not None:
                receiver.pause()
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver: Receiver | None = None
        while True:
            try:
                async with asyncio.timeout(FALLEN_SILENT):
                    kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
            except TimeoutError:
                if receiver is not None:
                    receiver.pause()
                continue
            content = await reader.readexactly(length)
            if kind == _NAMES_ITSELF:
                receiver = self._receivers.get(uuid.UUID(bytes=content))
                if receiver is None:
                    return
                receiver.lift()
                self._lines[writer] = receiver
            elif kind == _SOUND and receiver is not None:
                receiver.take(content)
            elif kind == _ENDS:
                return

    async def _pace(self) -> None:
        """Send every caller's next 20 ms when it is due, like the clock of a telephone."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for writer, receiver in list(self._lines.items()):
                if not writer.is_closing() and writer.transport.get_write_buffer_size() < 64_000:
                    writer.write(receiver.next_frame())
            due = max(due + FRAME / RATE, loop.time() - 0.1)  # after a stall, catch up 100 ms at most
            await asyncio.sleep(max(0.0, due - loop.time()))
