"""What was decided and why: a value that explains itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """Where a call is sent. The value is the suffix of the dialplan context that does it: `screener-captcha`."""

    PASS = "pass"  # noqa: S105 - a treatment, not a password
    ANNOUNCE = "announce"
    """The caller says a name, the callee hears it and decides."""
    MENU = "menu"
    CAPTCHA = "captcha"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    """The busy tone, once; who calls again within minutes is welcome (greylisting)."""
    TARPIT = "tarpit"
    """An endless hold, bounded by a limit, that costs a robot its time."""
    REJECT = "reject"


CHALLENGES: Final = frozenset({Treatment.ANNOUNCE, Treatment.MENU, Treatment.CAPTCHA})
"""Treatments that leave the caller a way through at once."""


class Mode(StrEnum):
    """Whether a verdict is acted upon."""

    SHADOW = "shadow"
    """Judge, journal and put the verdict on channel variables; every call passes."""
    LIVE = "live"
    """Send each call to its treatment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that spoke for or against a call."""

    code: str
    """Stable and short, for machines: it stands in CDRs and is never renamed."""
    points: float
    """What it adds to the score; 0 where it only informs or decides by rank."""
    text: str
    """A sentence for the administrator, with the figures in it."""
    shadow: bool = False
    """True for a rule in shadow mode: its points are shown and not added to the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to "who may ring my people?" for one call."""

    treatment: Treatment
    """What the policy says should happen."""
    mode: Mode
    score: float
    """The sum of the points of all reasons that are not in shadow mode."""
    decided_by: str
    """The one step of the precedence that settled it, as a sentence."""
    reasons: tuple[Reason, ...] = ()

    @property
    def acted(self) -> Treatment:
        """What happens to the call: the treatment, or pass in shadow mode."""
        return self.treatment if self.mode is Mode.LIVE else Treatment.PASS
