"""What holds for a called number at a moment: written for it, for its group or for all, and by the calendar."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from screener.policy.calendar import Calendar
from screener.policy.call import called_number
from screener.policy.dialled import NUMBER_EXPECTED, is_dialled
from screener.policy.faults import Path, UnreadableNumberError, UnusableSettingError, nearest
from screener.policy.line_settings import ClosedSettings, DidGroupSettings, DidSettings, Ladder
from screener.policy.verdict import Mode

if TYPE_CHECKING:
    from screener.policy.settings import PolicySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What holds for one called number."""

    mode: Mode
    ladder: Ladder
    mailbox: str | None
    announce: str | None = None
    """Whom the treatment announce rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What holds for one called number while its calendar is open, and while it is closed."""

    open: Line
    closed: Line
    calendar: Calendar | None = None
    """None: always open."""

    def at(self, now: float) -> Line:
        """Return what holds at `now`, in seconds since 1970 (UTC)."""
        return self.open if self.calendar is None or self.calendar.open(now) else self.closed

    def says(self, now: float) -> str:
        """Return why it is this line, in a sentence; empty where hours make no difference."""
        return "" if self.calendar is None or self.open == self.closed else self.calendar.says(now)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that may hold."""
        return (self.open,) if self.calendar is None else (self.open, self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is written for a called number, all levels together; of the nearest level that says something, what it
    says: the DID's own, its group's, then the whole policy's, and at each of them first what is for closed hours."""

    path: Path
    """Where the nearest level stands; empty for the whole policy."""
    did: str
    """The number as calls bring it, or a range of them (`+1212555*`); empty for all others."""
    open: Line
    closed: Line
    calendar: str | None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that may hold."""
        return (self.open,) if self.calendar is None else (self.open, self.closed)


def lines_of(settings: "PolicySettings") -> Iterator[Written]:
    """Return what is written: for all others first, then for each number that a DID or a group names."""
    whole = DidSettings(
        mode=settings.mode,
        ladder=settings.ladder,
        mailbox=settings.voicemail.mailbox,
        announce=settings.announce.dial,
        calendar=settings.calendar,
        closed=settings.closed,
    )
    yield _written((), "", [whole])
    dids = {called_number(number, settings.region): (number, own) for number, own in settings.dids.items()}
    groups: dict[str, tuple[int, DidGroupSettings]] = {}
    for place, group in enumerate(settings.groups):
        for number in group.dids:
            groups.setdefault(_member(number, settings.region), (place, group))
    lengths = range_lengths(groups)
    for did, (number, own) in dids.items():
        shared = next((groups[name] for name in names_of(did, lengths) if name in groups), None)
        yield _written(("dids", number), did, [own, *([shared[1]] if shared else []), whole])
    for did, (place, group) in groups.items():
        if did not in dids:
            yield _written(("groups", place), did, [group, whole])


def range_lengths(names: Iterable[str]) -> tuple[int, ...]:
    """Return how many characters the ranges among these names have before their `*`, the longest first."""
    return tuple(sorted({len(name) - 1 for name in names if _is_range(name)}, reverse=True))


def names_of(did: str, lengths: Iterable[int]) -> Iterator[str]:
    """Return what a called number may stand under: itself, then the ranges that it lies in, the closest first."""
    yield did
    for length in lengths:
        yield f"{did[:length]}*"


def _is_range(name: str) -> bool:
    return name.startswith("+") and name.endswith("*")


def _member(number: str, region: str) -> str:
    """Return a number of a group, or a range of numbers, as it is looked up."""
    return number if _is_range(number) else called_number(number, region)


def _written(path: Path, did: str, levels: Sequence[DidSettings]) -> Written:
    calendar = next((level.calendar for level in levels if level.calendar is not None), None)
    opened = _line(levels)
    closed = _line([part for level in levels for part in (level.closed, level)])
    return Written(path=path, did=did, open=opened, closed=closed, calendar=calendar)


def _line(levels: Sequence[ClosedSettings]) -> Line:
    def nearest_of(name: str) -> Any:
        said = (getattr(level, name) for level in levels)
        return next((value for value in said if value is not None), None)

    return Line(**{field.name: nearest_of(field.name) for field in dataclasses.fields(Line)})


def read_lines(
    settings: "PolicySettings", calendars: Mapping[str, Calendar], faults: list[UnusableSettingError]
) -> Mapping[str, Schedule]:
    """Return what holds for each called number, and under an empty one for all others. What is wrong is added to
    `faults`."""
    faults += _spellings(settings)
    faults += _calendars(settings, calendars)
    return {
        line.did: Schedule(open=line.open, closed=line.closed, calendar=calendars.get(line.calendar or ""))
        for line in lines_of(settings)
    }


def _spellings(settings: "PolicySettings") -> Iterator[UnusableSettingError]:
    """Find numbers that no call goes to, and those that are named twice."""
    named: list[tuple[Path, str, str]] = [(("dids", number), number, "dids") for number in settings.dids]
    for place, group in enumerate(settings.groups):
        named += [(("groups", place, "dids", at), number, "groups") for at, number in enumerate(group.dids)]
    seen: set[tuple[str, str]] = set()
    for path, number, where in named:
        did = _member(number, settings.region) if where == "groups" else called_number(number, settings.region)
        if not is_dialled(did):
            yield UnreadableNumberError(path, f"no call goes to this: {NUMBER_EXPECTED}")
        if (where, did) in seen:
            twice = "in two spellings" if where == "dids" else "in the groups"
            yield UnreadableNumberError(path, f"{did} stands here twice, {twice}")
        seen.add((where, did))


def _calendars(settings: "PolicySettings", calendars: Mapping[str, Calendar]) -> Iterator[UnusableSettingError]:
    """Find calendars that do not exist, and what is said of closed hours where there is no calendar."""
    levels: list[tuple[Path, str | None, ClosedSettings]] = [((), settings.calendar, settings.closed)]
    levels += [(("dids", number), own.calendar, own.closed) for number, own in settings.dids.items()]
    levels += [(("groups", place), group.calendar, group.closed) for place, group in enumerate(settings.groups)]
    for path, name, _ in levels:
        if name is not None and name not in calendars:
            yield UnusableSettingError((*path, "calendar"), f"there is no calendar {name!r}{nearest(name, calendars)}")
    used = {line.path: line.calendar for line in lines_of(settings)}
    somewhere = any(calendar is not None for calendar in used.values())
    for path, _, closed in levels:
        there = somewhere if not path else used.get(path) is not None
        if closed != ClosedSettings() and not there:
            yield UnusableSettingError((*path, "closed"), "nothing is ever closed here: name a `calendar`")
