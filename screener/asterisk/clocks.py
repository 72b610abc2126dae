"""The two clocks that everything here reads."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks, both in seconds: one that never steps back, to judge by; one that people read, to write down."""

    steady: Callable[[], float]
    wall: Callable[[], float]
