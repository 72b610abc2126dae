"""What memory tells the core of a caller, and what it is told when a treatment has shown something."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from screener.policy.bucket import Taken
from screener.policy.call import Attestation
from screener.policy.verdict import Treatment


class TrustKind(StrEnum):
    """How trust was earned."""

    PASSED = "passed"
    """The caller passed a challenge."""
    TALKED = "talked"
    """One of our people talked with the caller for a minute or more."""
    DIALLED = "dialled"
    """One of our people called the number."""
    HAND = "hand"
    """A person marked the caller as fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a caller earned, in one of several ways."""

    kind: TrustKind = TrustKind.PASSED
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
class History:
    """What earlier calls of a caller showed: counts that fade, as they are at the moment of the call."""

    calls: float = 0
    """Calls since the first of these that are over and did not find us busy."""
    heard: float = 0
    """Those of them in which one of our people listened for longer than anybody listens to a robot."""
    talked: float = 0
    """Conversations of a minute or more."""
    passed: float = 0
    """Challenges that were passed."""
    recorded: float = 0
    """Messages that were left."""
    fine: float = 0
    """Times that a person marked the caller as fine."""
    spam: float = 0
    """Times that a person marked the caller as spam."""

    def vouches(self, share: float) -> bool:
        """Return whether calls that somebody listened to are at least this share of all."""
        return self.heard >= share * self.calls


NOTHING: Final = History()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowded:
    """The bucket of a block of numbers from which too many strangers call."""

    block: str
    """The beginning of the numbers, in E.164."""
    capacity: int
    per_hour: float
    free_in: float
    """Seconds until the next one is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far over our DIDs the strangers around a call have spread; the call's own DID is counted."""

    dids: int = 1
    """Different DIDs that this caller reached within the minutes that the policy says."""
    in_order: int = 1
    """Of these, how many one after another in numerical order, up to this call."""
    block_dids: int = 1
    """Different DIDs that callers of the same thousand block reached."""
    run: int = 1
    """Neighbouring DIDs that strangers, whoever they are, reached one after another up to this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The latest calls of one caller, oldest first."""

    distances: tuple[float, ...] = ()
    """Seconds between the starts of its calls."""
    lasted: tuple[float, ...] = ()
    """Seconds that its calls lasted in all."""
    hang_ups: int = 0
    """How often it hung up in the prompt of a challenge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """Far more strangers than usual, to the whole PBX or to one DID."""

    about: str
    """The DID, or `PBX`."""
    since: float
    """Seconds of the memory's clock."""
    expected: float
    """Strangers an hour that are usual at this hour of the week."""
    heavy: bool = False
    """Whether so many come that nearly all of them must belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """A group of strangers that is hot."""

    kind: str
    """trunk, signer, name or habit."""
    name: str
    """Which one, printable."""
    callers: int
    """Strangers of the group lately."""
    cold: int
    """How many of their calls ended like a robot's."""
    until: float
    """When it has cooled down, in seconds of the memory's clock."""


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
class Remembered:
    """All that is remembered at the moment of a call; the call's own tokens are already taken."""

    rate: Taken
    sustained: Taken | None = None
    """The caller's slower bucket, where there is one."""
    trust: tuple[Trust, ...] = ()
    failures: Failures | None = None
    rejected_at: float | None = None
    """When a call of this caller to this DID was last rejected, in seconds of the memory's clock."""
    unwanted_until: float | None = None
    """Until when the people at this DID have blocked the caller, in seconds of the memory's clock."""
    history: History = NOTHING
    stranger: bool = True
    """Whether nobody here knows the caller: no trust that this call may spend, no allow list."""
    welcome: bool = False
    """Whether a call of this caller, proved no better than this one, was let through as a stranger's before."""
    first_at: float | None = None
    """When the caller was first seen, this call not counted; None if never."""
    last_at: float | None = None
    """When the caller called last, this call not counted; None if never."""
    crowded: Crowded | None = None
    reached: Reached | None = None
    beat: Beat | None = None
    surge: Surge | None = None
    heat: Heat | None = None
    reused: bool = False
    """Whether another call used the same signature a moment ago."""
    familiar: bool = False
    """Whether our people talk with callers from this area (area code, or mobile network)."""
    frequented: bool = False
    """Whether our people talk with strangers at this DID, and no more strangers than usual call it now."""
    near: bool = False
    """Whether callers of the DID's own block are customers there: our people talk with strangers among them."""
    ours: bool = False
    """Whether the caller's number is one of the DIDs that are called here."""
    windows: tuple[Window, ...] = ()
    """Windows that are open."""
    relaxed: frozenset[str] = frozenset()
    """Codes of the rules that guard themselves: in shadow for the time being."""


STRANGER: Final = Remembered(rate=Taken(True, 0.0, 0.0))
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
    UNANSWERED = "unanswered"
    """The callee did not answer, or pressed nothing: it says nothing about the caller."""


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
