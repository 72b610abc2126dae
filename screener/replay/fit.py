"""The fast half of tuning: which points and which first step separate what was seen best.

A rule's points do not change when it speaks, so one replay tells for each call which rules spoke; what other points
would have made of it is a sum. A candidate is played in earnest before anybody hears of it.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from screener.replay.knobs import Path

HIGHEST: Final = 10.0
STEP: Final = 0.5
"""Points are tried in halves, from 0 to `HIGHEST`."""
SWEEPS: Final = 6
"""How often all knobs are turned one after another; it ends sooner when nothing gets better."""
WORTH: Final = 0.0005
"""Share of the spam that a change must catch to be worth making: a policy should stay what its administrator knows."""
DOOR: Final = 10
"""A wanted caller who is left without a way through weighs as much as so many who press a key."""

FIRST: Final[Path] = ("ladder", 0, "score")
"""The step from which a call does not pass: the threshold that is searched for."""

Weights = tuple[tuple[int, float], ...]
"""For each rule that spoke: which knob its points are, and how often they count."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What rules said of calls, as far as it makes a difference."""

    settled: bool | None
    """Whether such calls do not pass whatever the score is; None if the score decides."""
    fixed: float
    """Points that are not searched for."""
    first: float | None
    """The first step of the called number's own ladder, if it has one."""
    shut: float
    """From which score on nobody is there for the caller; infinite if there is no such step."""
    weights: Weights


@dataclass(slots=True)
class Seen:
    """How many labelled calls of each pattern there were."""

    paths: Sequence[Path]
    """The knobs, in the order in which weights name them; the first step of the ladder is the last."""
    start: Sequence[float]
    """Their values now."""
    patterns: dict[Pattern, list[int]] = field(default_factory=dict)
    """Wanted calls and spam."""

    def add(self, pattern: Pattern, *, spam: bool) -> None:
        """Count a call."""
        self.patterns.setdefault(pattern, [0, 0])[spam] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Values of the knobs, and how well they did on what was seen."""

    values: Mapping[Path, float]
    """Those that are not as they were."""
    worth: float
    """For comparing: recall, less what false alarms beyond the bound and changes cost."""


def fit(seen: Seen, bound: float, *, seed: int, rounds: int) -> Fitted:
    """Search values under which at most the share `bound` of the wanted calls does not pass."""
    search = _Search(seen, bound)
    chance = random.Random(seed)  # noqa: S311 - a search, not a secret
    best = search.climb(list(seen.start))
    for _ in range(rounds):
        values = list(best[1])
        for place in chance.sample(range(len(values)), k=min(len(values), 1 + len(values) // 4)):
            values[place] = chance.choice(search.grid(place))
        best = max(best, search.climb(values), key=lambda found: found[0])
    changed = {path: value for path, value, old in zip(seen.paths, best[1], seen.start, strict=True) if value != old}
    return Fitted(values=changed, worth=best[0])


class _Search:
    def __init__(self, seen: Seen, bound: float) -> None:
        self._seen = seen
        self._bound = bound
        self._patterns = [(pattern, wanted, spam) for pattern, (wanted, spam) in seen.patterns.items()]
        self._wanted = max(sum(wanted for _, wanted, _ in self._patterns), 1)
        self._spam = max(sum(spam for _, _, spam in self._patterns), 1)
        self._last = len(seen.paths) - 1
        self._touched: list[list[int]] = [[] for _ in seen.paths]
        for number, (pattern, _, _) in enumerate(self._patterns):
            for knob, _times in pattern.weights:
                self._touched[knob].append(number)
        self._touched[self._last] = list(range(len(self._patterns)))
        self._grids = [self._grid(place) for place in range(len(seen.paths))]

    def grid(self, place: int) -> Sequence[float]:
        """Return the values that a knob may take."""
        return self._grids[place]

    def _grid(self, place: int) -> Sequence[float]:
        old = self._seen.start[place]
        steps = [STEP * n for n in range(int(HIGHEST / STEP) + 1)]
        if place == self._last:
            # Below the next step of the ladder, and above nothing at all.
            return sorted({old, *(step for step in steps if 0 < step <= old + 1)})
        # What speaks against a call goes on doing so, and what speaks for it too.
        return sorted({old, *(step if old > 0 else -step for step in steps)})

    def climb(self, values: list[float]) -> tuple[float, list[float]]:
        """Turn one knob after another to where it does best, until that helps no more."""
        worth = self._worth(values)
        for _ in range(SWEEPS):
            before = worth
            for place, grid in enumerate(self._grids):
                if not self._touched[place]:
                    continue
                worth, values[place] = self._best(values, place, grid)
            if worth <= before:
                break
        return worth, values

    def _best(self, values: list[float], place: int, grid: Sequence[float]) -> tuple[float, float]:
        """Return what the best value for a knob is worth, and the value. Only calls that it touches are counted."""
        kept = values[place]
        base = self._counts(values, None)
        part = self._counts(values, self._touched[place])
        best: tuple[float, float] | None = None
        for value in grid:
            values[place] = value
            mine = self._counts(values, self._touched[place])
            counts = [whole - old + new for whole, old, new in zip(base, part, mine, strict=True)]
            worth = self._value(counts, values)
            # Of values that are worth the same the one that is in force stays.
            if best is None or worth > best[0] or (worth == best[0] and value == kept):
                best = worth, value
        values[place] = kept
        assert best is not None  # noqa: S101 - a grid holds the old value at the least
        return best

    def _worth(self, values: Sequence[float]) -> float:
        return self._value(self._counts(values, None), values)

    def _counts(self, values: Sequence[float], which: Sequence[int] | None) -> list[int]:
        """Return how many wanted and spam calls do not pass, and how many wanted ones are left at the door."""
        wanted_stopped = spam_stopped = wanted_shut = 0
        first = values[self._last]
        for number in range(len(self._patterns)) if which is None else which:
            pattern, wanted, spam = self._patterns[number]
            if pattern.settled is not None:
                stopped, shut = pattern.settled, False
            else:
                score = pattern.fixed
                for knob, times in pattern.weights:
                    score += values[knob] * times
                stopped = score >= (first if pattern.first is None else pattern.first)
                shut = score >= pattern.shut
            if stopped:
                wanted_stopped += wanted
                spam_stopped += spam
                if shut:
                    wanted_shut += wanted
        return [wanted_stopped, spam_stopped, wanted_shut]

    def _value(self, counts: Sequence[int], values: Sequence[float]) -> float:
        wanted_stopped, spam_stopped, wanted_shut = counts
        alarms = (wanted_stopped + DOOR * wanted_shut) / self._wanted
        changes = sum(value != old for value, old in zip(values, self._seen.start, strict=True))
        # Beyond the bound one share of false alarms costs more than all spam is worth.
        excess = max(0.0, alarms - self._bound)
        return spam_stopped / self._spam - (1.0 + excess * 10 if excess else 0.0) - WORTH * changes
