"""What memory tells the core of a caller, and what it is told when a treatment has shown something."""

from dataclasses import dataclass
from enum import StrEnum

from screener.policy.bucket import Taken
from screener.policy.call import Attestation
from screener.policy.verdict import Treatment


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a caller earned by passing a challenge."""

    until: float
    """When it ends, in seconds of the memory's clock."""
    earned_with: Attestation
    """What proved the caller ID then. A number is easy to spoof: trust is spent only by a call whose
    attestation proves no less than the one that earned it."""

    def holds(self, attestation: Attestation, now: float) -> bool:
        """Return whether a call with this attestation may spend the trust at `now`."""
        return now < self.until and attestation.rank >= self.earned_with.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Challenges that a caller failed since it last passed one."""

    count: int
    last_at: float
    """Seconds of the memory's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """All that is remembered of a caller at the moment of a call; the call's own token is already taken."""

    rate: Taken
    trust: Trust | None = None
    failures: Failures | None = None
    rejected_at: float | None = None
    """When a call of this caller to this DID was last rejected, in seconds of the memory's clock."""


STRANGER = Remembered(rate=Taken(True, 0.0, 0.0))
"""A caller of whom nothing is known. A memory that fails turns every caller into this one: the lists still
hold, because they are policy and not memory."""


class Result(StrEnum):
    """What a treatment showed."""

    PASSED = "passed"
    FAILED = "failed"
    """A wrong answer, or too many keys."""
    SILENT = "silent"
    """No key was pressed."""
    ABANDONED = "abandoned"
    """The caller hung up during the treatment."""
    RECORDED = "recorded"
    """A voicemail message was stored."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a treatment."""

    treatment: Treatment
    result: Result
    tries: int = 0
    """Challenges that were put to the caller."""
