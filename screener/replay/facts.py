"""From a record to the facts of a call, as fast as a month of them asks for."""

import functools
import re
from dataclasses import dataclass
from typing import Final

import phonenumbers

from screener.policy.call import Attestation, Call, called_number
from screener.policy.caller import Caller, CallerKind, e164, identify
from screener.policy.text import printable
from screener.replay.record import CallRecord

CACHED: Final = 65_536
"""Numbers and names that are kept at hand in their normal form: to read a number takes as long as to judge it."""
NAME_LIMIT: Final = 80
"""Characters kept of a caller's name."""
EMERGENCY_DIGITS: Final = 6
"""Digits of the longest emergency number; for the library's own answer to most called numbers there is no time."""

_NOT_DIALLED: Final = re.compile(r"[^0-9A-Za-z+*#]")
_LEVELS: Final = {str(level): level for level in Attestation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Reads records by the numbering plan of a region (ISO 3166, two letters)."""

    region: str

    def call(self, record: CallRecord, call_id: str) -> Call:
        """Return the call that a record tells of. `call_id` is no other call's, which a record's own id may be."""
        if record.caller:
            caller = Caller(kind=CallerKind.WITHHELD, key=record.caller, personal=True, raw="")
        else:
            caller = _caller(record.src, self.region)
        return Call(
            id=call_id,
            caller=caller,
            did=_did(record.called, self.region),
            # Who hides the number does not want to be named either, and a PBX writes "Anonymous" for it.
            name="" if caller.kind is CallerKind.WITHHELD else _name(record.name),
            trunk=_name(record.endpoint),
            attestation=_LEVELS.get(record.attestation, Attestation.NONE),
        )

    def dialled(self, record: CallRecord, prefix: str = "") -> str | None:
        """Return the number in E.164 that one of ours called; `prefix` is what the outbound route takes off."""
        return e164(record.dst.removeprefix(prefix), self.region)

    def is_emergency(self, record: CallRecord, prefix: str = "") -> bool:
        """Return whether one of ours called an emergency number, which a route may send without the prefix."""
        written = (record.dst, record.dst.removeprefix(prefix))
        return any(
            len(digits) <= EMERGENCY_DIGITS and phonenumbers.is_emergency_number(digits, self.region)
            for digits in written
        )


@functools.lru_cache(CACHED)
def _caller(src: str, region: str) -> Caller:
    return identify(src, prohibited=False, region=region, pepper=b"")


@functools.lru_cache(CACHED)
def _did(called: str, region: str) -> str:
    return called_number(_NOT_DIALLED.sub("", called)[:NAME_LIMIT], region)


@functools.lru_cache(CACHED)
def _name(text: str) -> str:
    return text[:NAME_LIMIT] if text.isascii() and text.isprintable() else printable(text, NAME_LIMIT)
