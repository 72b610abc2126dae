"""One request for a feed, with a real server at the other end."""

import gzip
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from screener.feeds import fetch as fetching
from screener.feeds.errors import FeedError
from screener.feeds.fetch import Fetched, UnreachableError, fetch
from tests.feeds.source import Source, serving


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with serving() as served:
        yield served


async def test_a_list_is_fetched_with_what_tells_its_version(source: Source, tmp_path: Path) -> None:
    source.headers = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 01:00:00 GMT"}
    got = await fetch(source.url, tmp_path / "f")

    assert got == Fetched(changed=True, etag='"1"', last_modified="Wed, 25 Nov 2026 01:00:00 GMT")
    assert (tmp_path / "f").read_bytes() == source.body
    assert "If-None-Match" not in source.asked[0]
    assert source.asked[0]["User-Agent"].startswith("asterisk-screener/")


async def test_a_list_that_has_not_changed_is_not_sent_again(source: Source, tmp_path: Path) -> None:
    source.headers = {"ETag": '"1"'}
    got = await fetch(source.url, tmp_path / "f", etag='"1"', last_modified="Wed, 25 Nov 2026 01:00:00 GMT")

    assert got == Fetched(changed=False)
    assert source.asked[0]["If-Modified-Since"] == "Wed, 25 Nov 2026 01:00:00 GMT"
    assert not (tmp_path / "f").exists()


async def test_a_packed_list_is_unpacked(source: Source, tmp_path: Path) -> None:
    source.body, source.headers = gzip.compress(b"+12015550123\n"), {"Content-Encoding": "gzip"}
    await fetch(source.url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"+12015550123\n"


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (404, {}, "127.0.0.1 answered 404 Not Found"),
        (429, {"Retry-After": "60"}, "127.0.0.1 answered 429 Too Many Requests"),
        (500, {}, "127.0.0.1 answered 500"),
        (200, {"Content-Type": "text/html; charset=utf-8"}, r"127.0.0.1 sent a page \(HTML\) and no list of numbers"),
        (302, {"Location": "/list"}, "more than 5 redirects"),
        (200, {"Content-Encoding": "gzip"}, "the transfer failed"),
    ],
)
async def test_an_answer_that_is_no_list_is_told_without_the_address(
    source: Source, tmp_path: Path, status: int, headers: dict[str, str], said: str
) -> None:
    source.status, source.headers = status, headers
    with pytest.raises(FeedError, match=said) as caught:
        await fetch(f"{source.url}?key=SECRET", tmp_path / "f")
    assert "SECRET" not in str(caught.value)
    assert not isinstance(caught.value, UnreachableError)


async def test_a_list_that_is_too_long_is_given_up_packed_or_not(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST_FEED", 1 << 20)
    source.body, source.headers = gzip.compress(bytes(8 << 20)), {"Content-Encoding": "gzip"}
    assert len(source.body) < 1 << 20
    with pytest.raises(FeedError, match="longer than 1 MB"):
        await fetch(source.url, tmp_path / "f")


async def test_an_etag_without_end_is_not_kept(source: Source, tmp_path: Path) -> None:
    source.headers = {"ETag": f'"{"x" * 2000}"'}
    assert (await fetch(source.url, tmp_path / "f")).etag == ""


async def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"Cannot connect to host 127\.0\.0\.1:1"):
        await fetch("http://127.0.0.1:1/list?key=SECRET", tmp_path / "f")


async def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SILENT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UnreachableError, match=r"no answer for 0\.05 s"):
            await fetch(f"http://127.0.0.1:{port}/list", tmp_path / "f")
