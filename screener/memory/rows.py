"""Rows of the journal as values."""

import json
import sqlite3
from dataclasses import dataclass

from screener.policy.call import Attestation, Call
from screener.policy.caller import Caller, CallerKind
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Mode, Reason, Treatment, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a treatment showed of a call."""

    call: Call
    outcome: Outcome
    at: float
    """Seconds since the epoch."""


def read_call(row: sqlite3.Row) -> Call:
    """Return the call of a row of `calls`."""
    caller = Caller(kind=CallerKind(row["kind"]), key=row["caller"], personal=bool(row["personal"]), raw=row["raw"])
    return Call(
        id=row["id"],
        caller=caller,
        did=row["did"],
        name=row["name"],
        trunk=row["trunk"],
        attestation=Attestation(row["attestation"]),
        language=row["language"],
        diversion=row["diversion"],
        signer=row["signer"],
        identity=row["identity"],
    )


def read_verdict(row: sqlite3.Row) -> Verdict:
    """Return the verdict of a row of `calls`."""
    return Verdict(
        treatment=Treatment(row["treatment"]),
        mode=Mode(row["mode"]),
        score=row["score"],
        decided_by=row["decided_by"],
        reasons=tuple(
            Reason(code=code, points=points, text=text, shadow=bool(shadow))
            for code, points, text, *shadow in json.loads(row["reasons"])
        ),
    )


def read_outcome(treatment: str, row: sqlite3.Row) -> Outcome:
    """Return the outcome of a row of `outcomes`."""
    return Outcome(treatment=Treatment(treatment), result=Result(row["result"]), tries=row["tries"])


def read_told(row: sqlite3.Row) -> Told:
    """Return the outcome of a row of `outcomes` and `calls` together, its columns named with `o_`."""
    return Told(call=read_call(row), outcome=read_outcome(row["o_treatment"], row), at=row["o_at"])
