"""What came of a replay: all that the terminal, JSON and the report show."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from screener.replay.book import Book
from screener.replay.compass import Direction
from screener.replay.faults import Faults
from screener.replay.player import Played
from screener.replay.tally import Differences, Tally
from screener.replay.times import LocalTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One policy and what it would have done."""

    name: str
    version: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A replay that is over, while its book is still open."""

    book: Book
    faults: Faults
    times: LocalTimes
    played: Played
    sheets: list[Sheet]
    """The policy, and the one that it is compared with if there is one."""
    differences: Differences | None

    @property
    def span(self) -> tuple[str, str]:
        """The beginnings of the first and the last call, local."""
        first, last = self.book.span()
        return self.times.text(first), self.times.text(last)

    @property
    def hints(self) -> list[str]:
        """What an administrator should look at before believing the rest."""
        hints = []
        inbound = self.played.directions[Direction.INBOUND]
        if not inbound:
            hints.append("no call looks inbound: name the context of inbound calls with --inbound")
        shift = self.book.shift
        if shift:
            hints.append(
                f"the times lie {shift / 3600:+g} hours from the unique ids of the same calls: they are not written in "
                f"the time zone that they were read by; name theirs with --timezone"
            )
        unmatched = self.book.unmatched()
        if unmatched:
            hints.append(f"labels that belong to no call that was read: {unmatched}")
        return hints

    def summary(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        first, last = self.span
        main = self.sheets[0]
        found = main.tally.summary() | {
            "policy": {"name": main.name, "version": main.version},
            "sources": {
                "rows": self.book.rows, "bad_rows": self.faults.count, "faults": self.faults.shown,
                "calls": len(self.book), "first": first, "last": last,
                **{str(direction): self.played.directions[direction] for direction in Direction},
            },
            "notices": [dataclasses.asdict(one) for one in self.played.notices],
            "hints": self.hints,
        }  # fmt: skip
        if self.differences is not None:
            other = self.sheets[1]
            found["compare"] = other.tally.summary() | {"policy": {"name": other.name, "version": other.version}}
            found["differences"] = self.differences.summary()
        return found
