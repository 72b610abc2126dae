"""One call of the traffic: what the trunk showed, what became of it, and what it was in truth."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from screener.policy.call import Attestation

MONDAY = 1772409600.0
"""Seconds since the epoch of Monday, 2 March 2026, 00:00 UTC: when all traffic begins."""
DAY, WEEK = 86_400.0, 604_800.0


class Label(StrEnum):
    """What a call was in truth."""

    WANTED = "wanted"
    SPAM = "spam"
    OUTBOUND = "outbound"
    """One of ours called somebody."""


class Kind(StrEnum):
    """The class of traffic that a call belongs to."""

    OUTBOUND = "outbound"
    REGULAR = "regulars"
    NEW = "new customers"
    CALL_BACK = "call-backs"
    OFFICE = "office behind one number"
    SCHOOL = "school's mass call"
    PRACTICE = "Monday at eight"
    COURIER = "couriers, short calls"
    RESULT = "test results (robot)"
    STORM = "calling a spoofed number back"
    HIDDEN = "people who withhold"
    HAMMER = "one number hammering"
    WALK = "block walked in order"
    CAMPAIGN = "campaign sweeping DIDs"
    NEIGHBOUR = "neighbour spoofing"
    IMPOSSIBLE = "impossible numbers"
    FLOOD = "flood"
    RANDOM = "random spoofing"
    LOW_SLOW = "low and slow"
    WANGIRI = "wangiri"
    WITHHELD = "withheld spam"


WANTED = tuple(Kind)[1:11]
SPAM = tuple(Kind)[11:]
BESIDE = frozenset({Kind.STORM, Kind.HIDDEN})
"""Wanted calls that the goals do not name: people who call a spoofed number back look like a flood, and whoever
withholds a number is asked for a key by design. They have their own rows, and they may be challenged but never
refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A call as a call record has it, and three things that only its author knows: label, kind and `presses`."""

    start: float
    """Seconds since the epoch."""
    number: str
    """The other side's number as the trunk shows it; empty if withheld."""
    name: str = ""
    did: str
    """Our number, as the trunk shows it."""
    trunk: str = "trunk"
    attestation: Attestation = Attestation.NONE
    signer: str = ""
    duration: float
    """Seconds from arrival to end, had nobody screened the call."""
    talked: float = 0.0
    """Seconds in conversation."""
    busy: bool = False
    """Our people or lines were busy."""
    label: Label
    kind: Kind
    episode: str = ""
    """What belongs together: one walk, one campaign, one flood."""
    presses: bool = False
    """Would press the key it is told to."""

    @property
    def disposition(self) -> str:
        """How Asterisk's call record names the end."""
        if self.talked > 0:
            return "ANSWERED"
        return "BUSY" if self.busy else "NO ANSWER"

    def stripped(self) -> "Record":
        """Return the call without its signature, as most trunks and all call records have it."""
        return dataclasses.replace(self, attestation=Attestation.NONE, signer="")
