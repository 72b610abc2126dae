"""A web server that gives away a list, for tests: what it answers is set, what it was asked is kept."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True, kw_only=True)
class Source:
    """The server as a test sees it."""

    url: str = ""
    status: int = 200
    body: bytes = b"+12015550123\n"
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[Mapping[str, str]] = field(default_factory=list)
    """The headers of each request."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(dict(request.headers))
        etag = self.headers.get("ETag")
        if self.status == 200 and etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Source]:
    """Serve on a free port of the loopback, over TLS if there is a context."""
    source = Source()
    app = web.Application()
    app.router.add_get("/list", source.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        source.url = f"{'https' if context else 'http'}://127.0.0.1:{port}/list"
        yield source
    finally:
        await runner.cleanup()
