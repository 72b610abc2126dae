"""A proxy before a PBX's REST interface that can do what a network, or another version of Asterisk, does."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

import aiohttp
from aiohttp import web

from tests.lab.pbx import Pbx


class Proxy:
    """Passes HTTP requests and WebSocket frames on, both ways, and notes them."""

    def __init__(self, pbx: Pbx, *, swallow: bool = False) -> None:
        """With `swallow`, what a client writes into its WebSocket is ignored, as by an Asterisk older than 20.14."""
        self.requests: list[str] = []
        """Path of each HTTP request."""
        self.frames: list[str] = []
        """What clients wrote into their WebSockets."""
        self.sockets = 0
        """WebSockets opened since the beginning."""
        self.deaf = False
        """Whether what Asterisk says is lost on the way."""
        self.delay = 0.0
        """Seconds that what Asterisk says takes longer."""
        self.failing = False
        """Whether every HTTP request is answered with 500."""
        self._pbx = pbx
        self._swallow = swallow
        self._clients: list[web.WebSocketResponse] = []
        self._news = asyncio.Event()

    @property
    def url(self) -> str:
        """The address in place of Asterisk's."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/ari/events", self._socket)
        application.router.add_route("*", "/{path:.*}", self._request)
        self._http = aiohttp.ClientSession()
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        await self._runner.cleanup()
        await self._http.close()

    async def until(self, condition: Callable[[Self], bool], *, timeout: float = 15.0) -> None:
        """Wait for something to be true of this proxy."""
        async with asyncio.timeout(timeout):
            while not condition(self):
                self._news.clear()
                await self._news.wait()

    async def say(self, *messages: str | bytes) -> None:
        """Send messages to the newest client as if Asterisk had: text as text frames, bytes as binary ones."""
        for message in messages:
            if isinstance(message, str):
                await self._clients[-1].send_str(message)
            else:
                await self._clients[-1].send_bytes(message)

    async def cut(self) -> None:
        """Break all WebSockets without a word, as a network does."""
        for client in self._clients:
            transport = client.get_extra_info("socket") and client._req and client._req.transport
            if transport:
                transport.abort()
        self._clients.clear()

    def _onward(self, request: web.Request) -> tuple[str, dict[str, str]]:
        address = f"http://127.0.0.1:{self._pbx.ports.http}{request.rel_url}"
        return address, {"Authorization": request.headers.get("Authorization", "")}

    async def _request(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        if self.failing:
            return web.Response(status=500, text="broken on purpose")
        if self.delay:
            await asyncio.sleep(self.delay)
        address, headers = self._onward(request)
        headers["Content-Type"] = request.headers.get("Content-Type", "application/json")
        async with self._http.request(request.method, address, headers=headers, data=await request.read()) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        address, headers = self._onward(request)
        try:
            asterisk = await self._http.ws_connect(address, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status)
        except aiohttp.ClientError:  # Asterisk is not there
            return web.Response(status=502)
        client = web.WebSocketResponse()
        await client.prepare(request)
        self._clients.append(client)
        self.sockets += 1
        self._news.set()
        async with asterisk:
            directions: Sequence[asyncio.Task[None]] = [
                asyncio.Task(self._down(asterisk, client)),
                asyncio.Task(self._up(client, asterisk)),
            ]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        return client

    async def _down(self, asterisk: aiohttp.ClientWebSocketResponse, client: web.WebSocketResponse) -> None:
        async for frame in asterisk:
            if self.delay:
                await asyncio.sleep(self.delay)
            if not self.deaf:
                await client.send_str(frame.data)

    async def _up(self, client: web.WebSocketResponse, asterisk: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in client:
            self.frames.append(frame.data)
            self._news.set()
            if not self._swallow:
                await asterisk.send_str(frame.data)
