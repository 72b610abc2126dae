"""REST over HTTP with kept-alive connections, for an Asterisk without REST on the WebSocket."""

import asyncio
from collections.abc import Sequence

import aiohttp

from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.rest import Answer, Request


class HttpRest:
    """Sends requests one after the other: two connections would not keep their order."""

    def __init__(self, session: aiohttp.ClientSession, base: str, deadline: float) -> None:
        """`base` is the URL of `/ari`; `deadline` is the seconds for all the requests of one call to `send`."""
        self._session = session
        self._base = base
        self._deadline = deadline

    async def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send the requests; see `Rest.send`."""
        try:
            async with asyncio.timeout(self._deadline):
                return [await self._one(request) for request in requests]
        except TimeoutError as error:
            raise AriUnavailableError(f"Asterisk did not answer within {self._deadline:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise AriUnavailableError(f"the connection to Asterisk failed: {error}") from error

    async def _one(self, request: Request) -> Answer:
        url = f"{self._base}/{request.path}"
        async with self._session.request(request.method, url, params=dict(request.query), json=request.body) as answer:
            return Answer(status=answer.status, body=await answer.text(errors="replace"))
