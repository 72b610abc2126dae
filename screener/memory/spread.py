"""Where strangers go: which of our DIDs one caller, one block of numbers, and strangers in general reach."""

from typing import Final

from screener.memory.bounded import Bounded
from screener.policy.remembered import Reached
from screener.policy.signal_settings import SweepSettings

CALLERS: Final = 20_000
"""Strangers whose DIDs are kept; beyond it the one that called longest ago is forgotten."""
BLOCKS: Final = 10_000
DIDS: Final = 4096
KEPT: Final = 16
"""Calls kept of a caller or a block; a signal looks at eight DIDs at the most."""
BETWEEN: Final = 12
"""Strangers' calls that may lie between two of a run: campaigns dial several lines at once, others call too."""

_Visits = list[tuple[str, float]]


class Spread:
    """Follows strangers over our DIDs."""

    def __init__(self) -> None:
        self._callers: Bounded[str, _Visits] = Bounded(CALLERS)
        self._blocks: Bounded[str, _Visits] = Bounded(BLOCKS)
        self._runs: Bounded[str, tuple[int, int]] = Bounded(DIDS)
        """For each DID the number of the last stranger's call to it, and how long the run was that led there."""
        self._calls = 0

    def reach(self, caller: str, thousand: str, did: str, now: float, settings: SweepSettings) -> Reached:
        """Note a stranger's call and return how far it and its like have spread.

        `caller` and `thousand` are empty where the caller has no number of its own.
        """
        since = now - settings.minutes * 60
        visits = _visit(self._callers, caller, did, now, since) if caller else []
        around = _visit(self._blocks, thousand, did, now, since) if thousand else []
        return Reached(
            dids=len({visited for visited, _ in visits}) or 1,
            in_order=_in_order(visits),
            block_dids=len({visited for visited, _ in around}) or 1,
            run=self._run(did),
        )

    def heard(self, caller: str, did: str) -> None:
        """Somebody talked with the caller at this DID: that call was no robot's on its way through."""
        visits = self._callers.get(caller)
        if visits:
            visits[:] = [visit for visit in visits if visit[0] != did]

    def _run(self, did: str) -> int:
        self._calls += 1
        digits = did.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            return 1
        before = self._runs.get(_beside(did, -1))
        run = 1 if before is None or self._calls - before[0] > BETWEEN else before[1] + 1
        here = self._runs.get(did)
        led_here = here[1] if here is not None and self._calls - here[0] <= BETWEEN else 0
        # A call of somebody else to the same DID does not break the run that led there, and is not of it.
        self._runs.keep(did, (self._calls, max(run, led_here)))
        return run


def _visit(table: Bounded[str, _Visits], key: str, did: str, now: float, since: float) -> _Visits:
    visits = [visit for visit in table.get(key) or () if visit[1] >= since][-(KEPT - 1) :]
    visits.append((did, now))
    return table.keep(key, visits)


def _in_order(visits: _Visits) -> int:
    """Return how many DIDs, up to the last one, follow one another by one."""
    run = 1
    for (before, _), (after, _) in zip(reversed(visits[:-1]), reversed(visits[1:]), strict=True):
        if before == after:
            continue
        if before not in (_beside(after, -1), _beside(after, 1)):
            break
        run += 1
    return run


def _beside(did: str, step: int) -> str:
    digits = did.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    return f"{did[: len(did) - len(digits)]}{int(digits) + step:0{len(digits)}d}"
