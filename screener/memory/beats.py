"""The latest calls of each stranger: when they came, how long they lasted, how they ended."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from screener.memory.bounded import Bounded
from screener.policy.remembered import Beat

CALLERS: Final = 20_000
"""Strangers whose beat is kept; beyond it the one that called longest ago is forgotten."""
KEPT: Final = 8
"""Calls kept of each."""
FEW: Final = 3
"""Calls below which there is nothing to tell."""
FORGIVEN: Final = 30
"""Calls a day that found us busy and cost no token, at the most. Patients tell of thirty redials on a Monday."""
DAY: Final = 86_400.0


@dataclass(slots=True)
class _Calls:
    starts: list[float] = field(default_factory=list)
    lasted: list[float] = field(default_factory=list)
    count: int = 0
    hang_ups: int = 0
    forgiven: int = 0
    forgiven_since: float = 0.0


class Beats:
    """Keeps the beat of each stranger."""

    def __init__(self) -> None:
        self._callers: Bounded[str, _Calls] = Bounded(CALLERS)

    def start(self, caller: str, now: float) -> Beat | None:
        """Note a call, and return the beat of the caller if there is one to tell of."""
        calls = self._callers.keep(caller, self._callers.get(caller) or _Calls())
        calls.count += 1
        calls.starts.append(now)
        del calls.starts[:-KEPT]
        if calls.count < FEW and not calls.hang_ups:
            return None
        return Beat(
            distances=tuple(after - before for before, after in pairwise(calls.starts)),
            lasted=tuple(calls.lasted),
            hang_ups=calls.hang_ups,
        )

    def end(self, caller: str, seconds: float) -> None:
        """Note how long a call lasted."""
        if (calls := self._callers.get(caller)) is not None:
            calls.lasted.append(seconds)
            del calls.lasted[:-KEPT]

    def hang_up(self, caller: str) -> None:
        """Note that the caller hung up in a prompt."""
        if (calls := self._callers.get(caller)) is not None:
            calls.hang_ups += 1

    def busy(self, caller: str, now: float) -> bool:
        """A call found us busy: it says nothing of a beat, for some phones dial again by themselves. Return whether it
        is forgiven."""
        calls = self._callers.get(caller)
        if calls is not None and calls.starts:
            calls.starts.pop()
        if calls is None:
            return False
        if now - calls.forgiven_since >= DAY:
            calls.forgiven, calls.forgiven_since = 0, now
        if calls.forgiven >= FORGIVEN:
            return False
        calls.forgiven += 1
        return True

    def count(self, caller: str) -> int:
        """Return how many calls of a stranger are known."""
        calls = self._callers.get(caller)
        return 0 if calls is None else calls.count
