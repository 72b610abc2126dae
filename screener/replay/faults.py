"""What could not be read: counted, and shown up to a bound."""

from dataclasses import dataclass, field
from typing import Final

from screener.policy.text import printable

SHOWN: Final = 20
"""Faults that are told in words; further ones are counted only."""
LONGEST: Final = 300
"""Characters of a fault's words."""


class UnreadableError(Exception):
    """A source of calls that cannot be read at all; says which and why."""


@dataclass(slots=True)
class Faults:
    """Rows that were skipped."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, source: str, row: int, message: str) -> None:
        """Count a bad row of a source. Rows are lines of a file, counted from 1."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(printable(f"{source}:{row}: {message}", LONGEST))

    @property
    def untold(self) -> int:
        """How many are counted and not told in words."""
        return self.count - len(self.shown)
