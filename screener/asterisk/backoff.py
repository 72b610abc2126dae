"""How long to wait before the next try to connect."""

from collections.abc import Callable, Iterator

FIRST = 0.1
"""Seconds before the second try: a PBX that restarts is found again at once ..."""
LONGEST = 1.5
"""... and one that stays away costs a try every second or so, for ever: it is screened within two of its return."""


def delays(draw: Callable[[], float]) -> Iterator[float]:
    """Yield waits in seconds, doubling from FIRST to LONGEST, each shortened at random by up to half.

    `draw` returns a number from 0 to 1. Without it every screener of a site would come back in the same instant.
    """
    wait = FIRST
    while True:
        yield wait * (1 - draw() / 2)
        wait = min(wait * 2, LONGEST)
