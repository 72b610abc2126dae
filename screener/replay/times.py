"""Times as Asterisk writes them: local, without a zone."""

import re
from datetime import datetime, tzinfo
from typing import Final

CACHED: Final = 50_000
"""Minutes whose beginning is kept at hand; then all are forgotten."""
LATEST: Final = 4_102_444_800.0
"""The year 2100. Later times are faults of the record, and so is everything before 1980."""
EARLIEST: Final = 315_532_800.0

_EPOCH: Final = re.compile(r"[0-9]{9,10}(\.[0-9]{1,9})?", re.ASCII)
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?", re.ASCII)
_ZONED: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})? ?(Z|[+-][0-9]{2}:?[0-9]{2})", re.ASCII
)
_UNIQUE: Final = re.compile(r"(?:\A|-)([0-9]{9,10})\.[0-9]+\Z", re.ASCII)


class LocalTimes:
    """Reads and tells times of one zone; `None` is the system's."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self.zone = zone
        self._minutes: dict[str, float] = {}
        self._hours: dict[int, tuple[str, int]] = {}

    def seconds(self, text: str) -> float:
        """Return the seconds since the epoch of a local time (`2026-11-25 01:50:07`, with or without a fraction), of
        one with a zone, or of seconds since the epoch. Raises ValueError.

        An hour that a clock is set back by is read as its first run: the record does not tell which it was.
        """
        # A date is parsed once a minute of the file's time: strptime for each row would take most of the time.
        base = self._minutes.get(text[:16])
        if base is not None and len(text) == 19 and text[17:].isdigit() and text[17] < "6":
            return base + int(text[17:])
        at = self._parse(text.strip())
        if not EARLIEST <= at <= LATEST:
            raise ValueError(f"no date of a call: {text[:40]!r}")
        return at

    def _parse(self, text: str) -> float:
        if _LOCAL.fullmatch(text):
            at = datetime.fromisoformat(text[:19]).replace(tzinfo=self.zone).timestamp()
            if len(self._minutes) >= CACHED:
                self._minutes.clear()
            self._minutes[text[:16]] = at - int(text[17:19])
            return at + float(f"0{text[19:]}")
        if _EPOCH.fullmatch(text):
            return float(text)
        if _ZONED.fullmatch(text):
            return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-")).timestamp()
        raise ValueError(f"no date: {text[:40]!r}")

    def day_and_hour(self, at: float) -> tuple[str, int]:
        """Return the local day (`2026-11-25`) and the hour (0 to 23) of a time."""
        quarter = int(at // 900)
        told = self._hours.get(quarter)
        if told is None:
            if len(self._hours) >= CACHED:
                self._hours.clear()
            local = self._local(at)
            told = self._hours[quarter] = (local.strftime("%Y-%m-%d"), local.hour)
        return told

    def text(self, at: float) -> str:
        """Return a time as a person reads it: `2026-11-25 01:50:07`."""
        return self._local(at).strftime("%Y-%m-%d %H:%M:%S")

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.zone).astimezone(self.zone)


def moment_in(uniqueid: str) -> float | None:
    """Return the seconds since the epoch that Asterisk's unique ids begin with (`1764035407.12`), if they do."""
    found = _UNIQUE.search(uniqueid)
    return float(found[1]) if found else None
