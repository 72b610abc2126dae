"""A random schedule of faults under load: `SEED=7 MINUTES=30 python -m tests.chaos.nemesis`."""

import asyncio
import os
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos import faults
from tests.chaos.faults import Break
from tests.chaos.storm import LONGEST_HELD, Result, Storm, storm, together
from tests.lab.daemon import NOT_RUNNING
from tests.lab.places import LabError
from tests.lab.root import ensure_root

MINUTES: Final = 30.0
RATE: Final = 30
CHUNK: Final = 600
"""Calls between two looks at the ledger."""

FAULTS: Final[Mapping[str, Break]] = {
    "kill": faults.kill,
    "kill and leave": faults.kill_and_leave,
    "hang": faults.hang,
    "restart": faults.restart,
    "hand over": faults.hand_over,
    "cut": faults.cut,
    "half open": faults.deafen,
    "slow": faults.slow_down,
    "disk full": faults.fill_disk,
    "no descriptors": faults.use_up_files,
    "no memory": faults.use_up_memory,
    "reload": faults.reload,
}
"""What may strike at any time; the others need a daemon or a PBX of their own."""
TOGETHER: Final = ("cut", "half open", "slow", "disk full")
"""What may strike while something else does."""
ALONE: Final = frozenset({"hand over", "reload"})
"""What strikes alone: a first daemon that never hears of the second takes its calls back, and one that starts while its
configuration is broken does not start. Neither loses a call, but neither ends as the fault has it."""
CALM_SECONDS: Final = 30.0
"""How long the screener may take to recover when all is over; it takes some three."""


class Nemesis:
    """Draws faults; the same seed draws the same ones."""

    def __init__(self, seed: int, *, loud: bool = False) -> None:
        self.seed = seed
        self.loud = loud
        self.struck: list[str] = []
        """What struck, in order."""
        self._draw = random.Random(seed)
        self._striking: asyncio.Future[list[None]] | None = None

    async def strike(self, opened: Storm) -> None:
        """Strike at random moments, for ever; what has begun is always mended."""
        begun = time.monotonic()
        while True:
            await asyncio.sleep(self._draw.uniform(0.1, 1.5))
            names = [self._draw.choice(list(FAULTS))]
            if names[0] not in ALONE and self._draw.random() < 0.3:
                names.append(self._draw.choice([name for name in TOGETHER if name != names[0]]))
            self.struck.append(" and ".join(names))
            if self.loud:
                print(f"{time.monotonic() - begun:7.1f}  {self.struck[-1]}", flush=True)
            self._striking = asyncio.gather(*(_careful(FAULTS[name], opened) for name in names))
            # A fault that is cut short when the callers have gone may leave no daemon behind.
            await asyncio.shield(self._striking)

    async def over(self) -> None:
        """Wait until what has struck last is mended."""
        if self._striking is not None:
            await self._striking


async def _careful(fault: Break, opened: Storm) -> None:
    """Strike, where the other fault has left something to strike at."""
    try:
        await fault(opened)
    except (ProcessLookupError, FileNotFoundError):
        pass
    except LabError as error:
        if NOT_RUNNING not in str(error):
            raise


async def rounds(root: Path, nemesis: Nemesis, seconds: float) -> list[Result]:
    """Place calls under the nemesis for so long, and once more when it is over. Returns the ledger of each round."""
    results = []
    async with storm(root) as opened:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            results.append(await opened.weather(nemesis.strike, calls=CHUNK, rate=RATE))
            await nemesis.over()
            if nemesis.loud:
                print(f"         {results[-1].balance}", flush=True)
        async with asyncio.timeout(CALM_SECONDS):
            while (await opened.weather(faults.nothing, calls=10, rate=RATE)).balance.let_through:
                pass
        results.append(await opened.weather(faults.nothing, calls=120, rate=RATE))
    return results


def faults_of(results: list[Result]) -> list[str]:
    """Return what is wrong, a sentence for each."""
    *stormy, calm = results
    wrong = [sentence for result in results for sentence in result.balance.lost]
    wrong += [f"SIPp: {result.sipp.failed} calls failed: {result.sipp.errors[-300:]}" for result in results
              if result.sipp.failed]  # fmt: skip
    wrong += [f"a call was in Stasis for {result.balance.longest_held:.1f} s" for result in results
              if result.balance.longest_held > LONGEST_HELD]  # fmt: skip
    if calm.balance.as_policy != calm.balance.placed:
        wrong.append(f"when all was over, calls were still not treated as the policy says: {calm.balance}")
    if not any(result.balance.let_through for result in stormy):
        wrong.append("no fault was felt")
    return wrong


async def main(seed: int, minutes: float) -> bool:
    """Run, and print the ledger. Returns whether all was well."""
    print(f"SEED={seed} MINUTES={minutes:g}", flush=True)
    nemesis = Nemesis(seed, loud=True)
    results = await rounds(ensure_root(print), nemesis, minutes * 60)
    table = Table(title=f"seed {seed}: {len(nemesis.struck)} faults in {minutes:g} minutes")
    for heading in ("placed", "answered", "as the policy says", "let through", "forgotten", "lost", "longest, ms"):
        table.add_column(heading, justify="right")
    all_of_it = together(results)
    kept = all_of_it.balance
    counts = (kept.placed, kept.answered, kept.as_policy, kept.let_through, kept.forgotten, len(kept.lost))
    table.add_row(*map(str, counts), f"{all_of_it.longest_ms:.0f}")
    Console(width=110).print(table)
    wrong = faults_of(results)
    for sentence in wrong[:20]:
        print(f"  WRONG {sentence}", flush=True)
    return not wrong


def seed_wished() -> int:
    """Return the seed of the environment, or one drawn now."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(main(seed_wished(), float(os.environ.get("MINUTES") or MINUTES))) else 1)
    except LabError as error:
        sys.exit(f"nemesis: {error}")
