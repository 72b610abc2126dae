"""Where strangers come from and where they go: what tells a new customer from a campaign when many strangers call."""

from typing import Final, NamedTuple

from screener.memory.areas import Areas
from screener.memory.lines import Lines
from screener.policy.call import Call
from screener.policy.caller import CallerKind
from screener.policy.numbering import plan

IN_AREA: Final = 15.0
"""Strangers lately from one area, beyond which it is no longer our customers who call from there."""
NEIGHBOURS: Final = 2.0
NEIGHBOURS_AT_ONCE: Final = 1.0
"""Conversations with callers whose numbers begin like the DID's own, after which such a number is no sign of forgery
there; and how many of them may call lately."""


class Place(NamedTuple):
    """What speaks for a stranger by the way it takes."""

    familiar: bool
    """It comes from an area that our people talk with, and no more strangers than usual do now."""
    frequented: bool
    """It calls a DID at which our people talk with strangers, and no more strangers than usual do now."""
    near: bool
    """Its number begins like the DID's own, and such callers are customers there."""
    lately: float
    """Strangers who called this DID within the last half hour or so."""


class Places:
    """Counts strangers, and conversations with them, by area and by DID."""

    def __init__(self) -> None:
        self._areas = Areas()
        self._dids = Lines()
        self._callers = Lines(margin=IN_AREA)
        self._neighbours = Lines(enough=NEIGHBOURS, margin=NEIGHBOURS_AT_ONCE)

    def familiar(self, call: Call) -> bool:
        """Return whether our people talk with callers from this caller's area."""
        return call.caller.kind is CallerKind.NUMBER and self._areas.familiar(plan(call.caller.key).area, call.did)

    def arrive(self, call: Call, now: float, *, familiar: bool) -> Place:
        """Note a stranger's call; `familiar` is what the area says."""
        here = self._dids.arrive(call.did, now)
        near = False
        if call.caller.kind is CallerKind.NUMBER:
            there = self._callers.arrive(plan(call.caller.key).area, now)
            familiar = familiar and not there.crowded
            near = _near(call) and self._neighbours.arrive(call.did, now).frequented
        return Place(familiar, here.frequented, near, here.lately)

    def talked(self, call: Call, now: float, *, stranger: bool) -> None:
        """One of our people talked with the caller, who may have been a stranger until then."""
        numbered = call.caller.kind is CallerKind.NUMBER
        if numbered:
            self._areas.talked(plan(call.caller.key).area)
        if not stranger:
            return
        self._dids.talked(call.did, now)
        if numbered:
            self._callers.talked(plan(call.caller.key).area, now)
            if _near(call):
                self._neighbours.talked(call.did, now)

    def restore(self, caller: str, conversations: int) -> None:
        """Take over how often our people talked with a caller (its key) before."""
        if caller.startswith("+"):
            self._areas.talked(plan(caller).area, conversations)


def _near(call: Call) -> bool:
    number, did = call.caller.key, call.did
    return did.startswith("+") and number != did and number.startswith(plan(did).block)
