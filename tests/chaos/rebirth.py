"""Asterisk itself ends, in order or by kill -9, and comes back: what becomes of its calls, and of the screening."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.faults import nothing
from tests.chaos.ledger import truths
from tests.chaos.storm import Result, Storm, mixed, storm

HELD: Final = 30
"""Calls that go on when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebirth:
    """What became of it all."""

    ended_with_it: int
    """Calls of the HELD whose end Asterisk did not live to see."""
    judging_after: float
    """Seconds from Asterisk's return until the daemon had its calls again."""
    after: Result
    """Calls that came from that moment on."""


async def gracefully(opened: Storm) -> None:
    """Let it end when its calls have."""
    await opened.pbx.cli("core stop gracefully")
    await opened.pbx.gone()


async def by_force(opened: Storm) -> None:
    """Kill it as a power cut would."""
    await opened.pbx.kill()


ENDS: Final = {"Asterisk restarted gracefully": gracefully, "Asterisk killed with -9": by_force}


async def rebirth(root: Path, says: str, *, calls: int, rate: float) -> Rebirth:
    """End Asterisk as `says` says while it has calls, start it again, and go on calling."""
    async with storm(root) as opened:
        placed = list(itertools.islice((call for call in mixed() if call.due == "pass" and not call.free), HELD))
        talking = asyncio.Task(opened.place(placed, rate=60, hold=3.0))
        while f"{HELD} active calls" not in await opened.pbx.cli("core show channels count"):
            assert not talking.done()
        before = len(opened.daemon.log)
        await ENDS[says](opened)
        if ENDS[says] is gracefully:
            await talking
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        found = truths(opened.pbx)
        await opened.pbx.start()
        returned = time.monotonic()
        await opened.daemon.logged("connected to Asterisk", after=before)
        judging_after = time.monotonic() - returned
        after = await opened.weather(nothing, calls=calls, rate=rate)
    cut = sum("HANGUP" not in found[call.did].events for call in placed)
    return Rebirth(ended_with_it=cut, judging_after=max(0.0, judging_after), after=after)
