"""The policy in force: the settings, made ready to be asked about a call."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from screener.policy.bucket import Bucket
from screener.policy.call import called_number
from screener.policy.caller import e164
from screener.policy.dialled import NUMBER_EXPECTED, is_dialled
from screener.policy.entries import read_entries
from screener.policy.faults import UnreadableNumberError, UnusableSettingError
from screener.policy.feeds import NO_FEEDS, Feeds
from screener.policy.list_settings import ListEntry
from screener.policy.lists import NumberList
from screener.policy.settings import BucketSettings, DidSettings, Ladder, PolicySettings, SustainedSettings
from screener.policy.signal_settings import RuleMode, SignalSettings
from screener.policy.verdict import Mode
from screener.policy.zone import read_zone

RESTS: Final = 2
"""Callers by which a block's bucket may be overdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What holds for one called number."""

    mode: Mode
    ladder: Ladder
    mailbox: str | None
    announce: str | None = None
    """Whom the treatment announce rings."""


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
    default: Line
    lines: Mapping[str, Line]
    feeds: Feeds = NO_FEEDS
    """What the feeds hold now. The shell puts others in their place; the policy's version stays."""

    def owns(self, number: str) -> bool:
        """Return whether a number is one of ours."""
        return len(self.own) > 0 and self.own.find(number, None, 0.0) is not None

    def line(self, did: str) -> Line:
        """Return what holds for a called number."""
        return self.lines.get(did, self.default)


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
    default = Line(
        mode=settings.mode,
        ladder=settings.ladder,
        mailbox=settings.voicemail.mailbox,
        announce=settings.announce.dial,
    )
    lines = _lines(settings, default, faults)
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
        default=default,
        lines=lines,
    )


def _bucket(size: BucketSettings | SustainedSettings, rest: int) -> Bucket:
    return Bucket(capacity=size.capacity, refill_per_hour=size.refill_per_hour, rest=rest)


def _active(settings: PolicySettings) -> Mapping[str, SignalSettings]:
    sections = {name: getattr(settings.signals, name) for name in type(settings.signals).model_fields}
    return {name: section for name, section in sections.items() if section.mode is not RuleMode.OFF}


def _lines(settings: PolicySettings, default: Line, faults: list[UnusableSettingError]) -> Mapping[str, Line]:
    lines: dict[str, Line] = {}
    for written, own in settings.dids.items():
        did = called_number(written, settings.region)
        if not is_dialled(did):
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
        announce=own.announce or default.announce,
    )


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
