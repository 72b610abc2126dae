"""A signal with its name and the settings it belongs to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from screener.policy.call import Call
from screener.policy.remembered import Remembered

if TYPE_CHECKING:
    from screener.policy.policy import Policy

Finding = tuple[float, str]
"""Points, and a sentence with the figures in it."""
Signal = Callable[[Call, Remembered, "Policy", float], Finding | None]


class Rule(NamedTuple):
    """A signal as a policy applies it."""

    code: str
    """Stable and short, for machines: it stands in CDRs and is never renamed."""
    section: str
    """The section of `policy.signals` that holds its mode, its points and its figures."""
    look: Signal
    """Return what is found, or None for nothing."""
