"""One feed brought up to date: taken over, or refused with the last good copy kept."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from screener.feeds.copy import copy_path, read_copy
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.feeds.refresh import Job, refresh
from screener.policy.feed_settings import FeedSettings
from tests.feeds.source import serving

NOW = 1_800_000_000.0
MANY = "".join(f"+1201555{place:04}\n" for place in range(200))


def job(tmp_path: Path, **feed: Any) -> Job:
    settings = FeedSettings.model_validate({"name": "f", "list": "block"} | feed)
    return Job(feed=settings, region="US", directory=tmp_path)


@pytest.fixture
def take(tmp_path: Path) -> Callable[[str | bytes], FeedRecord]:
    """Write the feed's file, look at it, and return what came of it."""
    at = iter(range(1000))

    def once(text: str | bytes) -> FeedRecord:
        file = tmp_path / "list.txt"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return refresh(job(tmp_path, file=file), NOW + next(at))

    return once


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def held(tmp_path: Path) -> int:
    return len(read_copy(copy_path(tmp_path, "f")))


def test_a_list_is_taken_over_and_recorded(tmp_path: Path, take: Callable[[str], FeedRecord]) -> None:
    record = take("+12015550123\n+12015550199\nhello\n")

    assert (record.numbers, record.unreadable, record.error) == (2, 1, "")
    assert record.example == "line 3 is no number: 'hello'"
    assert (record.good_at, record.looked_at) == (NOW, NOW)
    assert held(tmp_path) == 2
    settings = job(tmp_path, file=tmp_path / "list.txt").feed
    assert FeedRecord.read(record_path(tmp_path, "f"), source_of(settings, "US")) == record
    assert names_in(tmp_path) == ["f.json", "f.numbers", "list.txt"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty and had 200 numbers; if that is right: screener feeds --accept"),
        ("# nothing\n", "it is empty and had 200 numbers"),
        ("+12015550123\n" * 50, "it shrank from 200 numbers to 1"),
        ("<html>Please log in</html>", "a page (HTML or XML) and no list of numbers"),
        ('{"error": "moved"}', "JSON and no list of numbers"),
        (
            "see the new site\nfor these numbers\n+12015550123\n",
            "of 3 lines only 1 read as a number; line 1 is no number",
        ),
        (b"\x00\x01", "no text"),
    ],
)
def test_what_cannot_be_the_list_that_it_was_is_refused(
    tmp_path: Path, take: Callable[[str | bytes], FeedRecord], text: str | bytes, said: str
) -> None:
    take(MANY)
    record = take(text)

    assert record.error.startswith(said)
    assert (record.numbers, record.good_at, record.looked_at) == (200, NOW, NOW + 1)
    assert held(tmp_path) == 200


def test_a_list_may_shrink_to_a_tenth_and_a_small_one_as_it_likes(
    tmp_path: Path, take: Callable[[str], FeedRecord]
) -> None:
    take(MANY)
    assert take("".join(MANY.splitlines(keepends=True)[:20])).error == ""
    assert take("+12015550123\n").error == ""
    assert held(tmp_path) == 1


def test_an_empty_list_is_one_where_nothing_was_before(tmp_path: Path, take: Callable[[str], FeedRecord]) -> None:
    assert take("# to be filled\n").error == ""
    assert held(tmp_path) == 0


def test_whoever_accepts_a_list_has_it_taken_as_it_is(tmp_path: Path, take: Callable[[str], FeedRecord]) -> None:
    take(MANY)
    assert take("").error
    record_path(tmp_path, "f").unlink()
    assert take("").error == ""
    assert held(tmp_path) == 0


def test_a_file_that_is_not_there_is_told_and_costs_nothing(tmp_path: Path, take: Callable[[str], FeedRecord]) -> None:
    take(MANY)
    (tmp_path / "list.txt").unlink()
    record = refresh(job(tmp_path, file=tmp_path / "list.txt"), NOW + 9)

    assert (record.error, record.numbers, held(tmp_path)) == ("No such file or directory", 200, 200)


def test_a_copy_of_another_source_is_not_taken_for_this_ones(tmp_path: Path, take: Callable[[str], FeedRecord]) -> None:
    take(MANY)
    (tmp_path / "other.txt").write_text("+12015550123\n")
    record = refresh(job(tmp_path, file=tmp_path / "other.txt"), NOW + 9)

    assert (record.error, record.numbers) == ("", 1)


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b'{"file": 3}', b'{"nonsense": 1, "file": []}', b"\xff"])
def test_a_record_that_cannot_be_read_is_as_if_there_were_none(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "f.json").write_bytes(written)
    assert FeedRecord.read(tmp_path / "f.json", "s") == FeedRecord(source="s")


async def test_an_address_is_asked_for_what_is_new(tmp_path: Path) -> None:
    async with serving() as source:
        source.body, source.headers = MANY.encode(), {"ETag": '"1"'}
        wanted = job(tmp_path, url=source.url)
        first = await asyncio.to_thread(refresh, wanted, NOW)
        second = await asyncio.to_thread(refresh, wanted, NOW + 3600)
        source.status = 503
        third = await asyncio.to_thread(refresh, wanted, NOW + 7200)
        copy_path(tmp_path, "f").unlink()
        source.status = 200
        await asyncio.to_thread(refresh, wanted, NOW + 10800)

    assert [headers.get("If-None-Match") for headers in source.asked] == [None, '"1"', '"1"', None]
    assert (first.numbers, first.good_at, first.error) == (200, NOW, "")
    assert (second.numbers, second.good_at, second.error) == (200, NOW + 3600, "")
    assert (third.good_at, third.answered) == (NOW + 3600, True)
    assert third.error == "127.0.0.1 answered 503 Service Unavailable"
    assert names_in(tmp_path) == ["f.json", "f.numbers"]


async def test_an_address_that_does_not_answer_is_known_from_one_that_refuses(tmp_path: Path) -> None:
    record = await asyncio.to_thread(refresh, job(tmp_path, url="http://127.0.0.1:1/list"), NOW)
    assert not record.answered
    assert "Cannot connect to host 127.0.0.1:1" in record.error


async def test_where_no_record_can_be_kept_nobody_is_asked(tmp_path: Path) -> None:
    async with serving() as source:
        wanted = job(tmp_path / "none", url=source.url)
        with pytest.raises(FileNotFoundError):
            await asyncio.to_thread(refresh, wanted, NOW)
    assert source.asked == []


def refreshed(wanted: Job, **environment: str) -> FeedRecord:
    """Bring a feed up to date in a process of its own, which reads whom to trust anew."""
    subprocess.run(
        [sys.executable, "-m", "screener.feeds.refresh"],
        input=wanted.model_dump_json().encode(), check=True, env={"PATH": "", **environment},
    )  # fmt: skip
    return FeedRecord.read(record_path(wanted.directory, wanted.feed.name), source_of(wanted.feed, wanted.region))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that nobody has signed but itself, with its key in one file."""
    path = tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=feed", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + (tmp_path / "key").read_text())
    return path


async def test_a_server_must_show_a_certificate_that_is_trusted_and_must_not_lead_to_one_that_needs_none(
    tmp_path: Path, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serving(context) as secure, serving() as plain:
        wanted = job(tmp_path, url=secure.url)
        stranger = await asyncio.to_thread(refreshed, wanted)
        trusted = await asyncio.to_thread(refreshed, wanted, SSL_CERT_FILE=str(certificate))
        secure.status, secure.headers = 302, {"Location": plain.url}
        led_away = await asyncio.to_thread(refreshed, wanted, SSL_CERT_FILE=str(certificate))

    assert "certificate verify failed" in stranger.error
    assert (trusted.error, trusted.numbers) == ("", 1)
    assert led_away.error.startswith("a redirect leads from https to http")
    assert led_away.numbers == 1
