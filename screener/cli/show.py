"""What the commands print. A stranger's text comes printable out of the journal, and is never read as markup here."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from screener.asterisk.release import Released
from screener.memory.reader import Recorded
from screener.memory.rows import Told
from screener.policy.call import Call
from screener.policy.phrase import duration, plural
from screener.policy.remembered import Remembered, TrustKind
from screener.policy.text import printable
from screener.policy.verdict import Mode, Treatment, Verdict

EARNED = {
    TrustKind.PASSED: "passed a challenge",
    TrustKind.TALKED: "talked with one of our people",
    TrustKind.DIALLED: "one of our people called the number",
    TrustKind.HAND: "marked as fine by hand",
}

COLOURS = {
    Treatment.PASS: "green",
    Treatment.ANNOUNCE: "yellow",
    Treatment.MENU: "yellow",
    Treatment.CAPTCHA: "yellow",
    Treatment.VOICEMAIL: "magenta",
    Treatment.BUSY: "magenta",
    Treatment.TARPIT: "red",
    Treatment.REJECT: "red",
}


def call(recorded: Recorded, *, as_json: bool) -> None:
    """Print one call of the journal."""
    if as_json:
        _json(dataclasses.asdict(recorded))
        return
    verdict = recorded.verdict
    line = Text.assemble(
        (time_of(recorded.at), "dim"),
        "  ",
        (f"{recorded.call.caller.label:<16}", "bold"),
        f" to {recorded.call.did:<14} ",
        (f"{verdict.treatment:<9}", COLOURS[verdict.treatment]),
    )
    if verdict.mode is Mode.SHADOW:
        line.append(" (shadow: passed)", "dim")
    line.append(f" {verdict.decided_by}")
    for outcome_ in recorded.outcomes:
        line.append(f"; {outcome_.treatment} {outcome_.result}", "cyan")
    if recorded.seconds is not None:
        line.append(f"; {recorded.cause_text or 'ended'} after {recorded.seconds:.0f} s", "dim")
    if recorded.talked:
        line.append(f", {recorded.talked:.0f} of them in conversation", "green")
    elif recorded.busy:
        line.append("; found us busy", "yellow")
    _print(line)
    for reason in verdict.reasons:
        if reason.text != verdict.decided_by:
            counts = "" if not reason.shadow else " (in shadow, not counted)"
            _print(Text(f"{'':21}{reason.points:+g}  {reason.text}{counts}", "dim"))


def outcome(told: Told, *, as_json: bool) -> None:
    """Print what a treatment showed."""
    if as_json:
        _json({"at": told.at, "call": told.call.id, "outcome": dataclasses.asdict(told.outcome)})
        return
    _print(
        Text.assemble(
            (time_of(told.at), "dim"),
            "  ",
            (f"{told.call.caller.label:<16}", "bold"),
            (f" {told.outcome.treatment} {told.outcome.result}", "cyan"),
        )
    )


def verdict(call: Call, judged: Verdict, remembered: Remembered, *, now: float, known: int, as_json: bool) -> None:
    """Print what would happen to a call, and what is remembered of its caller at `now` (seconds since the epoch)."""
    if as_json:
        past = dataclasses.asdict(remembered) | {"relaxed": sorted(remembered.relaxed)}
        told = dataclasses.asdict(judged) | {"acted": judged.acted}
        _json({"call": dataclasses.asdict(call), "verdict": told, "remembered": past})
        return
    acted = "" if judged.mode is Mode.LIVE else " (shadow mode: the call would pass)"
    _print(
        Text.assemble(
            f"A call from {call.caller.label} to {call.did}: ",
            (str(judged.treatment), f"bold {COLOURS[judged.treatment]}"),
            acted,
        )
    )
    _print(Text(f"  because {judged.decided_by}"))
    for reason in judged.reasons:
        aside = " (in shadow: not counted)" if reason.shadow else ""
        _print(Text(f"  {reason.points:+5g}  {reason.code:<16} {reason.text}{aside}"))
    for line in past_of(remembered, now):
        _print(Text(f"  {line}", "dim"))
    _print(
        Text(f"  score {judged.score:g}; the journal knows {plural(known, 'call')} and outcomes of this caller", "dim")
    )


def past_of(remembered: Remembered, now: float) -> Iterator[str]:
    """Say what is remembered of a caller: its trust, each kind with its end, its failures, its history."""
    for trust in (one for one in remembered.trust if one.until > now):
        how = EARNED[trust.kind]
        needs = "" if trust.earned_with.rank <= 0 else f", for calls signed {trust.earned_with} or better"
        yield f"trust: {how}; ends {time_of(trust.until)}, in {duration(trust.until - now)}{needs}"
    if remembered.failures is not None:
        failed = remembered.failures
        yield f"failed {plural(failed.count, 'challenge')}, the last {duration(now - failed.last_at)} ago"
    past = remembered.history
    if past.calls:
        yield f"of about {plural(round(past.calls), 'call')} that have not faded, {past.talked:.0f} were conversations"
    if remembered.unwanted_until is not None and remembered.unwanted_until > now:
        yield f"blocked by the people at this number until {time_of(remembered.unwanted_until)}"
    if remembered.first_at is not None:
        yield f"first seen {time_of(remembered.first_at)}"


def released(one: Released) -> None:
    """Print what became of a call that was held."""
    became = {204: "sent on", 404: "was gone", 409: "had moved on"}.get(
        one.status, f"failed ({one.status or 'no answer'})"
    )
    _print(Text(f"{printable(one.channel, 80)}  {printable(one.caller, 40):<16} {became}"))


def time_of(at: float) -> str:
    """Return a moment (seconds since the epoch) in local time."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print(line: Text) -> None:
    # Long reasons wrap in a terminal, and stay on one line in a pipe.
    Console(highlight=False, soft_wrap=True).print(line)


def _json(value: dict[str, Any]) -> None:
    print(json.dumps(value))  # ASCII only: what a stranger sent cannot reach the terminal as it came
