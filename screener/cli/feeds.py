"""What the command `feeds` shows: each feed, how much it holds, how old that is, and what was wrong last."""

import dataclasses
import json
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from screener.feeds.keeper import feeds_directory
from screener.feeds.reading import read_feed
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.policy.feed_settings import FeedSettings
from screener.policy.phrase import duration, plural
from screener.policy.settings import PolicySettings

LOOKED_AT: Final = 1000
"""Lines of a feed's file that `check` reads: enough to see that it is none, or that a column is missing."""


def show(settings: PolicySettings, journal: Path, now: float, *, as_json: bool) -> None:
    """Print each feed of the settings."""
    for feed in settings.feeds:
        record = _record(feed, settings, journal)
        if as_json:
            told = {"name": feed.name, "list": feed.list, "points": feed.points} | dataclasses.asdict(record)
            print(json.dumps({name: value for name, value in told.items() if name not in ("source", "file")}))
            continue
        line = Text.assemble((f"{feed.name:<20}", "bold"), f" {_meaning(feed):<12} ", _holds(record, now))
        if record.error:
            line.append(f"; the last look, {duration(now - record.looked_at)} ago, failed: {record.error}", "red")
        elif record.unreadable:
            line.append(f"; {plural(record.unreadable, 'line')} read as no number: {record.example}", "yellow")
        Console(highlight=False, soft_wrap=True).print(line)


def accept(name: str, settings: PolicySettings, journal: Path) -> bool:
    """Forget what a feed was like, so that it is taken as it is now. Returns whether there is such a feed.

    Raises OSError. What it held stays in force until the daemon has looked at it again, some seconds later.
    """
    if name not in {feed.name for feed in settings.feeds}:
        return False
    record_path(feeds_directory(journal), name).unlink(missing_ok=True)
    return True


def unreadable(settings: PolicySettings) -> list[str]:
    """Return what is wrong with the files of feeds, in a sentence for each."""
    wrong = []
    for place, feed in enumerate(settings.feeds):
        if feed.file is None:
            continue
        try:
            read_feed(feed.file, form=feed.format, column=feed.column, region=settings.region, lines=LOOKED_AT)
        except Exception as error:  # whatever a file does to the reader, the daemon starts without it
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            wrong.append(f"policy.feeds[{place}].file: {feed.file} cannot be read: {said}")
    return wrong


def _record(feed: FeedSettings, settings: PolicySettings, journal: Path) -> FeedRecord:
    return FeedRecord.read(record_path(feeds_directory(journal), feed.name), source_of(feed, settings.region))


def _meaning(feed: FeedSettings) -> str:
    return feed.list if feed.points is None else f"{feed.points:+g} points"


def _holds(record: FeedRecord, now: float) -> str:
    if record.numbers is None:
        return "nothing yet"
    return f"{plural(record.numbers, 'number')}, {duration(now - record.good_at)} old"
