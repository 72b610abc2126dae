"""`make chaos`: every fault under load, and a table of what became of the calls. FAULTS=kill,hang for two."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.faults import FAULTS, Fault, nothing
from tests.chaos.rebirth import ENDS, HELD, rebirth
from tests.chaos.storm import Result, storm
from tests.chaos.unit import struck
from tests.lab.places import LabError
from tests.lab.root import ensure_root

CALLS, RATE = 1500, 50
"""Half a minute of calls for each fault."""
TIMES = 10
"""How often each strikes under systemd, where a restart takes some three seconds, and a hang five more."""
BROADCAST = {"SCREENER_ENTRY": "broadcast"}
UNDER_SYSTEMD: Mapping[str, tuple[signal.Signals, Mapping[str, str]]] = {
    "systemd: kill -9, ten times": (signal.SIGKILL, {}),
    "systemd: hung, ten times": (signal.SIGSTOP, {}),
    "systemd: hung, ten times, StasisBroadcast": (signal.SIGSTOP, BROADCAST),
}
"""With the shipped unit."""


async def chaos(wished: list[str]) -> bool:
    """Go through the faults, all of them unless some are wished. Returns whether no call was lost."""
    root, results = ensure_root(print), []
    names = wished or list(FAULTS)
    for name in names:
        fault = FAULTS[name]
        print(f"{fault.says}: {CALLS} calls, {RATE} a second ...", flush=True)
        async with storm(root, variables=fault.variables, asterisk=fault.asterisk, program=fault.program) as opened:
            result = await opened.weather(fault.go_on, calls=CALLS, rate=RATE)
        results.append((fault, result))
        for sentence in result.balance.lost[:10]:
            print(f"  LOST {sentence}", flush=True)
    if not wished:
        for says, (number, variables) in UNDER_SYSTEMD.items():
            print(f"{says}: {RATE} calls a second ...", flush=True)
            result = await struck(root, number, times=TIMES, rate=RATE, **variables)
            results.append((Fault(says=says, strike=nothing), result))
    Console(width=150).print(_table(results))
    fine = not any(result.balance.lost or result.sipp.failed for _, result in results)
    return fine if wished else await _reborn(root) and fine


async def _reborn(root: Path) -> bool:
    """End Asterisk itself, which costs the calls in it, and print how soon its calls are screened again."""
    table = Table(title="when Asterisk itself ends")
    for heading in ("what ends it", "calls in it", "ended with it", "calls after", "as the policy says", "lost"):
        table.add_column(heading)
    table.add_column("screened again after, ms", justify="right")
    lost = 0
    for says in ENDS:
        print(f"{says} ...", flush=True)
        seen = await rebirth(root, says, calls=CALLS // 5, rate=RATE)
        kept = seen.after.balance
        lost += len(kept.lost)
        counts = (HELD, seen.ended_with_it, kept.placed, kept.as_policy, len(kept.lost))
        table.add_row(says, *map(str, counts), f"{seen.judging_after * 1000:.0f}")
    Console(width=150).print(table)
    return not lost


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
        wanted = [name for name in os.environ.get("FAULTS", "").split(",") if name]
        sys.exit(0 if asyncio.run(chaos(wanted)) else 1)
    except KeyError as error:
        sys.exit(f"chaos: there is no fault {error}; there are {', '.join(FAULTS)}")
    except LabError as error:
        sys.exit(f"chaos: {error}")
