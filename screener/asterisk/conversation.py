"""How long somebody of ours talked with a caller, and whether our people were busy, as far as Dial() tells.

An application that is subscribed to the caller's channel hears of each leg that Dial() or Queue() begins for it,
whether that rings, and how it ends; of bridges it hears nothing (both measured on 22.10.1). So a conversation begins
with the ANSWER of a leg and lasts until the caller is gone, is transferred without being asked (BridgeBlindTransfer),
or somebody else is dialled. Who is put on hold is still in conversation, and an attended transfer ends nothing. The
hangup cause says nothing here: a caller chooses it (a Reason header in CANCEL or BYE).
"""

from dataclasses import dataclass
from typing import Final

from screener.policy.remembered import Ending

BEGUN: Final = ""
ANSWERED: Final = "ANSWER"
RINGING: Final = frozenset({"RINGING", "PROGRESS", "PROCEEDING"})
BUSY: Final = frozenset({"BUSY", "CONGESTION", "CHANUNAVAIL"})
UNANSWERED: Final = "NOANSWER"
"""Of a leg that never rang it means that the phone could not be reached; Queue() says so of a busy one too."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """What is known of one call. Times are seconds of the steady clock."""

    talked: float = 0.0
    """Seconds of what is over."""
    since: float | None = None
    """When the conversation began that goes on."""
    answered: bool = False
    _rang: bool = False
    _busy: bool = False
    _unreached: bool = False

    def dialled(self, status: str, now: float) -> None:
        """Take what Dial() says of a leg (DIALSTATUS; empty when it begins)."""
        if status == BEGUN:
            self.part(now)
        elif status == ANSWERED:
            self.meet(now)
        elif status in RINGING:
            self._rang = True
        elif status in BUSY:
            self._busy = True
        elif status == UNANSWERED and not self._rang:
            self._unreached = True

    def meet(self, now: float) -> None:
        """Somebody of ours talks with the caller from now on, if not already."""
        self.answered = True
        if self.since is None:
            self.since = now

    def part(self, now: float) -> None:
        """Nobody talks with the caller any more."""
        if self.since is not None:
            self.talked += max(now - self.since, 0.0)
            self.since = None

    def ending(self, now: float, *, seconds: float, busy: bool = False) -> Ending:
        """Return how the call ended at `now`, `seconds` after it had come; `busy`: the dialplan itself said so."""
        self.part(now)
        found_busy = busy or self._busy or (self._unreached and not self._rang)
        return Ending(talked=self.talked, seconds=seconds, busy=found_busy and not self.answered)
