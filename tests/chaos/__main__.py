"""`make chaos`: every fault under load, and a table of what became of the calls. FAULTS=kill,hang for two."""

import asyncio
import os
import sys

from rich.console import Console
from rich.table import Table

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.storm import Result, storm
from tests.lab.places import LabError
from tests.lab.root import ensure_root

CALLS, RATE = 1500, 50
"""Half a minute of calls for each fault."""


async def chaos(names: list[str]) -> bool:
    """Go through the faults. Returns whether no call was lost."""
    root, results = ensure_root(print), []
    for name in names:
        fault = FAULTS[name]
        print(f"{fault.says}: {CALLS} calls, {RATE} a second ...", flush=True)
        async with storm(root, variables=fault.variables, asterisk=fault.asterisk, program=fault.program) as opened:
            result = await opened.weather(fault.go_on, calls=CALLS, rate=RATE)
        results.append((fault, result))
        for sentence in result.balance.lost[:10]:
            print(f"  LOST {sentence}", flush=True)
    Console(width=150).print(_table(results))
    return not any(result.balance.lost or result.sipp.failed for _, result in results)


def _table(results: list[tuple[Fault, Result]]) -> Table:
    table = Table(title="what became of the calls")
    for heading in ("fault", "placed", "answered", "as the policy says", "let through", "forgotten", "lost"):
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    table.add_column("longest to answer, ms", justify="right")
    table.add_column("longest in Stasis, ms", justify="right")
    for fault, result in results:
        kept = result.balance
        counts = (kept.placed, kept.answered, kept.as_policy, kept.let_through, kept.forgotten, len(kept.lost))
        table.add_row(
            fault.says, *map(str, counts), f"{result.longest_ms:.0f}", f"{kept.longest_held * 1000:.0f}"
        )  # fmt: skip
    return table


if __name__ == "__main__":
    try:
        wanted = [name for name in os.environ.get("FAULTS", "").split(",") if name] or list(FAULTS)
        sys.exit(0 if asyncio.run(chaos(wanted)) else 1)
    except KeyError as error:
        sys.exit(f"chaos: there is no fault {error}; there are {', '.join(FAULTS)}")
    except LabError as error:
        sys.exit(f"chaos: {error}")
