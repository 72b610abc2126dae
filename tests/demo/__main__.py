"""Runs the demo. Environment: ONCE=1 stops after the table; REST=http or websocket fixes the way that requests take."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.demo.play import Row, play
from tests.demo.scenes import DID, POLICY
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import open_lab
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import LabError

WIDTH = 100
"""Columns of the table where the output is no terminal."""
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
STARTED = time.monotonic()


def tell(line: str) -> None:
    """Print one line, with the seconds since the start."""
    told = Text.assemble((f"{time.monotonic() - STARTED:6.1f}  ", "dim"), line) if line else Text("")
    console.print(told, soft_wrap=True)


def table(rows: Sequence[Row]) -> Table:
    """Return what was expected beside what the PBX did."""
    shown = Table(title="What became of the calls, as the PBX saw it", show_lines=False)
    for heading in ("", "caller", "expected", "observed at the PBX", "reasons"):
        shown.add_column(heading, overflow="fold")
    for row in rows:
        mark = Text("as expected", "green") if row.as_expected else Text("DIFFERS", "bold red")
        shown.add_row(mark, Text(row.caller), Text(row.expected), Text(row.observed), Text(row.reasons))
    return shown


async def demo(once: bool, rest: str) -> bool:
    """Play, show the table, and unless `once`, stay up until Ctrl-C. Returns whether all went as expected."""
    tell("starting an Asterisk of our own, and a second one that is the telephone network")
    async with open_lab(tell) as lab:
        pbx = await lab.pbx(Settings(dialplan=[DIALPLAN]))
        tell("both are up; starting screener")
        daemon = Daemon(pbx, POLICY, asterisk={"rest": rest})
        try:
            await daemon.start()
            tell(daemon.log[-1].partition(": ")[2])
            tell("the callers below hear only audio: whoever types digits has recognised them by ear")
            rows = await play(lab.world, pbx, daemon, tell)
            console.print()
            console.print(table(rows))
            fine = all(row.as_expected for row in rows)
            tell(f"{sum(row.as_expected for row in rows)} of {len(rows)} calls went as expected")
            if not once:
                await _stay(pbx, daemon)
        finally:
            await daemon.stop()
    return fine


async def _stay(pbx: Pbx, daemon: Daemon) -> None:
    await daemon.stop()
    await daemon.start()
    tell("")
    tell("screener runs again. Call it yourself: any softphone on this machine, no registration,")
    tell(f"    sip:{DID}@127.0.0.1:{pbx.ports.sip};transport=udp")
    tell("Its account's user name is the caller ID. The fourth call in a row meets the captcha.")
    tell(f"    .venv/bin/screener calls --follow --config {daemon.config}")
    tell("Ctrl-C ends it all.")
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(demo(os.environ.get("ONCE") == "1", os.environ.get("REST", "auto"))) else 1)
    except LabError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
