"""The connection to one Asterisk: a WebSocket that is opened again for ever, and requests by the best way it offers."""

import asyncio
import base64
import contextlib
import json
import logging
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import aiohttp

from screener.asterisk import events
from screener.asterisk.backoff import delays
from screener.asterisk.errors import AriError, AriRefusedError, AriUnavailableError
from screener.asterisk.http_rest import HttpRest
from screener.asterisk.rest import Answer, Request, Rest
from screener.asterisk.settings import AriSettings, RestPath
from screener.asterisk.socket_rest import SocketRest

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 2.0
"""A ping each 2 s, its answer due within 1 s: a peer that is gone without a word is noticed within 3 s."""
PROBE_SECONDS: Final = 1.0
"""How long to wait for an answer over the socket before concluding that this Asterisk has no REST there."""
HTTP_CONNECTIONS: Final = 8
"""Kept-alive connections at the most; Asterisk's http.conf allows 100 sessions to all clients together."""
LARGEST_MESSAGE: Final = 1 << 20
"""Bytes. An event is some 2 kB; a longer message closes the socket, and it is opened again."""

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
        self._base = _base(settings)
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
        waits = delays(random.random)
        while not self._leaving.is_set():
            try:
                async with self._session(listener) as receiving:
                    waits = delays(random.random)
                    await _first(receiving, asyncio.Task(self._leaving.wait()))
                    if self._leaving.is_set():
                        await listener.drain()
                        return
                reason = "Asterisk closed the connection"
            except AriError as error:
                reason = str(error)
            wait = next(waits)
            log.warning("not connected to Asterisk at %s: %s; next try in %.1f s", self._base, reason, wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait)

    def close(self) -> None:
        """Leave: `run` finishes what is under way, and returns."""
        self._leaving.set()

    @contextlib.asynccontextmanager
    async def _session(self, listener: Listener) -> AsyncIterator["asyncio.Task[None]"]:
        """One connection; the task ends with it."""
        async with open_http(self._settings, self._password) as (http, _), self._socket(http) as socket:
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
                over_socket.lost()
                receiving.cancel()
                (ended,) = await asyncio.gather(receiving, return_exceptions=True)
                if isinstance(ended, Exception):
                    log.error("reading from Asterisk failed", exc_info=ended)

    @property
    def way(self) -> str:
        """How requests travel."""
        return "the WebSocket" if self.over_socket else "HTTP"

    @contextlib.asynccontextmanager
    async def _socket(self, http: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        url = f"{self._base}/events"
        query = {"app": self._settings.application, "subscribeAll": "false"}
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS * 2):
                socket = await http.ws_connect(
                    url, params=query, heartbeat=HEARTBEAT_SECONDS, max_msg_size=LARGEST_MESSAGE
                )
        except aiohttp.WSServerHandshakeError as error:
            raise AriRefusedError(_refusal(error.status, self._settings.user)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AriUnavailableError(str(error) or "no answer") from error
        async with socket:
            yield socket

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
        listener.take(event)
        if isinstance(event, events.Replaced):
            self.replaced = True
            self._leaving.set()

    def _unreadable(self, kind: str, detail: str) -> None:
        self.unreadable[kind] += 1
        if self.unreadable[kind] == 1:
            log.warning(
                "a message from Asterisk cannot be read (%s: %.200r); more like it are only counted", kind, detail
            )


@contextlib.asynccontextmanager
async def open_http(settings: AriSettings, password: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Open a session that knows the user and whom to trust; the second value is the address of `/ari`."""
    credentials = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
    # In a header and not as api_key in the URL, which would stand in Asterisk's logs.
    headers = {"Authorization": f"Basic {credentials}"}
    context: ssl.SSLContext | bool = True
    if settings.ca_file is not None:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
    connector = aiohttp.TCPConnector(limit=HTTP_CONNECTIONS, ssl=context)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
        yield http, _base(settings)


def _base(settings: AriSettings) -> str:
    return str(settings.url).rstrip("/") + "/ari"


async def _first(*tasks: "asyncio.Task[Any]") -> None:
    """Return when one of the tasks has ended; the last one is then cancelled."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks[-1].cancel()


def _refusal(status: int, user: str) -> str:
    """Say what an HTTP status of the handshake means to an administrator."""
    meanings = {
        401: f"it refuses the user {user!r} or the password (ari.conf, and `ari show users` in Asterisk's CLI)",
        403: f"it does not let the user {user!r} in from here (acl of the user in ari.conf)",
        404: "no ARI there: is it enabled in ari.conf, and does the url have http.conf's prefix?",
        503: "Asterisk has no session left (sessionlimit in http.conf)",
    }
    return meanings.get(status, f"it answered {status} to the WebSocket's handshake")
