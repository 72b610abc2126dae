"""One request for a feed: conditional, bounded in time and size, and never trusting whom the certificates do not."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from screener import __version__
from screener.feeds.errors import FeedError
from screener.feeds.reading import LARGEST_FEED

FETCH_SECONDS: Final = 300.0
"""Seconds for the whole of it."""
SILENT_SECONDS: Final = 30.0
"""Seconds to connect, and without a byte."""
REDIRECTS: Final = 5
PIECE: Final = 256 << 10
"""Bytes that are written at once."""
LONGEST_TAG: Final = 1000
"""Characters of an ETag that are kept; a longer one is not sent back, which costs one more transfer."""


class UnreachableError(FeedError):
    """No answer at all: the network, not the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came back."""

    changed: bool
    """False: the source has what we have (304)."""
    etag: str = ""
    last_modified: str = ""


async def fetch(url: str, into: Path, *, etag: str = "", last_modified: str = "") -> Fetched:
    """Fetch a feed into a file, unless it is the one that `etag` and `last_modified` stand for.

    Raises FeedError, UnreachableError if there was no answer, and OSError.
    """
    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in asked.items() if value}
    headers |= {"User-Agent": f"asterisk-screener/{__version__}", "Accept": "text/plain, text/csv, */*;q=0.5"}
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS, sock_connect=SILENT_SECONDS, sock_read=SILENT_SECONDS)
    reached = False
    try:
        # trust_env: a proxy of the environment is the only way out of many networks.
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as http,
            http.get(url, headers=headers, max_redirects=REDIRECTS) as answer,
        ):
            reached = True
            return await _take(answer, into)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        nobody = isinstance(error, aiohttp.ClientConnectionError | TimeoutError) and not reached
        if nobody:
            raise UnreachableError(f"{_meaning(error)}{_barred()}") from error
        raise FeedError(_meaning(error)) from error


def _meaning(error: Exception) -> str:
    """Say what went wrong, without the address: the text of some errors holds it whole."""
    match error:
        case aiohttp.TooManyRedirects():
            return f"more than {REDIRECTS} redirects"
        case aiohttp.ClientConnectorError():  # names the host, and no more of the address
            return str(error)
        case TimeoutError():
            return f"no answer for {SILENT_SECONDS:g} s, or not the whole of it within {FETCH_SECONDS:g} s"
        case _:
            return f"the transfer failed ({type(error).__name__})"


def _barred() -> str:
    """Say what else may keep a process from the network: the sandbox of the shipped unit drops what it sends."""
    # What systemd sets for whatever it starts.
    return "; does IPAddressAllow= of the unit let it out?" if "INVOCATION_ID" in os.environ else ""


async def _take(answer: aiohttp.ClientResponse, into: Path) -> Fetched:
    way = [*(step.url for step in answer.history), answer.url]
    if _falls_back(way):
        raise FeedError("a redirect leads from https to http, where anybody on the way can change the list")
    if answer.status == 304:
        return Fetched(changed=False)
    if answer.status != 200:
        raise FeedError(f"{answer.url.host} answered {answer.status} {answer.reason or ''}".rstrip())
    if answer.content_type == "text/html":
        raise FeedError(f"{answer.url.host} sent a page (HTML) and no list of numbers")
    size = 0
    with into.open("wb") as written:
        async for piece in answer.content.iter_chunked(PIECE):
            size += len(piece)
            if size > LARGEST_FEED:
                raise FeedError(f"longer than {LARGEST_FEED >> 20} MB")
            written.write(piece)
    tags = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    etag, last_modified = (tag if len(tag) <= LONGEST_TAG and tag.isprintable() else "" for tag in tags)
    return Fetched(changed=True, etag=etag, last_modified=last_modified)


def _falls_back(way: list[URL]) -> bool:
    secure = [url.scheme == "https" for url in way]
    return secure[0] and not all(secure)
