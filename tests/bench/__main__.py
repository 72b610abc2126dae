"""Measures the delay from INVITE to the destination's answer, screened and plain in turns, in one run."""

import asyncio
import itertools
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import LabError
from tests.lab.ports import choose_ports
from tests.lab.root import ensure_root
from tests.lab.sipp import run_sipp, sipp_agent

ROUNDS, CALLS, RATE, HOLD = 5, 200, 40, 0.3
"""Rounds of each kind, calls in a round, calls a second, and seconds that a call lasts."""
DIDS = {"plain": "92125550100", "screened": "2125550100"}
"""9 before the number goes past the screener."""
POLICY: Mapping[str, Any] = {"ladder": []}


def callers() -> Iterator[str]:
    """Yield ever new numbers."""
    return (f"+1212{number:07}" for number in itertools.count(2_000_000))


async def measure(rest: str) -> dict[str, list[float]]:
    """Return the milliseconds of all calls, plain and screened."""
    root, numbers = ensure_root(print), callers()
    found: dict[str, list[float]] = {kind: [] for kind in DIDS}
    agent = choose_ports().agent
    settings = Settings(dialplan=[DIALPLAN], quiet=True)
    async with (
        sipp_agent(root, agent),
        Pbx(root, "bench", settings, agent_port=agent) as pbx,
        Daemon(pbx, POLICY, asterisk={"rest": rest}) as daemon,
    ):
        print(f"{daemon.log[-1].partition(': ')[2]}; {ROUNDS} rounds of {CALLS} calls, {RATE} a second")
        for number in range(ROUNDS + 1):
            for kind, did in DIDS.items():
                calls = [(next(numbers), did) for _ in range(CALLS)]
                run = await run_sipp(root, pbx.ports.sip, calls, rate=RATE, count=CALLS, hold=HOLD)
                if run.failed:
                    raise LabError(f"{run.failed} of {run.calls} calls failed: {run.errors[-500:]}")
                if number:  # the first round warms both up
                    found[kind] += run.response_ms
                print(f"  round {number}, {kind}: median {statistics.median(run.response_ms):.1f} ms")
        screened = sum("verdict=" in line for line in daemon.log)
        if screened != CALLS * (ROUNDS + 1):
            raise LabError(f"{screened} calls were screened instead of {CALLS * (ROUNDS + 1)}.")
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of all lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def bench() -> None:
    """Measure by both ways of making requests, and print the table."""
    table = Table(title="milliseconds from INVITE to the destination's answer")
    for heading in ("requests over", "plain median", "screened median", "added", "plain p99", "screened p99", "added"):
        table.add_column(heading, justify="right")
    for rest in ("websocket", "http"):
        found = await measure(rest)
        cells = []
        for share in (0.5, 0.99):
            plain, screened = (percentile(found[kind], share) for kind in DIDS)
            cells += [f"{plain:.1f}", f"{screened:.1f}", f"{screened - plain:+.1f}"]
        table.add_row(rest, *cells)
    Console(width=None if sys.stdout.isatty() else 110).print(table)


if __name__ == "__main__":
    try:
        asyncio.run(bench())
    except LabError as error:
        sys.exit(f"bench: {error}")
