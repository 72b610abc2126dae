"""The feeds of a running daemon: there at once, brought up to date, and never in anybody's way."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from screener.feeds import keeper as keeping
from screener.feeds.copy import copy_path
from screener.feeds.keeper import FeedKeeper, feeds_directory
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.policy.feed_settings import FeedSettings
from screener.policy.feeds import FeedKind
from screener.policy.lists import Entry, NumberList
from screener.policy.remembered import Notice
from screener.policy.settings import PolicySettings
from tests.feeds.source import serving
from tests.policy.builders import ANOTHER_CALLER, CALLER

LOOKS = 3000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 0.02)


def settings(*feeds: dict[str, Any]) -> PolicySettings:
    return PolicySettings.model_validate({"region": "US", "feeds": [{"list": "block"} | feed for feed in feeds]})


@asynccontextmanager
async def keeping_feeds(
    tmp_path: Path,
    *feeds: dict[str, Any],
    wall: Callable[[], float] = time.time,
    tell: Callable[[Notice], None] = lambda _notice: None,
) -> AsyncIterator[FeedKeeper]:
    keeper = FeedKeeper(feeds_directory(tmp_path / "journal.sqlite"), wall=wall, tell=tell)
    keeper.load(settings(*feeds))
    serving_ = asyncio.Task(keeper.serve())
    try:
        yield keeper
    finally:
        serving_.cancel()
        await asyncio.gather(serving_, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    """Look until something has come that another process brings about: there is no event of it."""
    for _ in range(LOOKS):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def found(keeper: FeedKeeper, number: str = CALLER, kind: FeedKind = FeedKind.BLOCK) -> str | None:
    hit = keeper.feeds.find(number, kind, time.time())
    return None if hit is None else hit.label


async def test_a_file_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{CALLER}\n")
    async with keeping_feeds(tmp_path, {"name": "f", "file": file, "note": "mine"}) as keeper:
        await until(lambda: found(keeper) == f"f (mine) as {CALLER}")
        before = keeper.feeds
        file.write_text(f"{ANOTHER_CALLER}\n")
        await until(lambda: found(keeper, ANOTHER_CALLER))
        assert found(keeper) is None
        assert before.find(CALLER, FeedKind.BLOCK, 0.0) is not None  # what was in force is not changed, but replaced


async def test_the_last_good_copy_is_there_before_anything_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{CALLER}\n")
    feed = {"name": "f", "file": file}
    async with keeping_feeds(tmp_path, feed) as keeper:
        await until(lambda: found(keeper))
    file.unlink()
    again = FeedKeeper(feeds_directory(tmp_path / "journal.sqlite"))
    again.load(settings(feed))

    assert found(again) == f"f as {CALLER}"


async def test_a_feed_that_fails_is_told_once_and_its_return_too_and_the_others_go_on(tmp_path: Path) -> None:
    bad, good, told = tmp_path / "bad.txt", tmp_path / "good.txt", list[Notice]()
    bad.write_text("<html>moved</html>")
    good.write_text(f"{CALLER}\n")
    feeds = [{"name": "bad", "file": bad}, {"name": "good", "file": good}]
    async with keeping_feeds(tmp_path, *feeds, tell=told.append) as keeper:
        await until(lambda: found(keeper))
        bad.write_text("<html>moved again</html>")
        await until(lambda: "moved again" in bad.read_text() and not keeper._due(settings(*feeds).feeds[0]))
        bad.write_text(f"{ANOTHER_CALLER}\n")
        await until(lambda: found(keeper, ANOTHER_CALLER))
    assert [(notice.code, notice.about, notice.text) for notice in told] == [
        ("feed-failed", "bad", "it was not taken over, it names nobody (a page (HTML or XML) and no list of numbers)"),
        ("feed-restored", "bad", "it has 1 number again"),
    ]


def looked_at(tmp_path: Path, wanted: FeedSettings) -> float:
    record = record_path(feeds_directory(tmp_path / "journal.sqlite"), wanted.name)
    return FeedRecord.read(record, source_of(wanted, "US")).looked_at


async def test_an_address_is_asked_once_an_hour_over_restarts_too(tmp_path: Path) -> None:
    async with serving() as source:
        feed = {"name": "f", "url": source.url}
        (wanted,) = settings(feed).feeds
        async with keeping_feeds(tmp_path, feed) as keeper:
            await until(lambda: found(keeper))
        first = looked_at(tmp_path, wanted)
        for later in (1, 3599):
            async with keeping_feeds(tmp_path, feed, wall=lambda: first + later) as keeper:  # noqa: B023
                assert not await asyncio.to_thread(keeper._due, wanted)
        async with keeping_feeds(tmp_path, feed, wall=lambda: first + 3600):
            await until(lambda: len(source.asked) == 2)
    assert len(source.asked) == 2


async def test_an_address_that_nobody_answers_at_is_tried_again_sooner(tmp_path: Path) -> None:
    clock = [time.time()]
    feed = {"name": "f", "url": "http://127.0.0.1:1/list"}
    (wanted,) = settings(feed).feeds
    async with keeping_feeds(tmp_path, feed, wall=lambda: clock[0]) as keeper:
        record = record_path(feeds_directory(tmp_path / "journal.sqlite"), "f")
        await until(lambda: record.exists() and "Cannot connect" in record.read_text() and not keeper._failed)
        first = looked_at(tmp_path, wanted)
        clock[0] = first + 299
        assert not keeper._due(wanted)
        clock[0] = first + 300
        assert keeper._due(wanted)


async def test_a_file_does_not_wait_for_an_address_that_does_not_answer(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{CALLER}\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}/list"
        async with keeping_feeds(tmp_path, {"name": "s", "url": silent_url}, {"name": "f", "file": file}) as keeper:
            await until(lambda: found(keeper))
            silent_record = record_path(feeds_directory(tmp_path / "journal.sqlite"), "s")
            assert "the last look was cut short" in silent_record.read_text()  # it is still being waited for


async def test_what_changes_in_the_settings_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{CALLER}\n")
    async with keeping_feeds(tmp_path, {"name": "f", "file": file}) as keeper:
        await until(lambda: found(keeper))
        await keeper.follow(settings({"name": "f", "file": file, "points": 3, "note": "others say so"}))
        assert found(keeper) is None
        assert found(keeper, kind=FeedKind.LISTED) == f"f (others say so) as {CALLER}"
        await keeper.follow(settings())
        assert keeper.feeds.feeds == ()


async def test_entries_of_another_program_stand_beside_the_feeds_and_are_replaced_whole(tmp_path: Path) -> None:
    keeper = FeedKeeper(feeds_directory(tmp_path / "journal.sqlite"))
    keeper.put("asterisk", FeedKind.BLOCK, NumberList([Entry(number=CALLER, note="by *30")]))
    keeper.put("asterisk", FeedKind.ALLOW, NumberList([Entry(number=ANOTHER_CALLER)]))
    assert found(keeper) == f"asterisk as {CALLER} (by *30)"
    assert found(keeper, ANOTHER_CALLER, FeedKind.ALLOW) == f"asterisk as {ANOTHER_CALLER}"
    keeper.put("asterisk", FeedKind.BLOCK, NumberList([]))
    assert found(keeper) is None
    assert found(keeper, ANOTHER_CALLER, FeedKind.ALLOW)


async def test_a_damaged_copy_is_told_and_names_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{CALLER}\n")
    feed = {"name": "f", "file": file}
    async with keeping_feeds(tmp_path, feed) as keeper:
        await until(lambda: found(keeper))
    copy_path(feeds_directory(tmp_path / "journal.sqlite"), "f").write_bytes(b"no copy")
    again = FeedKeeper(feeds_directory(tmp_path / "journal.sqlite"))
    again.load(settings(feed))

    assert again.feeds.feeds == ()
    assert "the last good copy of feed f cannot be read" in caplog.text


async def test_where_nothing_can_be_written_the_daemon_goes_on(tmp_path: Path) -> None:
    file, told = tmp_path / "list.txt", list[Notice]()
    file.write_text(f"{CALLER}\n")
    feeds_directory(tmp_path / "journal.sqlite").write_text("a file in the place of the directory")
    async with keeping_feeds(tmp_path, {"name": "f", "file": file}, tell=told.append) as keeper:
        await until(lambda: told)
        assert not keeper._due(settings({"name": "f", "file": file}).feeds[0])  # not every few seconds
    (notice,) = told
    assert "its process ended with 1" in notice.text
    assert "Not a directory" in notice.text


async def test_parts_that_nobody_finishes_are_cleared_away_and_others_are_not(tmp_path: Path) -> None:
    directory = feeds_directory(tmp_path / "journal.sqlite")
    directory.mkdir()
    old, new = directory / "f.numbers.1.part", directory / "f.numbers.2.part"
    for part in (old, new):
        part.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)
    async with keeping_feeds(tmp_path):
        await until(lambda: not old.exists())
    assert new.exists()


async def test_a_process_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REFRESH_SECONDS", 0.0)
    file, told = tmp_path / "list.txt", list[Notice]()
    file.write_text(f"{CALLER}\n")
    async with keeping_feeds(tmp_path, {"name": "f", "file": file}, tell=told.append):
        await until(lambda: told)
    assert told[0].text == "it was not taken over, it names nobody (it took longer than 0 s)"


def test_the_process_that_reads_strangers_texts_inherits_no_secret() -> None:
    ours = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "SCREENER_ARI_PASSWORD": "s3cret", "NOTIFY_SOCKET": "@s"}
    assert keeping._environment(ours) == {"PATH": "/bin", "HTTPS_PROXY": "http://proxy"}
