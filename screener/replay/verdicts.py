"""A CSV with one row for each judged call: for spreadsheets and for programs."""

import csv
import re
from typing import Final, TextIO

from screener.policy.text import printable
from screener.policy.verdict import Verdict
from screener.replay.record import CallRecord

HEADER: Final = ("start", "src", "dst", "treatment", "score", "reasons")
FIELD: Final = 80
"""Characters of a text that is no telephone number."""

_NUMBER: Final = re.compile(r"[+-]?[0-9 ().*#/-]*", re.ASCII)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are full-width, and some spreadsheets take them for the others."""


class Verdicts:
    """Writes the rows."""

    def __init__(self, file: TextIO) -> None:
        """`file` is open for writing, with `newline=""`."""
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(HEADER)

    def write(self, record: CallRecord, verdict: Verdict) -> None:
        """Write a call; reasons of rules in shadow mode are left out, for they did nothing."""
        reasons = "+".join(dict.fromkeys(reason.code for reason in verdict.reasons if not reason.shadow))
        self._rows.writerow((
            cell(record.written), cell(record.src), cell(record.dst), str(verdict.treatment), f"{verdict.score:g}",
            reasons,
        ))  # fmt: skip


def cell(text: str) -> str:
    """Return a stranger's text as a spreadsheet may have it: a number byte by byte, and never a formula.

    A telephone number may begin with `+`, which a program wants to find unchanged.
    """
    if _NUMBER.fullmatch(text):
        return text
    shown = printable(text, FIELD)
    return f"'{shown}" if text.startswith(_FORMULA) else shown
