"""Plays traffic to a screen and counts what happens to it.

People who are asked for a key press it, go through and are remembered; robots do not. What the screen is told, it is
told when it would know it: that a call was answered and how long it lasted, when it is over.
"""

import heapq
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from screener.policy.call import Call, called_number
from screener.policy.caller import e164, identify
from screener.policy.remembered import Ending, Outcome, Result
from screener.policy.verdict import CHALLENGES, Reason, Treatment
from tests.traffic.generate import knowable
from tests.traffic.records import BESIDE, WANTED, Kind, Label, Record
from tests.traffic.screens import Screen

PEPPER = b"the traffic's own"
REFUSALS = frozenset({Treatment.REJECT, Treatment.TARPIT, Treatment.BUSY})
KEY_SECONDS, SILENT_SECONDS = 9.0, 18.0
"""Seconds until somebody has pressed the key, and until a caller who presses none is given up."""


@dataclass(slots=True)
class Count:
    """What happened to one class of calls."""

    calls: int = 0
    """All of them that count: spam from where a person could know it."""
    stopped: int = 0
    """Challenged or worse."""
    refused: int = 0
    """Rejected, busy or left to wait for ever."""
    again: int = 0
    """Challenged although the caller, with no better proof of the number, was let through or talked for a minute
    before."""

    def add(self, other: "Count") -> None:
        """Count another's calls too."""
        self.calls += other.calls
        self.stopped += other.stopped
        self.refused += other.refused
        self.again += other.again

    @property
    def share(self) -> float:
        """Share of calls challenged or worse; 0 if there were none."""
        return self.stopped / self.calls if self.calls else 0.0

    def wilson(self) -> tuple[float, float]:
        """Return the interval (Wilson, 95 %) in which the true share lies."""
        if not self.calls:
            return 0.0, 1.0
        z, n, p = 1.96, self.calls, self.share
        middle, wide = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max((middle - wide) / (1 + z * z / n), 0.0), min((middle + wide) / (1 + z * z / n), 1.0)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A wanted call that was stopped, or a spam call that was not."""

    record: Record
    treatment: Treatment
    reasons: Sequence[Reason]

    @property
    def codes(self) -> str:
        """The reasons that added to the score, in one word each."""
        return "+".join(sorted(reason.code for reason in self.reasons if reason.points > 0)) or "nothing"


@dataclass(slots=True)
class Tally:
    """What a screen did with all calls of some traffic."""

    kinds: dict[Kind, Count] = field(default_factory=dict)
    false: list[Alarm] = field(default_factory=list)
    """Wanted calls that were stopped."""
    missed: list[Alarm] = field(default_factory=list)
    """Spam that passed although a person could have known."""

    def of(self, kind: Kind) -> Count:
        """Return the count of a class."""
        return self.kinds.setdefault(kind, Count())

    def wanted(self) -> Count:
        """Return the count of all wanted classes that the goals name."""
        return self._sum([kind for kind in WANTED if kind not in BESIDE])

    def spam(self) -> Count:
        """Return the count of all spam."""
        return self._sum([kind for kind in self.kinds if kind not in WANTED])

    def _sum(self, kinds: Sequence[Kind]) -> Count:
        total = Count()
        for kind in kinds:
            total.add(self.of(kind))
        return total

    def add(self, other: "Tally") -> None:
        """Count another's calls too."""
        for kind, count in other.kinds.items():
            self.of(kind).add(count)
        self.false += other.false
        self.missed += other.missed

    def reasons(self, kind: Kind | None = None) -> Counter[str]:
        """Return how many wanted calls were stopped for which reasons."""
        return Counter(one.codes for one in self.false if kind in (None, one.record.kind))


@dataclass(frozen=True, slots=True)
class Played:
    """Traffic that is ready to be judged: its calls are read once for all screens."""

    records: list[Record]
    calls: list[Call]
    known: list[bool]

    def spammers(self) -> Iterator[str]:
        """Yield what a blacklist would hold of the spam: numbers, or what stands in their place."""
        for record, call in zip(self.records, self.calls, strict=True):
            if record.label is Label.SPAM and record.number:
                yield call.caller.key if call.caller.personal else call.caller.raw


def read(records: list[Record], region: str) -> Played:
    """Read the calls as the shell would."""
    calls = [
        Call(
            id=f"{one.start:.0f}.{position}",
            caller=identify(one.number, prohibited=not one.number, region=region, pepper=PEPPER),
            did=called_number(one.did, region),
            name=one.name,
            trunk=one.trunk,
            attestation=one.attestation,
            signer=one.signer,
            identity=f"{position:x}" if one.signer else "",
        )
        for position, one in enumerate(records)
    ]
    return Played(records, calls, knowable(records))


def play(played: Played, screen: Screen, region: str) -> Tally:
    """Let the screen judge all calls in the order of time."""
    tally, game = Tally(), _Game(screen)
    for record, call, known in zip(played.records, played.calls, played.known, strict=True):
        game.until(record.start)
        if record.label is Label.OUTBOUND:
            number = e164(record.number, region)
            if number:
                screen.dialled(number, record.start)
            continue
        treatment, reasons = screen.judge(call, record.start)
        again = game.met_before(record, call)
        game.follow(record, call, treatment)
        if known:
            stopped = treatment is not Treatment.PASS
            _count(tally.of(record.kind), stopped, treatment, again)
            if stopped and record.label is Label.WANTED:
                tally.false.append(Alarm(record, treatment, reasons))
            elif not stopped and record.label is Label.SPAM:
                tally.missed.append(Alarm(record, treatment, reasons))
    return tally


def _count(count: Count, stopped: bool, treatment: Treatment, again: bool) -> None:
    count.calls += 1
    count.stopped += stopped
    count.refused += treatment in REFUSALS
    count.again += stopped and again


class _Game:
    """What goes on beside the judging: calls that last, keys that are pressed, and who was let through."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._due: list[tuple[float, int, Call, Outcome | Ending, int]] = []
        self._number = 0
        self._met: dict[str, int] = {}

    def until(self, now: float) -> None:
        """Tell the screen what has happened by now."""
        while self._due and self._due[0][0] <= now:
            at, _, call, what, rank = heapq.heappop(self._due)
            if isinstance(what, Outcome):
                self._screen.learn(call, what, at)
            else:
                self._screen.ended(call, what, at)
            if rank >= 0 and call.caller.personal:
                key = call.caller.key
                self._met[key] = min(self._met.get(key, rank), rank)

    def met_before(self, record: Record, call: Call) -> bool:
        """Say whether this wanted caller was let through or talked for a minute, proving the number no better than
        now."""
        return record.label is Label.WANTED and self._met.get(call.caller.key, 9) <= max(call.attestation.rank, 0)

    def follow(self, record: Record, call: Call, treatment: Treatment) -> None:
        """Let happen what happens to a call that is treated so."""
        rank = max(record.attestation.rank, 0)
        result = _result(record, treatment)
        start, ends = record.start, record.start + record.duration
        whole = Ending(talked=record.talked, seconds=record.duration, busy=record.busy)
        if result is None:
            self._later(ends, call, whole, rank if record.talked >= 60 else -1)
        elif result in (Result.PASSED, Result.ACCEPTED):
            self._later(start + KEY_SECONDS, call, Outcome(treatment=treatment, result=result, tries=1), rank)
            self._later(ends + KEY_SECONDS, call, whole, rank)
        else:
            tries = 2 if treatment in CHALLENGES else 0
            self._later(start + SILENT_SECONDS, call, Outcome(treatment=treatment, result=result, tries=tries), -1)
            self._later(start + SILENT_SECONDS + 1, call, Ending(seconds=SILENT_SECONDS), -1)

    def _later(self, at: float, call: Call, what: Outcome | Ending, rank: int) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._number, call, what, rank))


def _result(record: Record, treatment: Treatment) -> Result | None:
    """Return what a treatment shows of this caller; None if the call goes through untouched."""
    chance = zlib.crc32(f"{record.start} {record.number}".encode()) % 100
    if treatment is Treatment.PASS:
        return None
    if treatment in REFUSALS:
        return Result.REJECTED if treatment is Treatment.REJECT else Result.ABANDONED
    if treatment is Treatment.VOICEMAIL:
        speaks = record.label is Label.WANTED or record.talked > 10
        return Result.RECORDED if speaks and chance < 70 else Result.ABANDONED
    if treatment is Treatment.ANNOUNCE:
        return Result.ACCEPTED if record.label is Label.WANTED else Result.DECLINED
    if record.presses:
        return Result.PASSED
    if record.kind in (Kind.SCHOOL, Kind.RESULT) or record.talked > 6:
        return Result.TALKING
    return Result.SILENT if chance < 60 else Result.ABANDONED
