"""Rows of Master.csv, written as Asterisk writes them, for tests that need other calls than the recorded ones."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from screener.policy.signal_settings import SignalsSettings
from screener.replay.book import Book
from screener.replay.compass import Compass
from screener.replay.faults import Faults
from screener.replay.source import Reading, Source
from screener.replay.times import LocalTimes

RECORDS = Path(__file__).parent / "records"
"""Written by a real Asterisk 22.10.1: the same calls, and those of a second run, in each format."""
RATE_ALONE: dict[str, Any] = {
    "signals": {name: {"mode": "off"} for name in SignalsSettings.model_fields if name != "rate"},
    "trust": {"talked_days": 0},
}
"""Policy settings under which only the bucket of a caller speaks, so that a story is as long as it must be."""


def bucket(capacity: int) -> dict[str, Any]:
    """The settings of a caller's bucket: so many calls at once, one more every hour, and no second one."""
    return {
        "capacity": capacity, "refill_per_hour": 1, "sustained": {"capacity": 1000, "refill_per_hour": 3600},
    }  # fmt: skip


BEGIN = 1_764_000_000.0
"""2025-11-24 16:00:00 UTC, a Monday."""


def at(seconds: float) -> str:
    """The time so many seconds after BEGIN, as Asterisk writes it."""
    return datetime.fromtimestamp(BEGIN + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def row(
    seconds: float,
    src: str = "+12125550133",
    dst: str = "2125550100",
    *,
    talked: int = 0,
    ring: int = 5,
    number: int | None = None,
    disposition: str = "",
    lastapp: str = "Dial",
    userfield: str = "",
    channel: str = "",
    name: str = "",
    context: str = "from-trunk",
    dstchannel: str = "PJSIP/agent-00000001",
    linkedid: str | None = None,
) -> list[str]:
    """A row with all of Asterisk's columns; `number` makes the unique id."""
    serial = int(seconds) if number is None else number
    uniqueid = f"{BEGIN + seconds:.0f}.{serial}"
    return [
        "", src, dst, context, f'"{name}" <{src}>', channel or f"PJSIP/trunk-{serial:08x}", dstchannel, lastapp,
        "PJSIP/agent,20", at(seconds), at(seconds + ring) if talked else "", at(seconds + ring + talked),
        str(ring + talked), str(talked), disposition or ("ANSWERED" if talked else "NO ANSWER"), "DOCUMENTATION",
        uniqueid, userfield, "", uniqueid if linkedid is None else linkedid, str(serial),
    ]  # fmt: skip


def written(rows: Iterable[list[str]]) -> str:
    """Rows as a file."""
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return file.getvalue()


def put(path: Path, *rows: list[str]) -> Path:
    """Write rows into a file, and return it."""
    path.write_text(written(rows))
    return path


OPENED: list[Book] = []
"""Books that are closed when the test is over."""


def book_of(*given: Path | str, compass: Compass | None = None, **reading: Any) -> tuple[Book, Faults]:
    """All calls of files, read in UTC, and what was wrong with them. Raises UnreadableError."""
    faults = Faults()
    book = Book(compass)
    OPENED.append(book)
    how = Reading(times=LocalTimes(datetime.now(UTC).tzinfo), faults=faults, **reading)
    for one in given:
        for _ in book.fill(Source(str(one), how).records(book)):
            pass
    return book, faults
