"""An hour's calls, made faster, and what the daemon's memory does: `python -m tests.chaos.memory [CALLS]`."""

import asyncio
import itertools
import os
import sys

from rich.console import Console
from rich.table import Table

from tests.chaos.hangups import resident_kb
from tests.chaos.ledger import Placed, balance, truths
from tests.chaos.storm import mixed, storm
from tests.lab.places import LabError
from tests.lab.root import ensure_root

CALLS, STEP, WARM, RATE = 36_000, 1000, 5000, 100
MORE = 1.1
"""Memory at the end, as a multiple of that after the first WARM calls."""


async def main(calls: int) -> bool:
    """Make the calls. Returns whether memory stayed and no call was lost."""
    root, source, placed = ensure_root(print), mixed(), list[Placed]()
    table = Table(title=f"{calls} calls, {RATE} a second")
    for heading in ("calls", "resident, kB", "descriptors", "threads"):
        table.add_column(heading, justify="right")
    kept, failed = {}, 0
    async with storm(root) as opened:
        while len(placed) < calls:
            some = list(itertools.islice(source, STEP))
            run = await opened.place(some, rate=RATE, hold=0.1)
            placed += some
            failed += run.failed
            pid = opened.daemon.pid
            kept[len(placed)] = resident_kb(pid)
            counts = (len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task")))
            table.add_row(f"{len(placed)}", f"{kept[len(placed)]}", *map(str, counts))
            print(f"{len(placed)} calls: {kept[len(placed)]} kB", flush=True)
        found = balance(placed, truths(opened.pbx))
    Console(width=80).print(table)
    ratio = kept[calls] / kept[min(WARM, calls)]
    print(f"memory at the end is {ratio:.3f} times that after {min(WARM, calls)} calls; {len(found.lost)} calls lost, "
          f"{failed} failed, {found.as_policy} as the policy says, {found.let_through} let through")  # fmt: skip
    return ratio <= MORE and not found.lost and not failed


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)) else 1)
    except LabError as error:
        sys.exit(f"memory: {error}")
