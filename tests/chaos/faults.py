"""The faults: each a coroutine that breaks something, mends it, and does so again until it is cancelled."""

import asyncio
import os
import resource
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.storm import Storm

Break = Callable[[Storm], Awaitable[None]]
PAUSE: Final = 0.7
"""Seconds between two blows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table."""

    says: str
    strike: Break
    """Breaks something once, and mends it."""
    asterisk: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the connection."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """[globals] of the dialplan."""
    program: tuple[str, ...] = ("-m", "screener")
    """What Python runs for the daemon."""
    forgets: bool = False
    """Whether the daemon dies without a chance to write down the last half second."""
    shows: str | None = None
    """A reason that some call must have been let through for, so that a fault that does nothing is seen."""

    async def go_on(self, storm: Storm) -> None:
        """Strike again and again."""
        while True:
            await asyncio.sleep(PAUSE)
            await self.strike(storm)


async def nothing(_storm: Storm) -> None:
    """Break nothing."""


async def kill(storm: Storm) -> None:
    """kill -9, and what systemd does then."""
    storm.daemon.kill()
    await storm.restart()


async def kill_and_leave(storm: Storm) -> None:
    """kill -9, and nothing comes for a while."""
    storm.daemon.kill()
    await asyncio.sleep(1.5)
    await storm.restart()


async def hang(storm: Storm) -> None:
    """Stop the process for longer than the lease."""
    storm.daemon.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(1.2)
    finally:
        storm.daemon.signal(signal.SIGCONT)


async def restart(storm: Storm) -> None:
    """An orderly end and a start."""
    await storm.daemon.stop()
    await storm.restart()


async def hand_over(storm: Storm) -> None:
    """A second daemon takes the application over; the first finishes what it holds and ends by itself."""
    old = storm.daemon
    storm.daemon = old.another(f"storm-screener-{len(storm.daemons)}")
    storm.daemons.append(storm.daemon)
    await storm.daemon.start()
    await old.ended()


async def cut(storm: Storm) -> None:
    """The network breaks the connection."""
    await storm.proxy.cut()


async def deafen(storm: Storm) -> None:
    """What Asterisk says gets lost on the way, though the connection seems to stand."""
    storm.proxy.deaf = True
    try:
        await asyncio.sleep(1.0)
    finally:
        storm.proxy.deaf = False


async def slow_down(storm: Storm) -> None:
    """What Asterisk says takes half a second longer."""
    storm.proxy.delay = 0.5
    try:
        await asyncio.sleep(1.0)
    finally:
        storm.proxy.delay = 0.0


async def fail(storm: Storm) -> None:
    """Asterisk answers every request with 500."""
    storm.proxy.failing = True
    try:
        await asyncio.sleep(1.0)
    finally:
        storm.proxy.failing = False


async def fill_disk(storm: Storm) -> None:
    """No file of the daemon can grow, as on a disk that is full."""
    with _limited(storm, resource.RLIMIT_FSIZE, 4096):
        await asyncio.sleep(2.0)


async def use_up_files(storm: Storm) -> None:
    """No file or socket can be opened, and the connection breaks just then."""
    used = len(os.listdir(f"/proc/{storm.daemon.pid}/fd"))
    with _limited(storm, resource.RLIMIT_NOFILE, used - 1):
        await storm.proxy.cut()
        await asyncio.sleep(1.5)


async def use_up_memory(storm: Storm) -> None:
    """Whatever asks the kernel for memory is refused; a daemon that dies of it is started again."""
    pages = int((await asyncio.to_thread(Path(f"/proc/{storm.daemon.pid}/statm").read_text)).split()[0])
    used = pages * resource.getpagesize()
    with _limited(storm, resource.RLIMIT_AS, used):
        await asyncio.sleep(1.5)
    if not storm.daemon.running:
        await storm.restart()


async def reload(storm: Storm) -> None:
    """Ten reloads, every other one of a file with a fault."""
    config, right = storm.daemon.config, storm.daemon.config.read_text()
    try:
        for number in range(10):
            config.write_text(right if number % 2 else right.replace("capacity", "capcity"))
            storm.daemon.signal(signal.SIGHUP)
            await asyncio.sleep(0.1)
    finally:
        config.write_text(right)


class _limited:  # noqa: N801 - used like a function
    """A resource limit of the daemon, lifted afterwards."""

    def __init__(self, storm: Storm, what: int, limit: int) -> None:
        self._pid, self._what, self._limit = storm.daemon.pid, what, limit

    def __enter__(self) -> None:
        self._before = resource.prlimit(self._pid, self._what)
        resource.prlimit(self._pid, self._what, (self._limit, self._before[1]))

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(self._pid, self._what, self._before)


RAISES: Final = (
    "-c",
    "import screener.asterisk.desk as desk; desk.judge = lambda *_: 1 / 0; from screener.cli import main; main()",
)
STEPS: Final = (
    "-c",
    "import time; real = time.time; time.time = lambda: real() + 3600 * (int(real() * 2) % 3 - 1); "
    "from screener.cli import main; main()",
)
"""A wall clock that is an hour ahead, an hour behind and right, in turns of half a second."""

FAULTS: Final[Mapping[str, Fault]] = {
    "calm": Fault(says="nothing", strike=nothing),
    "kill": Fault(says="kill -9, released and started again", strike=kill, forgets=True),
    "absent": Fault(says="kill -9, absent for 1.5 s", strike=kill_and_leave, forgets=True, shows="unscreened"),
    "hang": Fault(says="hung for 1.2 s", strike=hang, shows="lease"),
    "hang-broadcast": Fault(
        says="hung for 1.2 s, StasisBroadcast", strike=hang, variables={"SCREENER_ENTRY": "broadcast"}
    ),
    "kill-broadcast": Fault(
        says="kill -9, StasisBroadcast", strike=kill, forgets=True, variables={"SCREENER_ENTRY": "broadcast"}
    ),
    "restart": Fault(says="restarted in order", strike=restart),
    "hand-over": Fault(says="a second daemon takes over", strike=hand_over),
    "cut": Fault(says="connection cut", strike=cut),
    "deaf": Fault(says="connection half open for 1 s", strike=deafen, shows="lease"),
    "slow": Fault(says="Asterisk 0.5 s slower", strike=slow_down),
    "fail": Fault(says="Asterisk answers 500", strike=fail, asterisk={"rest": "http"}, shows="lease"),
    "raises": Fault(says="the policy raises", strike=nothing, program=RAISES, shows="error"),
    "disk": Fault(says="disk full", strike=fill_disk),
    "files": Fault(says="no file descriptor left, and cut", strike=use_up_files),
    "memory": Fault(says="no memory to be had", strike=use_up_memory, forgets=True),
    "reload": Fault(says="reloads, right and wrong", strike=reload),
    "clock": Fault(says="wall clock steps by hours", strike=nothing, program=STEPS),
}
