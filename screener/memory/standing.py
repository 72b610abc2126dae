"""What earlier calls of callers showed: counts that fade with a half-life."""

from dataclasses import dataclass, fields
from typing import Final

from screener.policy.call import Attestation
from screener.policy.remembered import NOTHING, History

DAY: Final = 86_400.0


@dataclass(slots=True, kw_only=True)
class Standing:
    """The counts of one caller as they were at `at`."""

    at: float
    calls: float = 0
    heard: float = 0
    talked: float = 0
    passed: float = 0
    recorded: float = 0
    fine: float = 0
    spam: float = 0

    def fade(self, now: float, half_life_days: float) -> None:
        """Bring the counts to `now`."""
        gone = now - self.at
        if gone <= 0:
            return
        kept = 0.5 ** (gone / (half_life_days * DAY))
        self.at = now
        for name in COUNTS:
            setattr(self, name, getattr(self, name) * kept)

    def history(self) -> History:
        """Return the counts as a value."""
        return History(**{name: getattr(self, name) for name in COUNTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a journal tells of one caller's older calls all together, its counts faded to `at`."""

    caller: str
    """The caller's key."""
    attestation: Attestation
    calls: float
    talked: float
    """Conversations that earned trust."""
    last: float
    """When the last of these ended."""
    heard: int
    """Conversations that were none with a robot."""
    weighed: float
    """The same, faded to `at`."""
    at: float


COUNTS: Final = tuple(field.name for field in fields(Standing) if field.name != "at")

assert {field.name for field in fields(NOTHING)} == set(COUNTS)  # noqa: S101 - two sides of one thing
