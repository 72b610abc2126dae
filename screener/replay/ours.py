"""A call of our own journal as a record like any other."""

from screener.memory.reader import Recorded
from screener.policy.caller import CallerKind
from screener.replay.record import CallRecord
from screener.replay.times import LocalTimes


def record_of(one: Recorded, times: LocalTimes) -> CallRecord:
    """Return the record of a call that the journal tells of."""
    call = one.call
    hidden = call.caller.kind is CallerKind.WITHHELD and call.caller.personal
    return CallRecord(
        one.at,
        times.text(one.at),
        one.at if one.ended_at is None else max(one.ended_at, one.at),
        one.talked,
        one.busy,
        call.caller.raw,
        call.did,
        "",
        call.name,
        "",
        call.trunk,
        call.id,
        "",
        str(call.attestation),
        "",
        call.caller.key if hidden else "",
    )
