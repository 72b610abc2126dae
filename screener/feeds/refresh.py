"""One feed brought up to date, in a process of its own: `python -m screener.feeds.refresh`, the job on standard input.

What it may cost in memory, time and the interpreter's attention is then no call's business. A list that cannot be
right is refused, and the last good copy stays: sources move, run dry, answer with a page for people, and nobody tells.
"""

import asyncio
import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel

from screener.feeds.copy import copy_path, write_copy
from screener.feeds.errors import FeedError
from screener.feeds.fetch import UnreachableError, fetch
from screener.feeds.reading import Reading, read_feed
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.policy.feed_settings import FeedSettings
from screener.policy.phrase import plural
from screener.policy.text import printable

SHRINKS_TO: Final = 0.1
"""Share of its numbers that a feed must keep: less of them is a source that broke, not one that was cleaned up."""
SMALL: Final = 100
"""Numbers of a feed below which it may shrink as it likes."""
LARGEST_JOB: Final = 64 << 10
"""Bytes."""
SAID: Final = 300
"""Characters of an error that are kept."""


class Job(BaseModel):
    """What to bring up to date, and where its copy lies."""

    feed: FeedSettings
    region: str
    directory: Path


def refresh(job: Job, now: float) -> FeedRecord:
    """Look at the source of a feed and take over what is new there. Returns, and keeps, what came of it.

    `now` is in seconds since 1970 (UTC). Raises OSError if the record itself cannot be written.
    """
    place = record_path(job.directory, job.feed.name)
    before = FeedRecord.read(place, source_of(job.feed, job.region))
    if not copy_path(job.directory, job.feed.name).is_file():
        before = FeedRecord(source=before.source)
    looked = dataclasses.replace(before, looked_at=now, answered=True, error="", file=version_of(job.feed.file))
    file = job.feed.file
    if file is None:
        # Before anything is sent: where no record can be kept, the address would be asked again and again.
        dataclasses.replace(looked, answered=False, error="the last look was cut short").write(place)
    try:
        after = asyncio.run(_fetch(job, looked)) if file is None else _read_file(job, file, looked)
        after = dataclasses.replace(after, good_at=now)
    except (FeedError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        answered = not isinstance(error, UnreachableError)
        after = dataclasses.replace(looked, error=printable(said, SAID), answered=answered)
    after.write(place)
    return after


def _read_file(job: Job, file: Path, before: FeedRecord) -> FeedRecord:
    reading = _read(job, file, before)
    if version_of(file) != before.file:
        raise FeedError("it changed while it was read")
    return _keep(job, reading, before)


async def _fetch(job: Job, before: FeedRecord) -> FeedRecord:
    part = copy_path(job.directory, job.feed.name).with_suffix(f".{os.getpid()}.part")
    try:
        fetched = await fetch(str(job.feed.url), part, etag=before.etag, last_modified=before.last_modified)
        if not fetched.changed:
            return before
        after = _keep(job, _read(job, part, before), before)
        return dataclasses.replace(after, etag=fetched.etag, last_modified=fetched.last_modified)
    finally:
        part.unlink(missing_ok=True)


def _read(job: Job, text: Path, before: FeedRecord) -> Reading:
    reading = read_feed(text, form=job.feed.format, column=job.feed.column, region=job.region)
    _doubt(reading, before)
    return reading


def _keep(job: Job, reading: Reading, before: FeedRecord) -> FeedRecord:
    write_copy(copy_path(job.directory, job.feed.name), reading)
    example = printable(reading.example, SAID)
    return dataclasses.replace(before, numbers=len(reading), unreadable=reading.unreadable, example=example)


def _doubt(reading: Reading, before: FeedRecord) -> None:
    """Refuse what cannot be the list that it was. Raises FeedError."""
    had = before.numbers or 0
    accept, lines = "if that is right: screener feeds --accept", plural(reading.unreadable + len(reading), "line")
    if not len(reading) and had:
        raise FeedError(f"it is empty and had {plural(had, 'number')}; {accept}")
    if reading.unreadable > len(reading):
        raise FeedError(f"of {lines} only {len(reading)} read as a number; {reading.example}")
    if had >= SMALL and len(reading) < had * SHRINKS_TO:
        raise FeedError(f"it shrank from {plural(had, 'number')} to {len(reading)}; {accept}")


def version_of(file: Path | None) -> tuple[int, ...]:
    """Return what tells versions of a file apart; empty if there is none."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns) if found is not None else ()


def main() -> Literal[0, 1]:
    """Do the job on standard input. Returns the exit status: 1 if nothing could be kept of it."""
    job = Job.model_validate_json(sys.stdin.buffer.read(LARGEST_JOB))
    try:
        refresh(job, time.time())
    except OSError as error:
        sys.stderr.write(f"{job.directory}: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
