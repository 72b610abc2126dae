"""Time zones by their name in the IANA data base."""

import zoneinfo
from datetime import UTC, tzinfo

from screener.policy.faults import Path, UnusableSettingError, nearest


def read_zone(name: str, path: Path, faults: list[UnusableSettingError]) -> tzinfo:
    """Return the time zone; one that does not exist is added to `faults`, and UTC stands in for it."""
    try:
        return zoneinfo.ZoneInfo(name)
    # A name that leads out of the data base is a ValueError, one of a directory in it an OSError.
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(name, zoneinfo.available_timezones())
        faults.append(UnusableSettingError(path, f"there is no time zone {name!r}{hint}"))
        return UTC
