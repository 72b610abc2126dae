"""The way to Asterisk's web server: who we are, whom we trust, and what its refusals mean."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Final

import aiohttp

from screener.asterisk.errors import AriRefusedError, AriUnavailableError
from screener.asterisk.settings import AriSettings

HEARTBEAT_SECONDS: Final = 2.0
"""A ping each 2 s, its answer due within 1 s: a peer that is gone without a word is noticed within 3 s."""
CLOSE_SECONDS: Final = 1.0
"""How long Asterisk may take to say goodbye."""
HTTP_CONNECTIONS: Final = 8
"""Kept-alive connections at the most; Asterisk's http.conf allows 100 sessions to all clients together."""
LARGEST_MESSAGE: Final = 64 << 20
"""Bytes. An event is some 2 kB, but the list of all channels is one message with some 500 bytes for each; a longer
message closes the socket."""


@contextlib.asynccontextmanager
async def open_http(settings: AriSettings, password: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Open a session that knows the user and whom to trust; the second value is the address of `/ari`.

    Raises AriRefusedError if the certificates to trust cannot be read.
    """
    credentials = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
    # In a header and not as api_key in the URL, which would stand in Asterisk's logs.
    headers = {"Authorization": f"Basic {credentials}"}
    context: ssl.SSLContext | bool = True
    if settings.ca_file is not None:
        try:
            context = ssl.create_default_context(cafile=str(settings.ca_file))
        except OSError as error:  # ssl.SSLError too
            raise AriRefusedError(f"the certificates in {settings.ca_file} cannot be read: {error}") from error
    connector = aiohttp.TCPConnector(limit=HTTP_CONNECTIONS, ssl=context)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
        yield http, base_url(settings)


@contextlib.asynccontextmanager
async def open_socket(
    http: aiohttp.ClientSession, settings: AriSettings
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Register the application and open the WebSocket of its events. Raises AriUnavailableError and AriRefusedError."""
    query = {"app": settings.application, "subscribeAll": "false"}
    try:
        async with asyncio.timeout(HEARTBEAT_SECONDS * 2):
            socket = await http.ws_connect(
                f"{base_url(settings)}/events",
                params=query,
                heartbeat=HEARTBEAT_SECONDS,
                max_msg_size=LARGEST_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
    except aiohttp.WSServerHandshakeError as error:
        raise AriRefusedError(_refusal(error.status, settings.user)) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise AriUnavailableError(str(error) or "no answer") from error
    async with socket:
        yield socket


def base_url(settings: AriSettings) -> str:
    """Return the address of `/ari`."""
    return str(settings.url).rstrip("/") + "/ari"


def _refusal(status: int, user: str) -> str:
    """Say what an HTTP status of the handshake means to an administrator."""
    meanings = {
        401: f"it refuses the user {user!r} or the password (ari.conf, and `ari show users` in Asterisk's CLI)",
        403: f"it does not let the user {user!r} in from here (acl of the user in ari.conf)",
        404: "no ARI there: is it enabled in ari.conf, and does the url have http.conf's prefix?",
        503: "Asterisk has no session left (sessionlimit in http.conf)",
    }
    return meanings.get(status, f"it answered {status} to the WebSocket's handshake")
