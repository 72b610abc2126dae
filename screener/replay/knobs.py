"""What `tune` may turn: the points of each rule, the ladder's steps, and the figures from which a rule speaks."""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import annotated_types
from pydantic.fields import FieldInfo

from screener.policy.call import Attestation
from screener.policy.settings import PolicySettings
from screener.policy.signal_settings import RuleMode, SignalSettings
from screener.policy.signals import SIGNALS

Path = tuple[str | int, ...]

_MOST_POINTS: Final = 100
"""What points are bounded by in the settings, which is how they are told from figures."""
_LEVELS: Final = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One number of the policy."""

    path: Path
    """Where it stands in the policy's settings."""
    value: float
    """What it is now."""

    @property
    def name(self) -> str:
        """Its path as it is written in messages."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


def points(settings: PolicySettings) -> dict[tuple[str, str], Knob]:
    """Return the points of each rule that counts, by the rule's code and the attestation that they are for (empty:
    any). Points of 0 are the administrator's word that a thing does not matter, and stay."""
    found = {}
    for rule in SIGNALS:
        section: SignalSettings | None = getattr(settings.signals, rule.section, None)
        if section is None or section.mode is not RuleMode.LIVE:
            continue
        name = _points_field(rule.code, section)
        if name is None:
            continue
        value = getattr(section, name)
        if isinstance(value, Mapping):
            for level, each in value.items():
                if each:
                    path = ("signals", rule.section, name, str(level))
                    found[rule.code, str(level)] = Knob(path=path, value=float(each))
        elif value:
            found[rule.code, ""] = Knob(path=("signals", rule.section, name), value=float(value))
    return found


def _points_field(code: str, section: SignalSettings) -> str | None:
    """Return the name of the field that has a rule's points: its own, or the section's."""
    own = code.replace("-", "_")
    fields = type(section).model_fields
    names = (own, f"{own}_points", own.rpartition("_")[2], _LEVELS)
    return next((name for name in names if name in fields and _are_points(name, fields[name])), None)


def _are_points(name: str, field: FieldInfo) -> bool:
    if field.annotation == dict[Attestation, float] or name == _LEVELS:
        return True
    return any(isinstance(one, annotated_types.Le) and one.le == _MOST_POINTS for one in field.metadata) and any(
        isinstance(one, annotated_types.Ge) and one.ge == -_MOST_POINTS for one in field.metadata
    )


def figures(settings: PolicySettings) -> Iterator[tuple[Knob, Sequence[float]]]:
    """Yield the figures of the rules that count, each with other values that it may take."""
    holders: list[tuple[Path, Any]] = [(("bucket",), settings.bucket)]
    for name in type(settings.signals).model_fields:
        section = getattr(settings.signals, name)
        if section.mode is RuleMode.LIVE:
            holders.append((("signals", name), section))
    for path, section in holders:
        for name, field in type(section).model_fields.items():
            value = getattr(section, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or name == "canary":
                continue
            if _are_points(name, field) or not value:
                continue
            others = [other for other in _others(value) if _is_legal(other, field)]
            if others:
                yield Knob(path=(*path, name), value=value), others


def _others(value: float) -> Iterator[float]:
    """Yield a little and much less, a little and much more."""
    for factor in (0.5, 0.75, 1.5, 2.0):
        other = value * factor
        if isinstance(value, int):
            other = round(other)
            if other == value:
                other += 1 if factor > 1 else -1
        else:
            other = float(f"{other:.3g}")
        yield other


def _is_legal(value: float, field: FieldInfo) -> bool:
    for bound in field.metadata:
        low = bound.ge if isinstance(bound, annotated_types.Ge) else None
        above = bound.gt if isinstance(bound, annotated_types.Gt) else None
        high = bound.le if isinstance(bound, annotated_types.Le) else None
        # They are bounds of numbers here, whatever else can be compared.
        if (low is not None and value < low) or (above is not None and value <= above):  # type: ignore[operator]
            return False
        if high is not None and value > high:  # type: ignore[operator]
            return False
    return True


def turned(settings: PolicySettings, values: Mapping[Path, float]) -> PolicySettings:
    """Return the settings with other values in these places. Raises ValueError if that is no policy."""
    return PolicySettings.model_validate(written(settings, values))


def written(settings: PolicySettings, values: Mapping[Path, float] | None = None) -> dict[str, Any]:
    """Return the settings as an administrator would write them: what differs from the defaults, and what was turned."""
    data: dict[str, Any] = copy.deepcopy(settings.model_dump(mode="json", exclude_unset=True))
    whole = settings.model_dump(mode="json")
    for path, value in (values or {}).items():
        place: Any = data
        beside: Any = whole
        for part, following in itertools.pairwise(path):
            beside = beside[part]
            if isinstance(place, dict) and part not in place:
                # A list, or points by level, has to be written whole.
                place[part] = copy.deepcopy(beside) if isinstance(following, int) or part == _LEVELS else {}
            place = place[part]
        place[path[-1]] = int(value) if float(value).is_integer() else value
    return data
