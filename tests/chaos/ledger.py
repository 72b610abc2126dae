"""What became of every call, by the PBX's own records: CEL for the way, CDR for the verdict."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.lab.pbx import Pbx

FAULT_REASONS = frozenset({"unscreened", "lease", "released", "late", "overloaded", "error"})
"""Reasons of calls that were let through because something of ours failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call as its caller made it."""

    caller: str
    did: str
    """Each call dials a number of its own: by it the PBX's records are found."""
    due: str
    """The treatment that the policy has for it."""
    free: int = 0
    """How many calls of this caller pass before that."""


@dataclass(slots=True, kw_only=True)
class Truth:
    """A call as the PBX saw it. Times are seconds since the epoch."""

    events: list[str] = field(default_factory=list)
    stasis_began: float | None = None
    stasis_ended: float | None = None
    answered: bool = False
    """Whether its destination answered."""
    verdict: Mapping[str, str] = field(default_factory=dict)
    """CDR(userfield): scr, r, s, m, p, o, t."""

    @property
    def reasons(self) -> set[str]:
        """The codes of the verdict's reasons."""
        return set(self.verdict.get("r", "").split("+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The ledger of one run."""

    placed: int
    answered: int
    as_policy: int
    """Calls that were treated as the policy says."""
    let_through: int
    """Calls that went through because something of ours was broken."""
    lost: Sequence[str]
    """What was lost or misjudged, a sentence for each."""
    forgotten: int
    """Calls that passed although their caller had used up its free ones: what a crash makes us forget."""
    longest_held: float
    """Seconds that a call was in Stasis at the most."""


def truths(pbx: Pbx) -> Mapping[str, Truth]:
    """Read the PBX's records of calls that came in by the trunk, by what they dialled."""
    by_channel: dict[str, Truth] = {}
    by_did: dict[str, Truth] = {}
    for event, time, _, exten, _, channel, application, unique, *_ in _rows(pbx.cel):
        if not channel.startswith("PJSIP/trunk-"):
            continue
        if event == "CHAN_START":
            by_did[exten] = by_channel[unique] = Truth()
        truth = by_channel.get(unique)
        if truth is None:
            continue
        truth.events.append(event)
        if application.startswith("Stasis") and event == "APP_START":
            truth.stasis_began = _seconds(time)
        if application.startswith("Stasis") and event == "APP_END":
            truth.stasis_ended = _seconds(time)
    for row in _rows(pbx.cdr):
        known = by_channel.get(row[16])
        if known is not None:
            known.verdict = dict(part.partition("=")[::2] for part in row[17].split(";") if "=" in part)
            known.answered = known.answered or (row[14] == "ANSWERED" and row[7] == "Dial")
    return by_did


def balance(placed: Iterable[Placed], found: Mapping[str, Truth]) -> Balance:
    """Hold what callers did against what the PBX saw."""
    counts: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    lost, longest = [], 0.0
    for call in placed:
        counts["placed"] += 1
        truth = found.get(call.did)
        wrong = "the PBX never saw it" if truth is None else _wrong(call, truth)
        if wrong:
            lost.append(f"{call.caller} to {call.did}: {wrong}")
        if truth is None:
            continue
        counts["answered"] += truth.answered
        broken = bool(truth.reasons & FAULT_REASONS)
        counts["let_through"] += broken
        if truth.stasis_began is not None and truth.stasis_ended is not None:
            longest = max(longest, truth.stasis_ended - truth.stasis_began)
        if broken:
            continue
        treated = truth.verdict.get("scr", "")
        if call.free and treated == "pass":
            passed[call.caller] += 1
            counts["forgotten"] += passed[call.caller] > call.free
        counts["as_policy"] += treated == call.due or 0 < passed[call.caller] <= call.free
    return Balance(
        placed=counts["placed"], answered=counts["answered"], as_policy=counts["as_policy"],
        let_through=counts["let_through"], lost=lost, forgotten=counts["forgotten"], longest_held=longest,
    )  # fmt: skip


def _wrong(call: Placed, truth: Truth) -> str:
    """Say what is wrong about a call's way, if anything."""
    ends = truth.events.count("HANGUP")
    if ends != 1:
        return f"it ended {ends} times"
    if truth.stasis_began is not None and truth.stasis_ended is None:
        return "it never left Stasis"
    treated = truth.verdict.get("scr", "nothing")
    if treated == "pass" and not truth.answered:
        return "it should have rung and nobody answered"
    if treated != call.due and not (call.free and treated == "pass") and not truth.reasons & FAULT_REASONS:
        return f"it was treated by {treated}, not {call.due} ({truth.verdict})"
    return ""


def _rows(path: Path) -> Iterable[list[str]]:
    """Read a file of records; Asterisk makes it when the first call has ended."""
    if path.exists():
        with path.open(newline="", errors="replace") as file:
            yield from csv.reader(file)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
