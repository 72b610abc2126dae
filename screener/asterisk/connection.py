"""The connection to one Asterisk: a WebSocket that is opened again for ever, and requests by the best way it offers."""

import asyncio
import contextlib
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import aiohttp

from screener.asterisk import events
from screener.asterisk.backoff import delays
from screener.asterisk.errors import AriError, AriUnavailableError
from screener.asterisk.http import base_url, open_http, open_socket
from screener.asterisk.http_rest import HttpRest
from screener.asterisk.rest import Answer, Request, Rest
from screener.asterisk.settings import AriSettings, RestPath
from screener.asterisk.socket_rest import SocketRest

log = logging.getLogger(__name__)

PROBE_SECONDS: Final = 1.0
"""How long to wait for an answer over the socket before concluding that this Asterisk has no REST there."""
TOLD_SECONDS: Final = 60.0
"""How often the same trouble is told."""
LASTING_SECONDS: Final = 1.0
"""How long a connection must have stood for the next try after it to be made at once."""

PING: Final = Request(method="GET", path="asterisk/ping")


class Listener(Protocol):
    """Who is told what happens."""

    def take(self, event: events.Event) -> None:
        """Take an event; must not block."""

    async def connected(self) -> None:
        """The application is registered and requests can be made: runs at each connection."""

    async def drain(self) -> None:
        """The connection is going to be given up: finish what is under way."""


class AriConnection:
    """Tells a listener of events, and sends requests; `run` keeps it going."""

    def __init__(self, settings: AriSettings, password: str) -> None:
        self._settings = settings
        self._base = base_url(settings)
        self._password = password
        self._rest: Rest | None = None
        self._leaving = asyncio.Event()
        self.ready = asyncio.Event()
        """Set at the first connection, and for ever."""
        self.over_socket = False
        self.replaced = False
        """Whether another screener has registered the application: its calls are taken there now."""
        self.unreadable: Counter[str] = Counter()
        """Messages that could not be read, by what was wrong."""

    async def send(self, *requests: Request) -> list[Answer]:
        """Send requests in this order and return their answers. Raises AriUnavailableError."""
        if self._rest is None:
            raise AriUnavailableError("not connected to Asterisk")
        return await self._rest.send(requests)

    @property
    def connected(self) -> bool:
        """Whether events arrive and requests can be made."""
        return self._rest is not None

    async def run(self, listener: Listener) -> None:
        """Connect and stay connected until `close`, or until another screener takes the application over.

        In both cases the listener finishes what it holds while the connection still stands. A refusal (wrong password,
        ARI switched off) is tried again too: an administrator who mends it should not have to restart us.
        """
        waits, clock = delays(random.random), asyncio.get_running_loop().time
        told: tuple[str, float] | None = None
        while not self._leaving.is_set():
            begun = clock()
            try:
                async with self._session(listener) as receiving:
                    told = None
                    await _first(receiving, asyncio.Task(self._leaving.wait()))
                    if self._leaving.is_set():
                        await listener.drain()
                        return
                reason = "Asterisk closed the connection"
            except AriError as error:
                reason = str(error)
            if clock() - begun > LASTING_SECONDS:
                waits = delays(random.random)
            wait = next(waits)
            if (reason, clock() // TOLD_SECONDS) != told:
                log.warning("not connected to Asterisk at %s: %s; next try in %.1f s", self._base, reason, wait)
            told = (reason, clock() // TOLD_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait)

    def close(self) -> None:
        """Leave: `run` finishes what is under way, and returns."""
        self._leaving.set()

    async def closed(self) -> None:
        """Wait for `close`, without ever connecting."""
        await self._leaving.wait()

    @contextlib.asynccontextmanager
    async def _session(self, listener: Listener) -> AsyncIterator["asyncio.Task[None]"]:
        """One connection; the task ends with it."""
        settings = self._settings
        async with open_http(settings, self._password) as (http, _), open_socket(http, settings) as socket:
            over_socket = SocketRest(socket.send_str, self._settings.request_seconds)
            # An answer over the socket is read by the loop below, so that must run while the way is chosen.
            receiving = asyncio.get_running_loop().create_task(self._receive(socket, over_socket, listener))
            try:
                self._rest = await self._choose(over_socket, HttpRest(http, self._base, self._settings.request_seconds))
                self.over_socket = self._rest is over_socket
                await self._introduce()
                await listener.connected()
                self.ready.set()
                log.info("connected to Asterisk at %s, requests over %s", self._base, self.way)
                yield receiving
            finally:
                self._rest = None
                listener.take(events.ConnectionLost())
                over_socket.lost()
                receiving.cancel()
                (ended,) = await asyncio.gather(receiving, return_exceptions=True)
                if isinstance(ended, Exception):
                    log.error("reading from Asterisk failed", exc_info=ended)

    @property
    def way(self) -> str:
        """How requests travel."""
        return "the WebSocket" if self.over_socket else "HTTP"

    async def _choose(self, over_socket: SocketRest, over_http: HttpRest) -> Rest:
        """Use the way that the settings name, or the socket if this Asterisk answers there."""
        if self._settings.rest is RestPath.HTTP:
            return over_http
        if self._settings.rest is RestPath.WEBSOCKET:
            return over_socket
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await over_socket.send((PING,))
        except (AriUnavailableError, TimeoutError):
            return over_http
        return over_socket

    async def _introduce(self) -> None:
        """Tell Asterisk which events we handle."""
        application = f"applications/{self._settings.application}"
        (answer,) = await self.send(Request(method="PUT", path=f"{application}/eventFilter", body=events.FILTER))
        if not answer.ok:
            log.warning("Asterisk refused the event filter (%d): all events of our calls will be sent", answer.status)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse, rest: SocketRest, listener: Listener) -> None:
        """Read the socket until it closes."""
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._read(frame.data, rest, listener)
            elif frame.type is aiohttp.WSMsgType.BINARY:
                self._unreadable("binary frame", "")
        rest.lost()

    def _read(self, text: str, rest: SocketRest, listener: Listener) -> None:
        """Take one message; nothing in it stops the loop."""
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise events.MalformedEventError("not an object")
            if message.get("type") == "RESTResponse":
                rest.answered(message)
                return
            event = events.read(message)
        except (ValueError, RecursionError) as error:
            self._unreadable(type(error).__name__, str(error))
            return
        if event is None:
            return
        try:
            listener.take(event)
        except Exception:  # a fault of ours costs this event, and not all that come after it
            log.exception("an event could not be taken: %s", type(event).__name__)
        if isinstance(event, events.Replaced):
            self.replaced = True
            self._leaving.set()

    def _unreadable(self, kind: str, detail: str) -> None:
        self.unreadable[kind] += 1
        if self.unreadable[kind] == 1:
            log.warning(
                "a message from Asterisk cannot be read (%s: %.200r); more like it are only counted", kind, detail
            )


async def _first(*tasks: "asyncio.Task[Any]") -> None:
    """Return when one of the tasks has ended; the last one is then cancelled."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks[-1].cancel()
