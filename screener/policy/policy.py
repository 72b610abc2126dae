"""The policy in force: the settings, made ready to be asked about a call."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from screener.policy.bucket import Bucket
from screener.policy.caller import e164
from screener.policy.dialled import NUMBER_EXPECTED, is_dialled
from screener.policy.entries import read_entries
from screener.policy.faults import UnreadableNumberError, UnusableSettingError
from screener.policy.feeds import NO_FEEDS, Feeds
from screener.policy.hours import read_calendars
from screener.policy.line import Line, Schedule, names_of, range_lengths, read_lines
from screener.policy.list_settings import ListEntry
from screener.policy.lists import NumberList
from screener.policy.settings import BucketSettings, PolicySettings, SustainedSettings
from screener.policy.signal_settings import RuleMode, SignalSettings
from screener.policy.zone import read_zone

RESTS: Final = 2
"""Callers by which a block's bucket may be overdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that `decide` asks of the administrator's will."""

    settings: PolicySettings
    version: str
    """Eight hexadecimal digits that change with any setting: verdicts and CDRs name the policy by it."""
    bucket: Bucket
    sustained: Bucket | None
    """The caller's slower bucket."""
    thousand_bucket: Bucket
    """Of a thousand block, for strangers."""
    block_bucket: Bucket
    """Of a block, for strangers."""
    own: NumberList
    """Our own numbers."""
    signals: Mapping[str, SignalSettings]
    """The sections of `settings.signals` that are not off."""
    allow: NumberList
    block: NumberList
    exempt: frozenset[str]
    default: Schedule
    lines: Mapping[str, Schedule]
    """By called number, and by range of them (`+1212555*`)."""
    lengths: tuple[int, ...] = ()
    """Characters of these ranges before their `*`, the longest first."""
    feeds: Feeds = NO_FEEDS
    """What the feeds hold now. The shell puts others in their place; the policy's version stays."""

    def owns(self, number: str) -> bool:
        """Return whether a number is one of ours."""
        return len(self.own) > 0 and self.own.find(number, None, 0.0) is not None

    def line(self, did: str, now: float) -> Line:
        """Return what holds for a called number at `now`, in seconds since 1970 (UTC)."""
        return self.schedule(did).at(now)

    def schedule(self, did: str) -> Schedule:
        """Return what holds for a called number by the hours of its calendar."""
        return next((self.lines[name] for name in names_of(did, self.lengths) if name in self.lines), self.default)

    @property
    def every_line(self) -> tuple[Line, ...]:
        """All lines that may hold for any number."""
        return tuple(line for schedule in (self.default, *self.lines.values()) for line in schedule.lines)


def compile_policy(settings: PolicySettings) -> Policy:
    """Make the settings ready for use. Raises an ExceptionGroup of `UnusableSettingError` that names each fault."""
    faults: list[UnusableSettingError] = []
    zone = read_zone(settings.timezone, ("timezone",), faults)
    own_numbers = [ListEntry(number=number) for number in settings.own_numbers]
    allow, block, own = (
        read_entries(written, path, region=settings.region, zone=zone, faults=faults)
        for path, written in (
            (("lists", "allow"), settings.lists.allow),
            (("lists", "block"), settings.lists.block),
            (("own_numbers",), own_numbers),
        )
    )
    lines = dict(read_lines(settings, read_calendars(settings.calendars, zone, faults), faults))
    exempt = _exempt(settings, faults)
    faults += _twins(settings)
    if faults:
        raise ExceptionGroup("settings that cannot be used", faults)
    around = settings.signals.neighbourhood
    return Policy(
        settings=settings,
        version=hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:8],
        bucket=_bucket(settings.bucket, settings.bucket.rest),
        sustained=_bucket(settings.bucket.sustained, settings.bucket.rest) if settings.bucket.sustained else None,
        thousand_bucket=Bucket(capacity=around.thousand_capacity, refill_per_hour=around.thousand_per_hour, rest=RESTS),
        block_bucket=Bucket(capacity=around.block_capacity, refill_per_hour=around.block_per_hour, rest=RESTS),
        own=own,
        signals=_active(settings),
        allow=allow,
        block=block,
        exempt=exempt,
        default=lines.pop(""),
        lines=lines,
        lengths=range_lengths(lines),
    )


def _bucket(size: BucketSettings | SustainedSettings, rest: int) -> Bucket:
    return Bucket(capacity=size.capacity, refill_per_hour=size.refill_per_hour, rest=rest)


def _active(settings: PolicySettings) -> Mapping[str, SignalSettings]:
    sections = {name: getattr(settings.signals, name) for name in type(settings.signals).model_fields}
    return {name: section for name, section in sections.items() if section.mode is not RuleMode.OFF}


def _exempt(settings: PolicySettings, faults: list[UnusableSettingError]) -> frozenset[str]:
    """Return the numbers that are never screened, as they are written and in E.164 too."""
    numbers: set[str] = set()
    for position, written in enumerate(settings.never_screen.numbers):
        number = e164(written, settings.region)
        if number is None and (written.endswith("*") or not is_dialled(written)):
            where = ("never_screen", "numbers", position)
            faults.append(UnreadableNumberError(where, f"no call comes from this: {NUMBER_EXPECTED}"))
        numbers |= {written, number or written}
    return frozenset(numbers)


def _twins(settings: PolicySettings) -> list[UnusableSettingError]:
    """Return a fault for each feed that is called like one before it."""
    names = [feed.name for feed in settings.feeds]
    return [
        UnusableSettingError(("feeds", place, "name"), f"another feed is called {name!r} too")
        for place, name in enumerate(names)
        if name in names[:place]
    ]
