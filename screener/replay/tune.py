"""Searches a policy that stops more spam at a stated bound on false alarms, and checks it on what it has not seen."""

import math
import multiprocessing
import os
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from screener.policy.call import Call
from screener.policy.decide import climb
from screener.policy.feeds import Feeds
from screener.policy.line_settings import Ladder
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Treatment, Verdict
from screener.replay.book import Book, Lesson
from screener.replay.compass import Direction
from screener.replay.fit import FIRST, Fitted, Pattern, Seen, fit
from screener.replay.knobs import Path, figures, points, turned
from screener.replay.player import SHUT, Player, Side
from screener.replay.record import CallRecord, Label
from screener.replay.tally import Scores

SEARCHED: Final = 0.7
"""Share of the labelled calls, the earlier ones, that the search sees; the later ones check it."""
MOST: Final = 150_000
"""Calls that are searched in, the last ones; some 700 bytes each, and half a minute for a replay of them."""
MARGIN: Final = 0.8
"""Share of the bound that the search uses: what was searched for always does a little worse on what comes after."""
VARIANTS: Final = 4
"""Figures that are tried in one round, each by a replay of its own, side by side."""
RESTARTS: Final = 12
FEWEST: Final = 30
"""Labelled calls of either kind below which nothing can be said."""
CONFIDENCE: Final = 1.96
"""Standard deviations of an interval that holds 95 of 100 times."""


class TooFewLabelsError(Exception):
    """Records that say too little of what was wanted and what was spam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Calls in memory, to be played again and again."""

    events: Sequence[tuple[CallRecord, Direction]]
    learned: Sequence[Lesson]

    def calls(self) -> Iterator[tuple[CallRecord, Direction]]:
        """Yield the calls in the order of their beginnings."""
        return iter(self.events)

    def lessons(self) -> Iterator[Lesson]:
        """Yield what was learned beside them."""
        return iter(self.learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A part of the records under the policy as it was and as it would be."""

    before: Scores
    after: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What came of a search."""

    settings: PolicySettings
    changes: Mapping[Path, tuple[float, float]]
    """What was turned: from, to."""
    searched: Compared
    checked: Compared
    split: float
    """When the part that was not seen begins, in seconds since the epoch."""
    bound: float
    """The share of wanted calls that may be stopped."""
    left_out: int
    """Calls that were too many; they came before all others."""

    @property
    def holds(self) -> bool:
        """Whether the bound holds on the part that the search has not seen."""
        after = self.checked.after
        return after.false_positives <= self.bound * after.wanted.total()


def tune(
    book: Book,
    settings: PolicySettings,
    *,
    feeds: Feeds,
    callers: int,
    bound: float,
    rounds: int,
    seed: int = 1,
    prefix: str = "",
    tick: Callable[[int], None] = lambda _: None,
) -> Tuned:
    """Search points, the ladder's first step and figures. Raises TooFewLabelsError.

    `bound` is the share of wanted calls that may be stopped; `tick` is called with the number of rounds done.
    """
    # A deque drops the first ones on the way: they need not all fit.
    events, learned = list(deque(book.calls(), maxlen=MOST)), list(book.lessons())
    split = _split(events)
    stage = _Stage(
        whole=Script(events=events, learned=learned),
        early=Script(events=[one for one in events if one[0].start < split], learned=learned),
        feeds=feeds,
        callers=callers,
        prefix=prefix,
        bound=bound * MARGIN,
        seed=seed,
    )
    values = stage.search(settings, rounds, tick)
    before = stage.scores(settings, split)
    # In earnest: the sums leave out that a verdict changes what is learned afterwards.
    for share in (1.0, 0.6, 0.3):
        candidate = turned(settings, values)
        after = stage.scores(candidate, split)
        if after[0].false_positives <= bound * after[0].wanted.total() or not values:
            break
        stage.bound = bound * MARGIN * share * 0.6
        values = stage.search(settings, 0, tick)
    if not _is_better(after[0], before[0], bound):
        values, after, candidate = {}, before, settings
    return Tuned(
        settings=candidate,
        changes={path: (_at(settings, path), value) for path, value in values.items()},
        searched=Compared(before=before[0], after=after[0]),
        checked=Compared(before=before[1], after=after[1]),
        split=split,
        bound=bound,
        left_out=len(book) - len(events),
    )


def _is_better(after: Scores, before: Scores, bound: float) -> bool:
    if before.false_positives > bound * before.wanted.total():
        return after.false_positives < before.false_positives
    return after.true_positives > before.true_positives


def _split(events: Sequence[tuple[CallRecord, Direction]]) -> float:
    labelled = [record for record, direction in events if direction is Direction.INBOUND and record.label]
    spam = sum(record.label == Label.SPAM.value for record in labelled)
    if min(spam, len(labelled) - spam) < FEWEST:
        raise TooFewLabelsError(
            f"{spam} of the calls are labelled as spam and {len(labelled) - spam} as wanted: "
            f"at least {FEWEST} of each are needed"
        )
    return labelled[int(len(labelled) * SEARCHED)].start


@dataclass(slots=True)
class _Stage:
    """What all replays of a search have in common."""

    whole: Script
    early: Script
    feeds: Feeds
    callers: int
    prefix: str
    bound: float
    seed: int

    def search(self, settings: PolicySettings, rounds: int, tick: Callable[[int], None]) -> dict[Path, float]:
        """Return what to turn: points first, then figure after figure as long as it helps."""
        best, figured = self.fitted(settings, {}), dict[Path, float]()
        if not rounds:
            return dict(best.values)
        chance = random.Random(self.seed)  # noqa: S311 - a search, not a secret
        # Processes of their own from the start: whoever calls this may have threads, which a fork does not survive.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(VARIANTS, os.cpu_count() or 1), context, _work_for, (self, settings)) as pool:
            for done in range(rounds):
                knobs = list(figures(turned(settings, figured)))
                variants = [
                    figured | {knob.path: chance.choice(list(others))}
                    for knob, others in chance.sample(knobs, k=min(VARIANTS, len(knobs)))
                ]
                found = list(pool.map(_fitted_variant, variants))
                worth, place = max((one.worth, -number) for number, one in enumerate(found))
                if worth > best.worth:
                    best, figured = found[-place], variants[-place]
                tick(done + 1)
        return {**figured, **best.values}

    def fitted(self, settings: PolicySettings, figured: Mapping[Path, float]) -> Fitted:
        """Replay the early part under other figures, and fit the points to it."""
        try:
            varied = turned(settings, figured)
        except ValueError:
            return Fitted(values={}, worth=-math.inf)
        found = fit(self._seen(varied), self.bound, seed=self.seed, rounds=RESTARTS)
        # A figure that is turned must be worth it too.
        return Fitted(values=found.values, worth=found.worth - 0.001 * len(figured))

    def _seen(self, settings: PolicySettings) -> Seen:
        knobs = points(settings)
        first = settings.ladder[0].score if settings.ladder else math.inf
        places = {key: (place, knob.value) for place, (key, knob) in enumerate(knobs.items())}
        seen = Seen(
            paths=[*(knob.path for knob in knobs.values()), FIRST],
            start=[*(knob.value for knob in knobs.values()), first],
        )

        def listen(record: CallRecord, calls: Sequence[Call], verdicts: Sequence[Verdict]) -> None:
            if record.label:
                ladder = side.policy.line(calls[0].did, record.start).ladder
                pattern = _pattern(calls[0], verdicts[0], ladder, ladder != settings.ladder, places)
                seen.add(pattern, spam=record.label == Label.SPAM.value)

        side = Side(settings, callers=self.callers, feeds=self.feeds)
        Player([side], listen, prefix=self.prefix).play(self.early)
        return seen

    def scores(self, settings: PolicySettings, split: float) -> tuple[Scores, Scores]:
        """Replay everything, and count what begins before the split and what after it."""
        early, late = Scores(), Scores()

        def listen(record: CallRecord, _calls: Sequence[Call], verdicts: Sequence[Verdict]) -> None:
            if record.label:
                part = early if record.start < split else late
                (part.spam if record.label == Label.SPAM.value else part.wanted)[verdicts[0].treatment] += 1

        Player([Side(settings, callers=self.callers, feeds=self.feeds)], listen, prefix=self.prefix).play(self.whole)
        return early, late


def _pattern(
    call: Call, verdict: Verdict, ladder: Ladder, own: bool, knobs: Mapping[tuple[str, str], tuple[int, float]]
) -> Pattern:
    """Return what rules said of a call. `own` is whether the ladder is another one than the policy's; `knobs` are the
    place and the value of the points of each rule."""
    if climb(ladder, verdict.score) != (verdict.treatment, verdict.decided_by):
        settled = verdict.treatment is not Treatment.PASS
        return Pattern(settled=settled, fixed=0, first=None, shut=math.inf, weights=())
    fixed, weights = 0.0, []
    for reason in verdict.reasons:
        if reason.shadow or not reason.points:
            continue
        knob = knobs.get((reason.code, "")) or knobs.get((reason.code, str(call.attestation)))
        if knob is None:
            fixed += reason.points
        else:
            weights.append((knob[0], reason.points / knob[1]))
    return Pattern(
        settled=None,
        # Fading memories would make a pattern of each call.
        fixed=round(fixed, 1),
        first=(ladder[0].score if ladder else math.inf) if own else None,
        shut=next((rung.score for rung in ladder if rung.treatment in SHUT), math.inf),
        weights=tuple(weights),
    )


_worker: tuple[_Stage, PolicySettings] | None = None


def _work_for(stage: _Stage, settings: PolicySettings) -> None:
    """Begin a process of the search with the calls, so that it is told only what to try later on."""
    global _worker  # noqa: PLW0603 - what a process of a pool is for
    _worker = stage, settings


def _fitted_variant(figured: Mapping[Path, float]) -> Fitted:
    assert _worker is not None  # noqa: S101 - the pool begins its processes with `_work_for`
    stage, settings = _worker
    return stage.fitted(settings, figured)


def _at(settings: PolicySettings, path: Path) -> float:
    place: Any = settings.model_dump(mode="json")
    for part in path:
        place = place[part]
    return float(place)


def interval(part: int, whole: int) -> tuple[float, float]:
    """Return the shares between which the true one lies 95 of 100 times (Wilson's interval)."""
    if not whole:
        return 0.0, 1.0
    z, p = CONFIDENCE, part / whole
    middle, width = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return max((middle - width) / (1 + z * z / whole), 0.0), min((middle + width) / (1 + z * z / whole), 1.0)
