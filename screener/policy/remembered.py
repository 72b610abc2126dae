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
    TALKING = "talking"
    """A voice that went on talking and pressed nothing: a recording, perhaps a wanted one."""
    ACCEPTED = "accepted"
    """The callee, told who calls, took the call."""
    DECLINED = "declined"
    """The callee, told who calls, did not want it."""
    BLOCKED = "blocked"
    """The callee, told who calls, blocked the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a treatment."""

    treatment: Treatment
    result: Result
    tries: int = 0
    """Challenges that were put to the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended, as far as it teaches anything. Voicemail is no conversation."""

    talked: float = 0.0
    """Seconds in conversation with one of our people; 0 if none of them took the call."""
    seconds: float = 0.0
    """Seconds from the call's arrival to its end."""
    busy: bool = False
    """Our people were busy, or our lines were: the caller had a reason to call again."""


class WindowKind(StrEnum):
    """Why everybody is let in for a while."""

    EXPECTING = "expecting"
    """Somebody waits for a call that a keypad would keep out: a test result, a school, a second factor."""
    PAUSE = "pause"
    """Screening is switched off for a while."""
    EMERGENCY = "emergency"
    """One of ours called an emergency number: whoever calls back must get in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which calls are not challenged; it ends by itself."""

    kind: WindowKind
    until: float
    """Seconds of the memory's clock."""
    did: str | None = None
    """Only calls to this DID; None for the whole PBX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the administrator should know and that is no call: for the journal, a metric and a webhook."""

    code: str
    """Stable and short: surge-began, surge-ended, rule-relaxed, rule-restored."""
    about: str
    """What it is about: a DID, `PBX`, a rule's code."""
    text: str
    """A sentence with the figures in it."""
    at: float
    """Seconds of the memory's clock."""
