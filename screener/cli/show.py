"""What the commands print. A stranger's text comes printable out of the journal, and is never read as markup here."""

import dataclasses
import json
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from screener.asterisk.release import Released
from screener.memory.reader import Recorded, Told
from screener.policy.call import Call
from screener.policy.phrase import plural
from screener.policy.text import printable
from screener.policy.verdict import Mode, Treatment, Verdict

COLOURS = {
    Treatment.PASS: "green",
    Treatment.MENU: "yellow",
    Treatment.CAPTCHA: "yellow",
    Treatment.VOICEMAIL: "magenta",
    Treatment.REJECT: "red",
}


def call(recorded: Recorded, *, as_json: bool) -> None:
    """Print one call of the journal."""
    if as_json:
        _json(dataclasses.asdict(recorded))
        return
    verdict = recorded.verdict
    line = Text.assemble(
        (_time(recorded.at), "dim"),
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
    _print(line)
    for reason in verdict.reasons:
        if reason.text != verdict.decided_by:
            _print(Text(f"{'':21}{reason.points:+g}  {reason.text}", "dim"))


def outcome(told: Told, *, as_json: bool) -> None:
    """Print what a treatment showed."""
    if as_json:
        _json({"at": told.at, "call": told.call.id, "outcome": dataclasses.asdict(told.outcome)})
        return
    _print(
        Text.assemble(
            (_time(told.at), "dim"),
            "  ",
            (f"{told.call.caller.label:<16}", "bold"),
            (f" {told.outcome.treatment} {told.outcome.result}", "cyan"),
        )
    )


def verdict(call: Call, judged: Verdict, *, known: int, as_json: bool) -> None:
    """Print what would happen to a call."""
    if as_json:
        _json({"call": dataclasses.asdict(call), "verdict": dataclasses.asdict(judged) | {"acted": judged.acted}})
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
        _print(Text(f"  {reason.points:+5g}  {reason.code:<16} {reason.text}"))
    _print(
        Text(f"  score {judged.score:g}; the journal knows {plural(known, 'call')} and outcomes of this caller", "dim")
    )


def released(one: Released) -> None:
    """Print what became of a call that was held."""
    became = {204: "sent on", 404: "was gone", 409: "had moved on"}.get(
        one.status, f"failed ({one.status or 'no answer'})"
    )
    _print(Text(f"{printable(one.channel, 80)}  {printable(one.caller, 40):<16} {became}"))


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print(line: Text) -> None:
    # Long reasons wrap in a terminal, and stay on one line in a pipe.
    Console(highlight=False, soft_wrap=True).print(line)


def _json(value: dict[str, Any]) -> None:
    print(json.dumps(value))  # ASCII only: what a stranger sent cannot reach the terminal as it came
