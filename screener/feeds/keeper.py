"""The feeds of a running daemon: the last good copies at once, and each brought up to date when its time has come."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from screener.feeds.copy import copy_path, read_copy
from screener.feeds.errors import FeedError
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.feeds.refresh import Job, version_of
from screener.policy.feed_settings import FeedSettings
from screener.policy.feeds import NO_FEEDS, EntrySet, Feed, FeedKind, Feeds, Numbers, NumberSet
from screener.policy.lists import NumberList
from screener.policy.phrase import plural
from screener.policy.remembered import Notice
from screener.policy.settings import PolicySettings

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often the files of feeds are looked at, and the clock for those that are fetched."""
RETRY_SECONDS: Final = 300.0
"""How soon an address that did not answer at all is tried again; one that answered is left alone for its hour."""
REFRESH_SECONDS: Final = 900.0
"""How long the process that brings a feed up to date may take: the transfer, and a minute for a million numbers."""
LEFT_OVER_SECONDS: Final = 3600.0
"""After how long a part of a file is one that nobody finishes any more."""
NOT_INHERITED: Final = frozenset({"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})


def feeds_directory(journal: Path) -> Path:
    """Return where the copies of feeds lie: beside the journal."""
    return journal.with_name("feeds")


class FeedKeeper:
    """Holds what feeds hold; `feeds` is always whole, and another object when anything changed."""

    def __init__(
        self,
        directory: Path,
        *,
        tell: Callable[[Notice], None] = lambda _notice: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`tell` is given what the administrator should know."""
        self._directory = directory
        self._wall = wall
        self._wanted: tuple[FeedSettings, ...] = ()
        self._region = ""
        self._numbers: dict[str, Numbers] = {}
        """By what `source_of` says."""
        self._entries: dict[tuple[str, FeedKind], Feed] = {}
        """What other programs keep, by who they are."""
        self._failed: dict[str, float] = {}
        """When the process of a feed was started that left no record, or has not ended yet."""
        self._tell_notice = tell
        self._changed = (asyncio.Event(), asyncio.Event())
        self.feeds = NO_FEEDS

    def load(self, settings: PolicySettings) -> None:
        """Take over the last good copies of the feeds that the settings name."""
        self._use(settings, self._copies(settings))

    async def follow(self, settings: PolicySettings) -> None:
        """Go by other settings from now on."""
        if (settings.feeds, settings.region) != (self._wanted, self._region):
            self._use(settings, await asyncio.to_thread(self._copies, settings))
            for changed in self._changed:
                changed.set()

    def put(self, source: str, kind: FeedKind, entries: NumberList, note: str = "") -> None:
        """Put entries that another program keeps (such as `asterisk`) in the place of those that it had before."""
        self._entries[source, kind] = Feed(name=source, kind=kind, numbers=EntrySet(entries), note=note)
        self._publish()

    async def serve(self) -> None:
        """Keep the feeds up to date until cancelled. Whatever happens to one, the others and the calls go on."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._tidy)
        # Two lanes, so that a file is not kept waiting by an address that does not answer.
        async with asyncio.TaskGroup() as lanes:
            for files, changed in zip((True, False), self._changed, strict=True):
                lanes.create_task(self._lane(changed, files=files))

    async def _lane(self, changed: asyncio.Event, *, files: bool) -> None:
        while True:
            for feed in self._wanted:
                if (feed.file is not None) is not files:
                    continue
                try:
                    if await asyncio.to_thread(self._due, feed):
                        await self._refresh(feed)
                except Exception as error:
                    log.exception("feed %s failed", feed.name)
                    self._tell("feed-failed", feed.name, f"it failed ({type(error).__name__})")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await changed.wait()
            changed.clear()

    # ------------------------------------------------------------------------------------------------ one feed

    def _record(self, feed: FeedSettings) -> FeedRecord:
        return FeedRecord.read(record_path(self._directory, feed.name), source_of(feed, self._region))

    def _due(self, feed: FeedSettings) -> bool:
        record, now = self._record(feed), self._wall()
        failed = self._failed.get(record.source, now)
        if 0 <= now - failed < RETRY_SECONDS and record.source in self._failed:
            return False
        if not record.looked_at or record.looked_at > now:  # never, or by a clock that was wrong
            return True
        if feed.file is not None:
            return version_of(feed.file) != record.file
        wait = feed.every_minutes * 60 if record.answered else min(RETRY_SECONDS, feed.every_minutes * 60)
        return now - record.looked_at >= wait

    async def _refresh(self, feed: FeedSettings) -> None:
        before, region = self._record(feed), self._region
        self._failed[before.source] = self._wall()
        failure = await _in_its_own_process(Job(feed=feed, region=region, directory=self._directory))
        if not failure:
            del self._failed[before.source]
        after = self._record(feed)
        error = failure or after.error
        if error:
            kept = "it names nobody"
            if after.numbers:
                kept = f"the last good copy stays: {plural(after.numbers, 'number')}"
            text = f"it was not taken over, {kept} ({error})"
            if error != before.error:
                self._tell("feed-failed", feed.name, text)
            else:
                log.info("feed %s: %s", feed.name, text)
            return
        source = source_of(feed, region)
        # What it holds may be what it held; reading 8 MB once an hour is cheaper than being wrong about that.
        numbers = await asyncio.to_thread(self._copy, feed, region)
        if numbers is None or source not in {source_of(wanted, self._region) for wanted in self._wanted}:
            return
        self._numbers[source] = numbers
        self._publish()
        doubtful = (
            f"; {plural(after.unreadable, 'line')} read as no number: {after.example}" if after.unreadable else ""
        )
        log.info("feed %s: %s%s", feed.name, plural(len(numbers), "number"), doubtful)
        if before.error:
            self._tell("feed-restored", feed.name, f"it has {plural(len(numbers), 'number')} again")

    def _copy(self, feed: FeedSettings, region: str) -> NumberSet | None:
        record = FeedRecord.read(record_path(self._directory, feed.name), source_of(feed, region))
        if record.numbers is None:
            return None
        try:
            return read_copy(copy_path(self._directory, feed.name))
        except (FeedError, OSError) as error:
            log.warning("the last good copy of feed %s cannot be read: %s", feed.name, error)
            return None

    # ------------------------------------------------------------------------------------------------ all feeds

    def _copies(self, settings: PolicySettings) -> dict[str, Numbers]:
        copies = ((source_of(feed, settings.region), self._copy(feed, settings.region)) for feed in settings.feeds)
        return {source: numbers for source, numbers in copies if numbers is not None}

    def _use(self, settings: PolicySettings, copies: dict[str, Numbers]) -> None:
        wanted = {source_of(feed, settings.region) for feed in settings.feeds}
        # What is in force is no older than its copy.
        self._numbers = {source: n for source, n in (copies | self._numbers).items() if source in wanted}
        self._wanted, self._region = settings.feeds, settings.region
        self._publish()

    def _publish(self) -> None:
        self.feeds = Feeds(feeds=(*self._entries.values(), *self._named()))

    def _named(self) -> Iterator[Feed]:
        for wanted in self._wanted:
            numbers = self._numbers.get(source_of(wanted, self._region))
            if numbers is not None:
                kind = FeedKind.LISTED if wanted.points is not None else FeedKind(wanted.list)
                yield Feed(name=wanted.name, kind=kind, numbers=numbers, note=wanted.note, points=wanted.points or 0.0)

    def _tell(self, code: str, name: str, text: str) -> None:
        self._tell_notice(Notice(code=code, about=name, text=text, at=self._wall()))

    def _tidy(self) -> None:
        self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        for part in self._directory.glob("*.part"):
            with contextlib.suppress(OSError):
                if self._wall() - part.stat().st_mtime > LEFT_OVER_SECONDS:
                    part.unlink()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what a process that reads strangers' texts inherits: no secrets, and no way to speak for us to systemd."""
    return {
        name: value for name, value in ours.items() if not name.startswith("SCREENER_") and name not in NOT_INHERITED
    }


async def _in_its_own_process(job: Job) -> str:
    """Bring a feed up to date. Returns why nothing could be kept of it, empty if something was."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "screener.feeds.refresh",
        stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe, env=_environment(os.environ),
    )  # fmt: skip
    try:
        # On standard input, because an address may hold a key and everybody may read a command line.
        async with asyncio.timeout(REFRESH_SECONDS):
            _, said = await process.communicate(job.model_dump_json().encode())
    except TimeoutError:
        return f"it took longer than {REFRESH_SECONDS:g} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    last = (said.decode(errors="replace").strip().splitlines() or [""])[-1]
    return "" if process.returncode == 0 else f"its process ended with {process.returncode}: {last[:300]}"
