"""A PBX, a screener and many callers, while something is broken on purpose."""

import asyncio
import itertools
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.ledger import Balance, Placed, balance, truths
from tests.lab.daemon import ALONE, DIALPLAN, PROGRAM, Daemon
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import REPO, SCENARIOS
from tests.lab.ports import choose_ports
from tests.lab.proxy import Proxy
from tests.lab.sipp import SippRun, run_sipp, sipp_agent

LONGEST_HELD: Final = 5.0
"""Seconds in Stasis that are beyond any lease: it is 0.7 s, and what is more is a busy machine's."""
FRIEND: Final = "+16465550100"
POLICY: Final[Mapping[str, Any]] = {
    "bucket": {"capacity": 3, "refill_per_hour": 1},
    "ladder": [{"score": 5, "treatment": "reject"}],
    "lists": {"allow": [FRIEND], "block": ["+1900*"]},
    "signals": ALONE,
}

_robots = itertools.count(1000)
_strangers = itertools.count(2_000_000)
_dids = itertools.count(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a storm did to the calls."""

    balance: Balance
    longest_ms: float
    """From INVITE to the destination's answer."""
    sipp: SippRun


def together(results: Sequence[Result]) -> Result:
    """Return the ledger of several runs as that of one."""
    kept = [result.balance for result in results]
    counts = ("placed", "answered", "as_policy", "let_through", "forgotten")
    return Result(
        balance=Balance(
            **{name: sum(getattr(one, name) for one in kept) for name in counts},
            lost=[sentence for one in kept for sentence in one.lost],
            longest_held=max(one.longest_held for one in kept),
        ),
        longest_ms=max(result.longest_ms for result in results),
        sipp=SippRun(
            calls=sum(result.sipp.calls for result in results),
            failed=sum(result.sipp.failed for result in results),
            response_ms=[time for result in results for time in result.sipp.response_ms],
            errors="".join(result.sipp.errors for result in results),
        ),
    )


class Storm:
    """What a fault may break."""

    def __init__(self, root: Path, pbx: Pbx, proxy: Proxy, daemon: Daemon) -> None:
        self.root = root
        self.pbx = pbx
        self.proxy = proxy
        self.daemon = daemon
        self.daemons = [daemon]
        """All that were ever started."""

    async def weather(
        self, fault: Callable[["Storm"], Awaitable[None]], *, calls: int, rate: float, hold: float = 0.3
    ) -> Result:
        """Make calls while `fault` goes on; it is cancelled when the last call has ended."""
        placed = list(itertools.islice(mixed(), calls))
        breaking = asyncio.Task(_forever(fault, self))
        try:
            run = await self.place(placed, rate=rate, hold=hold)
        finally:
            breaking.cancel()
            (ended,) = await asyncio.gather(breaking, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        await self._settled()
        return Result(balance=balance(placed, truths(self.pbx)), longest_ms=max(run.response_ms, default=0.0), sipp=run)

    async def place(self, placed: Sequence[Placed], *, rate: float, hold: float = 0.3) -> SippRun:
        """Place these calls and return when the last has ended; a refusal is an end as good as any."""
        return await run_sipp(
            self.root, self.pbx.ports.sip, [(call.caller, call.did) for call in placed],
            rate=rate, count=len(placed), hold=hold, scenario=SCENARIOS / "uac_any.xml",
        )  # fmt: skip

    async def restart(self) -> None:
        """Start the daemon again as systemd does: what it held is freed first."""
        await self.daemon.stop()
        await self.command("release")
        await self.daemon.start()

    async def command(self, *args: str) -> str:
        """Run one of the commands and return what it prints."""
        config = str(self.daemon.config)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "screener", *args, *([config] if args[0] == "check" else ["--config", config]),
            stdin=DEVNULL, stdout=PIPE, stderr=asyncio.subprocess.STDOUT, cwd=REPO, env=self.daemon.environment,
        )  # fmt: skip
        printed, _ = await process.communicate()
        return printed.decode()

    async def _settled(self) -> None:
        """Wait until no channel is left: the records of all calls are written then."""
        while "0 active channels" not in await self.pbx.cli("core show channels count"):
            pass


async def _forever(fault: Callable[[Storm], Awaitable[None]], storm: Storm) -> None:
    await fault(storm)
    await asyncio.Event().wait()


def mixed() -> Iterator[Placed]:
    """Yield callers of four kinds: strangers, a friend, blocked numbers, and a robot that calls far too often."""
    robot = f"+1646555{next(_robots)}"
    for number in itertools.count():
        did = f"212{next(_dids)}"
        match number % 10:
            case 3:
                yield Placed(caller=FRIEND, did=did, due="pass")
            case 5:
                yield Placed(caller=f"+1900555{number % 10_000:04}", did=did, due="reject")
            case 7:
                yield Placed(caller=robot, did=did, due="reject", free=3)
            case _:
                yield Placed(caller=f"+1312{next(_strangers)}", did=did, due="pass")


@asynccontextmanager
async def storm(
    root: Path,
    *,
    variables: Mapping[str, str] | None = None,
    asterisk: Mapping[str, Any] | None = None,
    program: Sequence[str] = PROGRAM,
    screened: bool = True,
) -> AsyncIterator[Storm]:
    """Start a PBX with agents who answer, and a proxy before its REST interface; if `screened`, a daemon behind it."""
    agent = choose_ports().agent
    settings = Settings(dialplan=[DIALPLAN], quiet=True, variables=variables or {})
    async with (
        sipp_agent(root, agent),
        Pbx(root, "storm", settings, agent_port=agent) as pbx,
        Proxy(pbx) as proxy,
    ):
        known = {"url": proxy.url, **(asterisk or {})}
        opened = Storm(root, pbx, proxy, Daemon(pbx, POLICY, asterisk=known, name="storm-screener", program=program))
        try:
            if screened:
                await opened.daemon.start()
            yield opened
        finally:
            for daemon in opened.daemons:
                await daemon.stop()
