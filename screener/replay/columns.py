"""Which column of a row holds what: by a header, by the administrator's word, or by Asterisk's own orders."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from screener.policy.call import Attestation
from screener.replay.record import (
    LONGEST_CALL,
    CallRecord,
    Label,
    attestation,
    attestation_in,
    conversation,
    endpoint_of,
    name_of,
)
from screener.replay.times import LocalTimes

MASTER: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
"""Master.csv without its optional columns (cdr_csv.c)."""
NEWER: Final = ("peeraccount", "linkedid", "sequence")
"""What `newcdrcolumns` adds at its end."""
CUSTOM: Final = (
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence",
)  # fmt: skip
"""The order of cdr_custom.conf.sample."""

ALIASES: Final = {
    "calldate": "start", "starttime": "start", "start_time": "start", "time": "start", "date": "start",
    "caller": "src", "source": "src", "callerid": "clid", "caller_id": "clid", "cnum": "cnum", "cnam": "cnam",
    "name": "cnam", "called": "dst", "destination": "dst", "did": "did", "context": "dcontext",
    "end_time": "end", "endtime": "end", "answer_time": "answer", "answertime": "answer",
    "unique_id": "uniqueid", "linked_id": "linkedid", "last_app": "lastapp",
    "attest": "attestation", "verstat": "attestation", "stir": "attestation", "verify_result": "verify",
}  # fmt: skip
"""Other names under which headers and tables have a column."""
KNOWN: Final = frozenset({
    *MASTER, *NEWER, *CUSTOM, "did", "cnum", "cnam", "attestation", "verify", "label",
})  # fmt: skip
SKIPPED: Final = "-"
"""A column that the administrator names so is not read."""
NEEDED: Final = ("start", "src", "dst")

LATELY: Final = 10_000
"""Channels whose last record is kept at hand."""

_NUMBERED: Final = re.compile(r"-[0-9a-f]{8}(;[12])?\Z", re.ASCII)
_UNIQUEID: Final = re.compile(r"([\w.-]+-)?[0-9]{9,10}\.[0-9]+", re.ASCII)
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}\S*|[0-9]{9,10}(\.[0-9]+)?", re.ASCII
)
_DISPOSITIONS: Final = {"8": "ANSWERED", "4": "BUSY", "0": "NO ANSWER", "2": "FAILED", "16": "CONGESTION"}
"""Asterisk's numbers for them (cdr.h), which a mapping such as `disposition(int64)` writes."""


def named(names: Iterable[str]) -> tuple[str, ...] | None:
    """Return our names of columns that have these names, or None if they are no header of call records."""
    ours = tuple(ALIASES.get(name, name) for name in (one.strip().strip('"').lower() for one in names))
    return ours if all(name in ours for name in NEEDED) else None


def known_order(row: Sequence[str]) -> tuple[str, ...] | None:
    """Return the columns of a row without a header that Asterisk writes by itself; a label may stand at its end."""
    if row and row[-1] in {Label.WANTED.value, Label.SPAM.value}:
        before = known_order(row[:-1])
        return None if before is None else (*before, "label")
    if 16 <= len(row) <= 21 and _DATE.fullmatch(row[9]):
        return (*MASTER, *_optional(row[16:]))
    if 14 <= len(row) <= len(CUSTOM) and _DATE.fullmatch(row[8]):
        return CUSTOM[: len(row)]
    return None


def _optional(rest: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what follows `amaflags`: uniqueid, userfield and the newer columns are each optional."""
    newer = NEWER if len(rest) >= len(NEWER) else ()
    first = rest[: len(rest) - len(newer)]
    if len(first) == 1:
        return ("uniqueid" if _UNIQUEID.fullmatch(first[0]) else "userfield", *newer)
    return ("uniqueid", "userfield")[: len(first)] + newer


class RowReader:
    """Makes records of rows that have these columns."""

    def __init__(self, columns: Sequence[str], times: LocalTimes) -> None:
        self.columns = tuple(columns)
        self._times = times
        place = {name: position for position, name in reversed(list(enumerate(columns)))}
        self._place = place
        get = place.get
        self._start, self._src, self._dst = place["start"], place["src"], place["dst"]
        self._did, self._clid, self._cnam, self._cnum = get("did"), get("clid"), get("cnam"), get("cnum")
        self._context, self._channel, self._dstchannel = get("dcontext"), get("channel"), get("dstchannel")
        self._lastapp, self._disposition = get("lastapp"), get("disposition")
        self._duration, self._billsec = get("duration"), get("billsec")
        self._answer, self._end = get("answer"), get("end")
        self._uniqueid, self._linkedid = get("uniqueid"), get("linkedid")
        self._attestation, self._verify, self._userfield = get("attestation"), get("verify"), get("userfield")
        self._label = get("label")
        self._lately: OrderedDict[str, CallRecord] = OrderedDict()
        """The last record of each channel, where records have no ids."""

    def read(self, row: Sequence[str]) -> CallRecord:
        """Return the record of a row. Raises ValueError for one that cannot be right, and says why."""
        if len(row) != len(self.columns):
            raise ValueError(f"has {len(row)} columns and not {len(self.columns)}")
        written = row[self._start]
        start = self._times.seconds(written)
        duration = self._seconds_of(row, start)
        disposition = "" if self._disposition is None else row[self._disposition].upper()
        disposition = _DISPOSITIONS.get(disposition, disposition)
        answered = self._answered(row, disposition)
        lastapp = "" if self._lastapp is None else row[self._lastapp]
        clid = "" if self._clid is None else row[self._clid]
        name = row[self._cnam] if self._cnam is not None and row[self._cnam] else name_of(clid) if clid else ""
        src = row[self._src]
        if not src and self._cnum is not None:
            src = row[self._cnum]
        record = CallRecord(
            start,
            written,
            start + duration,
            conversation(
                self._billed(row, duration) if answered else 0.0,
                answered=answered,
                lastapp=lastapp,
                connected=self._dstchannel is not None and bool(row[self._dstchannel]),
            ),
            disposition == "BUSY",
            src,
            row[self._dst],
            "" if self._did is None else row[self._did],
            name,
            "" if self._context is None else row[self._context],
            "" if self._channel is None else endpoint_of(row[self._channel]),
            "" if self._uniqueid is None else row[self._uniqueid],
            "" if self._linkedid is None else row[self._linkedid],
            self._attested(row),
            self._labelled(row),
        )
        if not record.uniqueid and not record.linkedid and self._channel is not None:
            return self._joined(record, row[self._channel])
        return record

    def _joined(self, record: CallRecord, channel: str) -> CallRecord:
        """Give a record without ids the linked id of the one before it of the same channel, if it goes on from there.

        Asterisk numbers its channels, and begins anew when it is started. Durations are cut to seconds: hence one more.
        """
        if not _NUMBERED.search(channel):
            return record
        before = self._lately.get(channel)
        goes_on = before is not None and record.src == before.src and before.start <= record.start <= before.ended + 1
        linkedid = before.linkedid if goes_on and before is not None else f"{channel} {record.written}"
        record = record._replace(linkedid=linkedid)
        self._lately[channel] = record
        self._lately.move_to_end(channel)
        if len(self._lately) > LATELY:
            self._lately.popitem(last=False)
        return record

    def _seconds_of(self, row: Sequence[str], start: float) -> float:
        if self._duration is not None and row[self._duration]:
            return _seconds(row[self._duration], "duration")
        if self._end is not None and row[self._end]:
            return _in_bounds(self._times.seconds(row[self._end]) - start, "the time from start to end")
        return _seconds(row[self._billsec], "billsec") if self._billsec is not None and row[self._billsec] else 0.0

    def _answered(self, row: Sequence[str], disposition: str) -> bool:
        if disposition:
            return disposition in {"ANSWERED", "ANSWER"}
        return self._billsec is not None and row[self._billsec] not in {"", "0"}

    def _billed(self, row: Sequence[str], duration: float) -> float:
        if self._billsec is not None and row[self._billsec]:
            return _seconds(row[self._billsec], "billsec")
        if self._answer is not None and self._end is not None and row[self._answer] and row[self._end]:
            between = self._times.seconds(row[self._end]) - self._times.seconds(row[self._answer])
            return _in_bounds(between, "the time from answer to end")
        return duration

    def _attested(self, row: Sequence[str]) -> str:
        level = row[self._attestation] if self._attestation is not None else ""
        result = row[self._verify] if self._verify is not None else ""
        if level or result:
            return attestation(level, result)
        if self._userfield is not None and (told := row[self._userfield]):
            return attestation_in(told)
        return Attestation.NONE.value

    def _labelled(self, row: Sequence[str]) -> str:
        label = row[self._label].strip().lower() if self._label is not None else ""
        if label and label not in {Label.WANTED.value, Label.SPAM.value}:
            raise ValueError(f"the label is wanted or spam, not {label[:40]!r}")
        return label


def texts(row: Iterable[Any]) -> list[str]:
    """Return a database's row as the texts that a file would hold."""
    # A datetime's own text is the form that Asterisk writes.
    return ["" if value is None else str(value) for value in row]


def _seconds(text: str, what: str) -> float:
    try:
        return _in_bounds(float(text), what)
    except ValueError:
        raise ValueError(f"{what} is no number of seconds of a call: {text[:40]!r}") from None


def _in_bounds(seconds: float, what: str) -> float:
    if not 0 <= seconds <= LONGEST_CALL:
        raise ValueError(f"{what} is no length of a call: {seconds:g} s")
    return seconds
