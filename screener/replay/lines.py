"""The lines of a file of records, each complete and clean, and what is wrong with the others."""

import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Final, Self, cast

from screener.replay.faults import Faults

LONGEST_LINE: Final = 16_384
"""Characters of one record. Asterisk's own buffers hold 1,024 (cdr_csv.c) to 8,192."""
MOST_LINES: Final = 8
"""Lines of one record: a caller's name may hold line feeds. One quotation mark too many costs one row this way, and
not the rest of the file."""

_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")


class Lines:
    """Iterates over the records of a text file; `number` is the line at which the last one began."""

    def __init__(self, stream: io.BufferedIOBase, source: str, faults: Faults) -> None:
        self._text = io.TextIOWrapper(
            cast("io.BufferedReader", stream), encoding="utf-8-sig", errors="surrogateescape", newline="\n"
        )
        self._source = source
        self._faults = faults
        self._again: deque[str] = deque()
        """Lines that were looked at as the end of a record and are records of their own."""
        self._read = 0
        self.number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever opened the stream closes it.
        self._text.detach()

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            self.number = self._read - len(self._again)
            if line.count('"') & 1:
                line = self._to_its_end(line)
            elif len(line) == LONGEST_LINE and line[-1] != "\n":
                self._skip_to_line_end()
                line = self._bad(f"longer than {LONGEST_LINE} characters")
            if "\0" in line:
                line = self._bad("holds a NUL")
            elif not line.isascii() and _NOT_UTF8.search(line):
                line = self._bad("is not UTF-8")
            if line and not line.isspace():
                yield line

    def _next(self) -> str:
        if self._again:
            return self._again.popleft()
        line = self._text.readline(LONGEST_LINE)
        self._read += bool(line)
        return line

    def _to_its_end(self, first: str) -> str:
        """Return the record that begins with a line in which a quotation is open, or nothing."""
        lines = [first]
        quotes, size = first.count('"'), len(first)
        while quotes & 1 and len(lines) < MOST_LINES and size < LONGEST_LINE and (line := self._next()):
            lines.append(line)
            quotes, size = quotes + line.count('"'), size + len(line)
        if not quotes & 1:
            return "".join(lines)
        self._again.extendleft(reversed(lines[1:]))
        return self._bad("a quotation does not end")

    def _skip_to_line_end(self) -> None:
        while (rest := self._text.readline(LONGEST_LINE)) and rest[-1] != "\n":
            pass

    def _bad(self, message: str) -> str:
        self._faults.add(self._source, self.number, message)
        return ""
