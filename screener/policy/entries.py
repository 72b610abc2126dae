"""From the lists as they are written to the lists that calls are looked up in."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from screener.policy.call import called_number
from screener.policy.caller import e164
from screener.policy.country import is_country
from screener.policy.dialled import NUMBER_EXPECTED, is_dialled
from screener.policy.faults import Path, UnreadableNumberError, UnusableSettingError
from screener.policy.list_settings import ListEntry
from screener.policy.lists import Entry, EntryKind, NumberList

LETTERS: Final = 2
"""Letters of a country: `NG`."""


def read_entries(
    written: Iterable[ListEntry], path: Path, *, region: str, zone: tzinfo, faults: list[UnusableSettingError]
) -> NumberList:
    """Return the list; what cannot be read is added to `faults`.

    `region` is the country whose numbering plan reads numbers without a country code, `zone` the time zone of ends.
    """
    entries = []
    for position, entry in enumerate(written):
        try:
            entries.append(_entry(entry, region, zone))
        except (ValueError, OverflowError) as error:
            faults.append(UnreadableNumberError((*path, position), str(error)))
    return NumberList(entries)


def _entry(written: ListEntry, region: str, zone: tzinfo) -> Entry:
    did = None if written.did is None else called_number(written.did, region)
    if did is not None and not is_dialled(did):
        raise ValueError(f"no call goes to the did {written.did!r}: {NUMBER_EXPECTED}")
    number, kind = _named(written, region)
    until = None if written.until is None else _end(written.until, zone)
    return Entry(number=number, kind=kind, did=did, note=written.note, author=written.author, until=until)


def _named(written: ListEntry, region: str) -> tuple[str, EntryKind]:
    named = written.country or written.number or ""
    if written.country is not None or (len(named) == LETTERS and named.isalpha()):
        if not is_country(named):
            raise ValueError(f"expected a country's two letters in capitals, such as NG, not {named!r}")
        return named, EntryKind.COUNTRY
    if named.endswith("*"):
        prefix = named[:-1]
        if not (prefix.startswith("+") and prefix[1:].isascii() and prefix[1:].isdigit()):
            raise ValueError(f"expected a prefix in E.164 such as +1900*, not {named!r}")
        return prefix, EntryKind.PREFIX
    number = e164(named, region)
    if number is None:
        raise ValueError(f"expected a telephone number of {region} or one that begins with +, not {named!r}")
    return number, EntryKind.EXACT


def _end(written: datetime | date, zone: tzinfo) -> datetime:
    if not isinstance(written, datetime):
        return datetime.combine(written + timedelta(days=1), time(), zone)
    return written.replace(tzinfo=zone) if written.tzinfo is None else written
