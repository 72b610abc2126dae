"""What a policy would have done, counted."""

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from screener.policy.call import Call
from screener.policy.text import printable
from screener.policy.verdict import Treatment, Verdict
from screener.replay.campaigns import Campaigns
from screener.replay.player import SHUT
from screener.replay.record import CallRecord, Label
from screener.replay.times import LocalTimes

LONG_SECONDS: Final = 60.0
"""From so many seconds of conversation on a call was wanted, most likely."""
LISTED: Final = 100
"""Calls of a list that are told of."""
COUNTED_DIDS: Final = 5_000
"""Called numbers that are counted one by one; further ones are counted together."""
OTHERS: Final = "others"
FIELD: Final = 80
"""Characters of a record's text that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A call that an administrator should look at."""

    start: str
    """As the record has it."""
    caller: str
    name: str
    did: str
    talked: float
    """Seconds."""
    treatment: Treatment
    score: float
    why: str


@dataclass(slots=True)
class Scores:
    """How well a policy told spam from wanted calls, by labels."""

    wanted: Counter[Treatment] = field(default_factory=Counter)
    spam: Counter[Treatment] = field(default_factory=Counter)

    @property
    def true_positives(self) -> int:
        """Spam that did not pass."""
        return self.spam.total() - self.spam[Treatment.PASS]

    @property
    def false_positives(self) -> int:
        """Wanted calls that did not pass."""
        return self.wanted.total() - self.wanted[Treatment.PASS]

    @property
    def shut_out(self) -> int:
        """Wanted calls that were left without a way through."""
        return sum(self.wanted[treatment] for treatment in SHUT)

    @property
    def precision(self) -> float | None:
        """Of the labelled calls that did not pass, the share that is spam; None if there are none."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Of the spam, the share that did not pass; None if there is none."""
        return _share(self.true_positives, self.spam.total())

    @property
    def false_alarms_per_1000(self) -> float | None:
        """Of 1,000 wanted calls, how many did not pass; None if there are none."""
        share = _share(self.false_positives, self.wanted.total())
        return None if share is None else 1000 * share


class Tally:
    """Counts the verdicts of one policy."""

    def __init__(self, times: LocalTimes, *, long_seconds: float = LONG_SECONDS) -> None:
        self._times = times
        self._long_seconds = long_seconds
        self._order = itertools.count()
        self._long: list[tuple[float, int, Listed]] = []
        self.calls = 0
        self.treatments: Counter[Treatment] = Counter()
        self.reasons: Counter[str] = Counter()
        self.shadowed: Counter[str] = Counter()
        """Reasons of rules in shadow mode: they added nothing."""
        self.dids: defaultdict[str, Counter[Treatment]] = defaultdict(Counter)
        self.hours: defaultdict[int, Counter[Treatment]] = defaultdict(Counter)
        self.days: defaultdict[str, Counter[Treatment]] = defaultdict(Counter)
        self.labels = Scores()
        self.unlabelled = 0
        self.long_calls = 0
        """Calls with a long conversation."""
        self.long_stopped = 0
        """Of these, the calls that would not have passed."""
        self.shut: list[Listed] = []
        """The first calls that would have met no person."""
        self.campaigns = Campaigns()

    def add(self, record: CallRecord, call: Call, verdict: Verdict) -> None:
        """Count a call."""
        treatment = verdict.treatment
        self.calls += 1
        self.treatments[treatment] += 1
        for reason in verdict.reasons:
            (self.shadowed if reason.shadow else self.reasons)[reason.code] += 1
        did = call.did if call.did in self.dids or len(self.dids) < COUNTED_DIDS else OTHERS
        self.dids[did][treatment] += 1
        day, hour = self._times.day_and_hour(record.start)
        self.hours[hour][treatment] += 1
        self.days[day][treatment] += 1
        self._label(record.label, treatment)
        is_long = record.talked >= self._long_seconds
        self.long_calls += is_long
        if treatment is Treatment.PASS:
            return
        self.campaigns.add(call, verdict, record.start)
        if is_long:
            self.long_stopped += 1
            entry = (record.talked, next(self._order), listed(record, call, verdict))
            (heapq.heappush if len(self._long) < LISTED else heapq.heappushpop)(self._long, entry)
        if treatment in SHUT and len(self.shut) < LISTED:
            self.shut.append(listed(record, call, verdict))

    def _label(self, label: str, treatment: Treatment) -> None:
        if label == Label.WANTED.value:
            self.labels.wanted[treatment] += 1
        elif label == Label.SPAM.value:
            self.labels.spam[treatment] += 1
        else:
            self.unlabelled += 1

    @property
    def likely_false_alarms(self) -> list[Listed]:
        """The calls with the longest conversations that would not have passed, the longest first."""
        return [one for _, _, one in sorted(self._long, reverse=True, key=lambda entry: entry[:2])]

    @property
    def is_labelled(self) -> bool:
        """Whether any call had a label."""
        return self.unlabelled < self.calls

    def summary(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        scores = self.labels
        return {
            "calls": self.calls,
            "treatments": by_treatment(self.treatments),
            "reasons": dict(self.reasons.most_common()),
            "reasons_in_shadow": dict(self.shadowed.most_common()),
            "labels": {"wanted": by_treatment(scores.wanted), "spam": by_treatment(scores.spam)},
            "unlabelled": self.unlabelled,
            "scores": {
                "true_positives": scores.true_positives,
                "false_negatives": scores.spam[Treatment.PASS],
                "false_positives": scores.false_positives,
                "true_negatives": scores.wanted[Treatment.PASS],
                "precision": scores.precision,
                "recall": scores.recall,
                "false_alarms_per_1000": scores.false_alarms_per_1000,
                "wanted_shut_out": scores.shut_out,
            },
            "dids": {did: by_treatment(counts) for did, counts in self.dids.items()},
            "hours": {f"{hour:02}": by_treatment(self.hours[hour]) for hour in sorted(self.hours)},
            "days": {day: by_treatment(self.days[day]) for day in sorted(self.days)},
            "long_calls": {
                "seconds": self._long_seconds,
                "calls": self.long_calls,
                "not_passed": self.long_stopped,
                "listed": [_plain(one) for one in self.likely_false_alarms],
            },
            "shut_out": [_plain(one) for one in self.shut],
            "campaigns": [
                {
                    "kind": one.kind, "what": one.what, "calls": one.calls, "numbers": one.numbers, "dids": one.dids,
                    "first": self._times.text(one.first), "last": self._times.text(one.last),
                }
                for one in self.campaigns.found()
            ],
        }  # fmt: skip


@dataclass(slots=True)
class Differences:
    """Calls that two policies treat differently."""

    count: int = 0
    moves: Counter[tuple[Treatment, Treatment]] = field(default_factory=Counter)
    listed: list[tuple[Listed, Listed]] = field(default_factory=list)
    """The first of them, with what each policy makes of it."""

    def add(self, record: CallRecord, calls: tuple[Call, Call], verdicts: tuple[Verdict, Verdict]) -> None:
        """Compare what was made of a call."""
        one, other = verdicts
        if one.treatment is other.treatment:
            return
        self.count += 1
        self.moves[one.treatment, other.treatment] += 1
        if len(self.listed) < LISTED:
            self.listed.append((listed(record, calls[0], one), listed(record, calls[1], other)))

    def summary(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        moves = [{"from": str(a), "to": str(b), "calls": count} for (a, b), count in self.moves.most_common()]
        listed_ = [{**_plain(one), "other_treatment": str(o.treatment), "other_why": o.why} for one, o in self.listed]
        return {"calls": self.count, "moves": moves, "listed": listed_}


def listed(record: CallRecord, call: Call, verdict: Verdict) -> Listed:
    """Return a call as a line of a list; whatever a stranger wrote is printable there."""
    return Listed(
        start=printable(record.written, FIELD),
        caller=call.caller.label,
        name=call.name,
        did=call.did,
        talked=record.talked,
        treatment=verdict.treatment,
        score=verdict.score,
        why="; ".join(dict.fromkeys([verdict.decided_by, *(reason.text for reason in verdict.reasons)])),
    )


def by_treatment(counts: Mapping[Treatment, int]) -> dict[str, int]:
    """Return the counts of all treatments, also of those that did not occur."""
    return {str(treatment): counts.get(treatment, 0) for treatment in Treatment}


def _plain(one: Listed) -> dict[str, Any]:
    return {
        "start": one.start, "caller": one.caller, "name": one.name, "did": one.did, "talked": one.talked,
        "treatment": str(one.treatment), "score": one.score, "why": one.why,
    }  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
