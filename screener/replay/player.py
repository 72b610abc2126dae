"""Plays recorded calls through policies in the records' own time.

It is the code that judges live calls: `judge` when a call begins, `ended` when it is over, `dialled` for a call of
ours. What is different is the clock, which is the records'.
"""

import dataclasses
import heapq
import itertools
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.feeds import NO_FEEDS, Feeds
from screener.policy.line import Schedule
from screener.policy.policy import Policy, compile_policy
from screener.policy.remembered import Ending, Notice, Window, WindowKind
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Mode, Treatment, Verdict
from screener.replay.book import Lesson
from screener.replay.compass import Direction
from screener.replay.facts import Facts
from screener.replay.record import CallRecord

SHUT: Final = frozenset({Treatment.VOICEMAIL, Treatment.BUSY, Treatment.TARPIT, Treatment.REJECT})
"""Treatments after which nobody talks to the caller, whatever became of the call when it was recorded."""

TICK_SECONDS: Final = 10.0
"""How often memory may end what ends by itself, in the records' time."""
NOTICES: Final = 200
"""Notices that are kept."""

Listener = Callable[[CallRecord, Sequence[Call], Sequence[Verdict]], None]


class Calls(Protocol):
    """What can be played: a book, or calls in memory."""

    def calls(self) -> Iterator[tuple[CallRecord, Direction]]:
        """Yield calls in the order of their beginnings."""

    def lessons(self) -> Iterator[Lesson]:
        """Yield what was learned beside them, in order."""


def as_if_live(policy: Policy) -> Policy:
    """Return the policy as it would be with `mode: live` everywhere: a replay asks what would have been done."""

    def acting(schedule: Schedule) -> Schedule:
        return dataclasses.replace(
            schedule,
            open=dataclasses.replace(schedule.open, mode=Mode.LIVE),
            closed=dataclasses.replace(schedule.closed, mode=Mode.LIVE),
        )

    lines = {did: acting(schedule) for did, schedule in policy.lines.items()}
    return dataclasses.replace(policy, default=acting(policy.default), lines=lines)


class Side:
    """A policy and what it would remember; two stand side by side in a comparison."""

    def __init__(self, settings: PolicySettings, *, callers: int, feeds: Feeds = NO_FEEDS) -> None:
        """`callers` is how many callers' buckets fit; `feeds` are the numbers that feeds hold today."""
        self.policy = dataclasses.replace(as_if_live(compile_policy(settings)), feeds=feeds)
        self.memory = LocalMemory(seed=secrets.randbits(64), callers=callers)
        self.settings = settings
        self.facts = Facts(region=settings.region)


@dataclass(slots=True)
class Played:
    """What was met on the way."""

    directions: Counter[Direction] = field(default_factory=Counter)
    notices: list[Notice] = field(default_factory=list)
    """What the first policy would have told the administrator, such as the beginning of a surge: the first of them."""


@dataclass(slots=True)
class _Going:
    """A call that is not over yet."""

    record: CallRecord
    calls: Sequence[Call]
    verdicts: Sequence[Verdict]


class Player:
    """Plays a book once."""

    def __init__(self, sides: Sequence[Side], listen: Listener, *, prefix: str = "") -> None:
        """`listen` hears of every inbound call with what each side makes of it; `prefix` stands before the numbers
        that one of ours dials and is not part of them."""
        self._sides = sides
        self._listen = listen
        self._prefix = prefix
        self._going: list[tuple[float, int, _Going]] = []
        self._by_id: dict[str, Sequence[Call]] = {}
        self._numbers = itertools.count()
        self._ticked = float("-inf")
        self.played = Played()

    def play(self, book: Calls, tick: Callable[[int], None] = lambda _: None) -> Played:
        """Play all calls; `tick` is called now and then with how many there were."""
        lessons = book.lessons()
        lesson, last = next(lessons, None), 0.0
        for count, (record, direction) in enumerate(book.calls()):
            now = record.start
            while lesson is not None and lesson.at <= now:
                self._learn(lesson)
                lesson = next(lessons, None)
            self._end_until(now)
            if now - self._ticked >= TICK_SECONDS:
                self._tick(now)
            self.played.directions[direction] += 1
            if direction is Direction.INBOUND:
                self._begin(record)
            else:
                self._dialled(record, outside=direction is Direction.OUTBOUND)
            if not count & 1023:
                tick(count)
            last = now
        self._end_until(float("inf"))
        self._tick(last)
        return self.played

    def _learn(self, lesson: Lesson) -> None:
        # What a treatment showed comes before the end of its call, also where both have one time.
        self._end_until(math.nextafter(lesson.at, 0.0))
        if lesson.outcome is not None:
            for side, call in zip(self._sides, self._by_id.get(lesson.uniqueid, ()), strict=False):
                side.memory.learn(call, lesson.outcome, side.policy, lesson.at)
            return
        for side in self._sides:
            if lesson.wanted is None:
                side.memory.dialled(lesson.number, side.policy, lesson.at)
            else:
                side.memory.mark(lesson.number, lesson.wanted, side.policy, lesson.at)

    def _tick(self, now: float) -> None:
        """Have memory end what ends by itself, as the daemon does now and then."""
        self._ticked = now
        for position, side in enumerate(self._sides):
            side.memory.tick(side.policy, now)
            notices = side.memory.take_notices()
            if position == 0:
                self.played.notices += notices[: NOTICES - len(self.played.notices)]

    def _begin(self, record: CallRecord) -> None:
        calls, verdicts = [], []
        number = next(self._numbers)
        for side in self._sides:
            call = side.facts.call(record, str(number))
            calls.append(call)
            verdicts.append(judge(side.memory, call, side.policy, record.start))
        self._listen(record, calls, verdicts)
        going = _Going(record=record, calls=calls, verdicts=verdicts)
        heapq.heappush(self._going, (record.ended, number, going))
        self._by_id[record.uniqueid] = calls

    def _end_until(self, now: float) -> None:
        while self._going and self._going[0][0] <= now:
            at, _, one = heapq.heappop(self._going)
            record = one.record
            self._by_id.pop(record.uniqueid, None)
            for side, call, verdict in zip(self._sides, one.calls, one.verdicts, strict=True):
                talked = 0.0 if verdict.treatment in SHUT else record.talked
                ending = Ending(talked=talked, seconds=record.ended - record.start, busy=bool(record.busy))
                side.memory.ended(call, ending, side.policy, at)

    def _dialled(self, record: CallRecord, *, outside: bool) -> None:
        """One of ours called. An emergency number is as short as an extension."""
        for side in self._sides:
            policy, now = side.policy, record.start
            number = side.facts.dialled(record, self._prefix) if outside else None
            if number is not None and not policy.owns(number):
                side.memory.dialled(number, policy, now)
            minutes = policy.settings.windows.emergency_minutes
            if minutes and side.facts.is_emergency(record, self._prefix):
                side.memory.open_window(Window(kind=WindowKind.EMERGENCY, until=now + 60 * minutes))
