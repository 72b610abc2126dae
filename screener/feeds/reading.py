"""From the text of a feed to its numbers: one a line, or a column of a table."""

import csv
import itertools
import re
import stat
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TextIO

from screener.feeds.errors import FeedError
from screener.policy.caller import e164
from screener.policy.faults import nearest
from screener.policy.text import printable

LARGEST_FEED: Final = 256 << 20
"""Bytes, unpacked: a table of a million complaints has some 100 MB."""
MOST_NUMBERS: Final = 5_000_000
"""Numbers of one feed at most: 40 MB in the daemon."""
MOST_PREFIXES: Final = 10_000
SHOWN: Final = 40
"""Characters of a line that a message quotes."""
SNIFFED: Final = 64 << 10
"""Bytes by which a feed's format is told."""
LONGEST_LINE: Final = 64 << 10
"""Characters of a line at most; a longer one is cut, and the rest of it is no number."""
DELIMITERS: Final = ",;\t|"
HEADINGS: Final = (
    "number", "phone", "phone_number", "phonenumber", "telephone", "tel", "mobile", "caller", "caller_id", "callerid",
    "caller_id_number", "cli", "ani", "src", "from", "company_phone_number", "rufnummer", "telefon", "numero",
)  # fmt: skip
"""What a column of numbers is called where `column` does not say; `company_phone_number` is the FTC's (Do Not Call
Reported Calls Data), `caller_id_number` the FCC's (Consumer Complaints)."""

Format = Literal["auto", "lines", "csv"]

_NORTH_AMERICAN: Final = re.compile(r"(\+1|1?)([2-9][0-9]{2}[2-9][0-9]{6})", re.ASCII)
_PUNCTUATION: Final = str.maketrans("", "", " -.()")
_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,14}\*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text held."""

    numbers: "array[int]"
    """The digits of E.164 numbers as integers (type Q), ascending, each once."""
    prefixes: tuple[str, ...]
    """Beginnings of numbers, with their `+`."""
    unreadable: int
    """Lines that are no number."""
    example: str
    """The first of them, in words; empty if there is none."""

    def __len__(self) -> int:
        return len(self.numbers) + len(self.prefixes)


def read_feed(path: Path, *, form: Format, column: str | None, region: str, lines: int | None = None) -> Reading:
    """Read a feed's text, or the first `lines` of it. Raises FeedError, and OSError.

    `region` is the ISO 3166 country whose numbering plan reads numbers without a country code.
    """
    head = _head(path)
    delimiter = _delimiter(head)
    table = form == "csv" or (form == "auto" and (column is not None or delimiter is not None))
    with path.open(encoding="utf-8-sig", errors="replace", newline="" if table else None) as text:
        written = itertools.islice(_lines(text), lines)
        cells = _column(written, delimiter or ",", column, region) if table else _plain(written)
        try:
            return _collect(cells, region)
        except csv.Error as error:
            raise FeedError(f"not a table: {error}") from error


def _head(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for, a device has no end
        raise FeedError("no regular file")
    if found.st_size > LARGEST_FEED:
        raise FeedError(f"longer than {LARGEST_FEED >> 20} MB")
    with path.open("rb") as opened:
        head = opened.read(SNIFFED).decode("utf-8-sig", "replace").lstrip()
    if head[:1] == "<":
        raise FeedError("a page (HTML or XML) and no list of numbers")
    if head[:1] in ("{", "["):
        raise FeedError("JSON and no list of numbers")
    if "\0" in head:
        raise FeedError("no text in UTF-8")
    return head


def _delimiter(head: str) -> str | None:
    """Return what separates the cells of the first line that is no comment, or None if it has only one."""
    first = next((line for line in head.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    most = max(DELIMITERS, key=first.partition("#")[0].count)
    return most if most in first.partition("#")[0] else None


def _lines(text: TextIO) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        yield line


def _plain(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that is not empty, and its place."""
    for place, line in enumerate(lines, 1):
        written = line.partition("#")[0].strip()
        if written:
            yield place, written


def _column(lines: Iterable[str], delimiter: str, column: str | None, region: str) -> Iterator[tuple[int, str]]:
    """Yield the cells of the column of numbers, and their places."""
    rows = enumerate(csv.reader(lines, delimiter=delimiter), 1)
    rows_ = ((place, row) for place, row in rows if any(row) and not row[0].lstrip().startswith("#"))
    place, first = next(rows_, (0, []))
    if not first:
        return
    wanted = _find_column(first, column)
    if wanted is None:  # no heading at all
        wanted = next((at for at, cell in enumerate(first) if _number(cell.strip(), region)), None)
        if wanted is None:
            headings = ", ".join(printable(cell.strip(), SHOWN) for cell in first[:20])
            raise FeedError(f"no column is called like one of numbers: set `column` to one of {headings}")
        yield place, first[wanted].strip()
    for place, row in rows_:
        # Tables of complaints have calls without a number: nothing is wrong with them.
        if wanted < len(row) and (cell := row[wanted].strip()):
            yield place, cell


def _find_column(first: list[str], column: str | None) -> int | None:
    headings = [cell.strip().lower() for cell in first]
    if column is not None:
        if column.strip().lower() not in headings:
            shown = ", ".join(printable(heading, SHOWN) for heading in headings[:20])
            raise FeedError(f"there is no column {column!r} among {shown}{nearest(column.lower(), headings)}")
        return headings.index(column.strip().lower())
    alike = [re.sub(r"[ .-]+", "_", heading) for heading in headings]
    return next((alike.index(heading) for heading in HEADINGS if heading in alike), None)


def _collect(cells: Iterable[tuple[int, str]], region: str) -> Reading:
    numbers, prefixes = array("Q"), set[str]()
    unreadable, example = 0, ""
    for place, written in cells:
        number = _number(written, region)
        if number is not None:
            numbers.append(number)
        elif _PREFIX.fullmatch(written):
            prefixes.add(written[:-1])
        else:
            example = example or f"line {place} is no number: {printable(written, SHOWN)!r}"
            unreadable += 1
        if len(numbers) > MOST_NUMBERS or len(prefixes) > MOST_PREFIXES:
            raise FeedError(f"more than {MOST_NUMBERS:,} numbers or {MOST_PREFIXES:,} prefixes")
    ascending = array("Q", (number for number, _ in itertools.groupby(sorted(numbers))))
    return Reading(numbers=ascending, prefixes=tuple(sorted(prefixes)), unreadable=unreadable, example=example)


def _number(written: str, region: str) -> int | None:
    """Return the digits of a number in E.164, or None if it is none."""
    # Most feeds have North American numbers, which read as what they are; the numbering plans take 30 times as long.
    match = _NORTH_AMERICAN.fullmatch(written.translate(_PUNCTUATION))
    if match and (match[1] == "+1" or region in ("US", "CA")):
        return 10_000_000_000 + int(match[2])
    number = e164(written, region)
    return None if number is None else int(number[1:])
