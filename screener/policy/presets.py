"""The shipped presets: what each sets where the administrator says nothing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class Preset(StrEnum):
    """A policy to begin with."""

    GENTLE = "gentle"
    """Challenges only what is hardly a person: hammering, impossible numbers, floods."""
    BALANCED = "balanced"
    """Challenges campaigns that rotate their numbers, and hardly a customer."""
    STRICT = "strict"
    """Every stranger without attestation A presses one key once, and is trusted then."""


CHANGES: Final[Mapping[Preset, Mapping[str, Any]]] = {
    Preset.GENTLE: {
        "bucket": {"capacity": 5, "sustained": {"capacity": 10, "refill_per_hour": 4}},
        "signals": {
            "neighbourhood": {"thousand_capacity": 10, "block_capacity": 30, "block_per_hour": 6},
            "sweep": {"dids": 6, "dids_in_order": 4},
            "surge": {"margin": 20, "deviations": 6},
            "number": {"withheld": 1, "neighbour": 1, "odd_name": 1, "premium": 3},
            "attestation": {"points": {"failed": 2}},
            "group": {"mode": "shadow"},
        },
    },
    Preset.BALANCED: {},
    Preset.STRICT: {
        "signals": {"stranger": {"mode": "live"}},
        # Every stranger is challenged at first, so a DID with many of them is as it should be.
        "guard": {"did_share": 1},
        "trust": {"talked_share": 0},
    },
}


def with_preset(written: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """Return settings with what the preset sets where they say nothing. Values that are not understood are left."""
    signals = written.get("signals")
    if isinstance(signals, Mapping):
        # A mode alone stands for its section, and must not take the preset's figures away.
        spelled = {
            name: {"mode": one} if one is False or isinstance(one, str) else one for name, one in signals.items()
        }
        written = {**written, "signals": spelled}
    return _merged(CHANGES[preset], written)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(above)
    for key, value in below.items():
        written = merged.get(key)
        if isinstance(value, Mapping):
            if written is None:
                written = {}
            if isinstance(written, Mapping):
                merged[key] = _merged(value, written)
        elif written is None:
            merged[key] = value
    return merged
