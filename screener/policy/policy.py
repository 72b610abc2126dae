"""The policy in force: the settings, made ready to be asked about a call."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from screener.policy.bucket import Bucket
from screener.policy.call import called_number
from screener.policy.caller import e164
from screener.policy.lists import Entry, NumberList
from screener.policy.settings import DidSettings, Ladder, ListEntry, PolicySettings
from screener.policy.verdict import Mode

DIALLED: Final = re.compile(r"[0-9A-Za-z+*#]+")
"""A DID or an extension as the dialplan hands it over: it filters all else out."""
NUMBER_EXPECTED: Final = "expected a telephone number, or the digits and letters of an extension"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What holds for one called number."""

    mode: Mode
    ladder: Ladder
    mailbox: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that `decide` asks of the administrator's will."""

    settings: PolicySettings
    version: str
    """Eight hexadecimal digits that change with any setting: verdicts and CDRs name the policy by it."""
    bucket: Bucket
    allow: NumberList
    block: NumberList
    exempt: frozenset[str]
    default: Line
    lines: Mapping[str, Line]

    def line(self, did: str) -> Line:
        """Return what holds for a called number."""
        return self.lines.get(did, self.default)


class UnreadableNumberError(ValueError):
    """A number in the settings that no numbering plan knows, or a DID that stands there in two spellings; `path`
    says where."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def compile_policy(settings: PolicySettings) -> Policy:
    """Make the settings ready for use. Raises an ExceptionGroup of `UnreadableNumberError` that names each one."""
    faults: list[UnreadableNumberError] = []
    allow = _numbers(settings.lists.allow, ("lists", "allow"), settings.region, faults)
    block = _numbers(settings.lists.block, ("lists", "block"), settings.region, faults)
    default = Line(mode=settings.mode, ladder=settings.ladder, mailbox=settings.voicemail.mailbox)
    lines = _lines(settings, default, faults)
    exempt = _exempt(settings, faults)
    if faults:
        raise ExceptionGroup("numbers that cannot be read", faults)
    return Policy(
        settings=settings,
        version=hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:8],
        bucket=Bucket(capacity=settings.bucket.capacity, refill_per_hour=settings.bucket.refill_per_hour),
        allow=allow,
        block=block,
        exempt=exempt,
        default=default,
        lines=lines,
    )


def _lines(settings: PolicySettings, default: Line, faults: list[UnreadableNumberError]) -> Mapping[str, Line]:
    lines: dict[str, Line] = {}
    for written, own in settings.dids.items():
        did = called_number(written, settings.region)
        if not _is_dialled(did):
            faults.append(UnreadableNumberError(("dids", written), f"no call goes to this: {NUMBER_EXPECTED}"))
        if did in lines:
            faults.append(UnreadableNumberError(("dids", written), f"{did} stands here twice, in two spellings"))
        lines[did] = _line(own, default)
    return lines


def _line(own: DidSettings, default: Line) -> Line:
    return Line(
        mode=own.mode or default.mode,
        ladder=default.ladder if own.ladder is None else own.ladder,
        mailbox=own.mailbox or default.mailbox,
    )


def _exempt(settings: PolicySettings, faults: list[UnreadableNumberError]) -> frozenset[str]:
    """Return the numbers that are never screened, as they are written and in E.164 too."""
    numbers: set[str] = set()
    for position, written in enumerate(settings.never_screen.numbers):
        number = e164(written, settings.region)
        if number is None and (written.endswith("*") or not _is_dialled(written)):
            where = ("never_screen", "numbers", position)
            faults.append(UnreadableNumberError(where, f"no call comes from this: {NUMBER_EXPECTED}"))
        numbers |= {written, number or written}
    return frozenset(numbers)


def _is_dialled(number: str) -> bool:
    return DIALLED.fullmatch(number) is not None


def _numbers(
    written: Iterable[ListEntry], path: tuple[str, str], region: str, faults: list[UnreadableNumberError]
) -> NumberList:
    entries = []
    for position, entry in enumerate(written):
        try:
            entries.append(_entry(entry, region))
        except ValueError as error:
            faults.append(UnreadableNumberError((*path, position), str(error)))
    return NumberList(entries)


def _entry(written: ListEntry, region: str) -> Entry:
    did = None if written.did is None else called_number(written.did, region)
    if did is not None and not _is_dialled(did):
        raise ValueError(f"no call goes to the did {written.did!r}: {NUMBER_EXPECTED}")
    if written.number.endswith("*"):
        prefix = written.number[:-1]
        if not (prefix.startswith("+") and prefix[1:].isascii() and prefix[1:].isdigit()):
            raise ValueError(f"expected a prefix in E.164 such as +1900*, not {written.number!r}")
        return Entry(number=prefix, prefix=True, did=did, note=written.note)
    number = e164(written.number, region)
    if number is None:
        raise ValueError(f"expected a telephone number of {region} or one that begins with +, not {written.number!r}")
    return Entry(number=number, did=did, note=written.note)
