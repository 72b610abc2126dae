"""Channel events in a file (cel_custom), put together to calls.

The call is the channel that began it, the one whose unique id is the linked id; it is over when Asterisk says so
(LINKEDID_END), or when the file ends.
"""

import csv
import io
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from screener.policy.call import Attestation
from screener.replay.cdr import separator, split
from screener.replay.faults import Faults, UnreadableError
from screener.replay.lines import Lines
from screener.replay.record import LONGEST_CALL, CallRecord, attestation_in, endpoint_of
from screener.replay.times import LocalTimes

EVENTS: Final = frozenset({
    "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "APP_START", "APP_END", "BRIDGE_ENTER", "BRIDGE_EXIT", "PARK_START",
    "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "FORWARD", "LINKEDID_END", "USER_DEFINED",
    "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN", "STREAM_BEGIN", "STREAM_END", "DTMF",
})  # fmt: skip
OPEN: Final = 100_000
"""Calls in progress that are kept; the oldest is closed beyond it."""
SAMPLE: Final = (
    "eventtype", "eventtime", "name", "num", "ani", "rdnis", "dnid", "exten", "context", "channame", "appname",
    "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype", "eventextra",
)  # fmt: skip
"""The order of cel_custom.conf.sample."""
ALIASES: Final = {
    "cidname": "name", "cidnum": "num", "cid_name": "name", "cid_num": "num", "callerid(num)": "num",
    "callerid(name)": "name", "channel": "channame", "app": "appname", "extra": "eventextra", "bridgepeer": "peer",
    "acctcode": "accountcode", "event": "eventtype", "time": "eventtime",
}  # fmt: skip
NEEDED: Final = ("eventtype", "eventtime", "num", "exten", "channame", "uniqueid", "linkedid")

_UNIQUEID: Final = re.compile(r"([\w.-]+-)?[0-9]{9,10}\.[0-9]+", re.ASCII)
_BUSY: Final = re.compile(r'"hangupcause":17\b|"dialstatus":"BUSY"')


def named(names: Sequence[str]) -> tuple[str, ...] | None:
    """Return our names of columns that have these names, or None if they are no header of channel events."""
    ours = tuple(ALIASES.get(name, name) for name in (one.strip().lower() for one in names))
    return ours if all(name in ours for name in NEEDED) else None


def known_order(row: Sequence[str]) -> tuple[str, ...] | None:
    """Return the columns of a row without a header: those of the sample, or a shorter selection of them."""
    if not row or row[0] not in EVENTS:
        return None
    if len(row) == len(SAMPLE) and _UNIQUEID.fullmatch(row[14]):
        return SAMPLE
    # A selection in the sample's order, as many write it: type, time, number, extension, context, channel,
    # application, unique id, linked id.
    if len(row) >= 9 and _UNIQUEID.fullmatch(row[7]) and _UNIQUEID.fullmatch(row[8]):
        short = ("eventtype", "eventtime", "num", "exten", "context", "channame", "appname", "uniqueid", "linkedid")
        return (*short, "eventextra", *("-" for _ in row[10:]))[: len(row)]
    return None


def looks_like_cel(row: Sequence[str]) -> bool:
    """Return whether a file that begins with this row holds channel events."""
    return bool(row) and (row[0] in EVENTS or named(row) is not None)


@dataclass(slots=True)
class _Open:
    """A call in progress."""

    uniqueid: str
    start: float
    written: str
    num: str
    name: str
    exten: str
    context: str
    endpoint: str
    until: float
    attestation: str = Attestation.NONE.value
    voicemail: bool = False
    busy: bool = False
    talked: float = 0.0
    since: float | None = None
    """When the caller was last put together with somebody, if that goes on."""
    bridges: set[str] = field(default_factory=set)


class CelFile:
    """Reads a file of channel events."""

    def __init__(self, name: str, times: LocalTimes, faults: Faults, columns: Sequence[str] | None = None) -> None:
        self._name = name
        self._times = times
        self._faults = faults
        self._columns = columns
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def records(self, stream: io.BufferedIOBase) -> Iterator[CallRecord]:
        """Yield a record for each call. Raises UnreadableError where the columns are not to be known."""
        with Lines(stream, self._name, self._faults) as lines:
            yield from self._records(lines)

    def _records(self, lines: Lines) -> Iterator[CallRecord]:
        texts = iter(lines)
        first = next(texts, "")
        between = separator(first)
        try:
            begin = split(first, between)
        except csv.Error:
            begin = []
        header = named(begin)
        columns = self._columns or header or known_order(begin)
        if columns is None:
            raise UnreadableError(f"{self._name}: channel events in an unknown order: name it with --columns")
        place = {name: position for position, name in reversed(list(enumerate(columns)))}
        if missing := [name for name in NEEDED if name not in place]:
            raise UnreadableError(f"{self._name}: channel events without {', '.join(missing)}")
        rows = csv.reader(texts, delimiter=between)
        row = [] if header is not None else begin
        while True:
            try:
                if row:
                    yield from self._event(row, place, len(columns))
                row = next(rows)
            except StopIteration:
                break
            except (ValueError, csv.Error) as error:
                self._faults.add(self._name, lines.number, str(error))
                row = []
        while self._open:
            yield self._close(next(iter(self._open)))

    def _event(self, row: Sequence[str], place: dict[str, int], columns: int) -> Iterator[CallRecord]:
        if len(row) != columns:
            raise ValueError(f"has {len(row)} columns and not {columns}")
        event, linkedid = row[place["eventtype"]], row[place["linkedid"]]
        written = row[place["eventtime"]]
        at = self._times.seconds(written)
        call = self._open.get(linkedid)
        if call is None:
            if event == "CHAN_START" and row[place["uniqueid"]] == linkedid:
                if len(self._open) >= OPEN:
                    yield self._close(next(iter(self._open)))
                self._open[linkedid] = self._begin(row, place, at, written)
            return
        if not 0 <= at - call.start <= LONGEST_CALL:
            raise ValueError(f"lies {at - call.start:g} s after the beginning of its call")
        call.until = max(call.until, at)
        if row[place["uniqueid"]] == call.uniqueid:
            _happened(call, event, row, place, at)
        if event == "LINKEDID_END":
            yield self._close(linkedid)

    def _begin(self, row: Sequence[str], place: dict[str, int], at: float, written: str) -> _Open:
        name, context = place.get("name"), place.get("context")
        return _Open(
            uniqueid=row[place["uniqueid"]],
            start=at,
            written=written,
            num=row[place["num"]],
            name="" if name is None else row[name],
            exten=row[place["exten"]],
            context="" if context is None else row[context],
            endpoint=endpoint_of(row[place["channame"]]),
            until=at,
        )

    def _close(self, linkedid: str) -> CallRecord:
        call = self._open.pop(linkedid)
        if call.since is not None:
            call.talked += call.until - call.since
        return CallRecord(
            call.start,
            call.written,
            call.until,
            0.0 if call.voicemail and not call.bridges else call.talked,
            call.busy and not call.talked,
            call.num,
            call.exten,
            "",
            call.name,
            call.context,
            call.endpoint,
            call.uniqueid,
            linkedid,
            call.attestation,
            "",
        )


def _happened(call: _Open, event: str, row: Sequence[str], place: dict[str, int], at: float) -> None:
    """Take in an event of the channel that began the call."""
    if not call.num:
        call.num = row[place["num"]]
    if call.exten in {"", "s"}:
        call.exten = row[place["exten"]]
    userfield = place.get("userfield")
    if userfield is not None and row[userfield] and call.attestation == Attestation.NONE:
        call.attestation = attestation_in(row[userfield])
    extra = row[place["eventextra"]] if "eventextra" in place else ""
    if event == "BRIDGE_ENTER":
        # A caller in a bridge is with somebody: whoever is called first is put there before.
        call.since = at if call.since is None else call.since
        call.bridges.add(event)
    elif event == "BRIDGE_EXIT" and call.since is not None:
        call.talked += at - call.since
        call.since = None
    elif event == "HANGUP" and _BUSY.search(extra):
        call.busy = True
