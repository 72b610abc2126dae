"""Callers who hang up at every step of a call, and what is left of them: `python -m tests.chaos.hangups [CALLS]`."""

import asyncio
import gc
import itertools
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from screener.asterisk.clocks import Clocks
from screener.asterisk.connection import AriConnection
from screener.asterisk.desk import Desk
from screener.asterisk.gate import Gate
from screener.asterisk.load import Load
from screener.asterisk.rest import Request
from screener.asterisk.settings import AriSettings, OverloadSettings
from screener.memory.journal import Journal
from screener.memory.local import LocalMemory
from screener.memory.reader import JournalReader, Recorded
from screener.memory.settings import JournalSettings
from screener.policy.policy import compile_policy
from screener.policy.settings import PolicySettings
from tests.lab.daemon import ALONE, BOX, DIALPLAN
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import SCENARIOS, LabError
from tests.lab.ports import choose_ports
from tests.lab.quitters import Quitters, callers
from tests.lab.root import ensure_root
from tests.lab.sipp import sipp_agent

CALLS, RATE = 10_000, 50
LAST_SECONDS: Final = 60.0
"""How long the last calls may take to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A moment at which callers hang up."""

    says: str
    block: str
    """How their numbers begin: the policy treats each block in its own way."""
    patience: tuple[float, ...]
    """Seconds after which an unanswered call is taken back; callers take turns."""
    talk: float = 0.0
    press: str = ""
    acted: str = "pass"
    """The treatment, for calls that got as far as a verdict that was carried out."""
    results: frozenset[str] = frozenset({""})
    """The outcomes that such a call may have."""


CAPTCHA, MENU, VOICEMAIL, ANNOUNCE, FRIEND, RINGS = "+1312", "+1313", "+1314", "+1315", "+1646", "+1647"
ABANDONED: Final = frozenset({"abandoned"})
STEPS: Final[Mapping[str, Step]] = {
    "judging": Step(
        says="taken back before the claim, and while it is judged",
        block=RINGS,
        patience=tuple(number / 1000 for number in range(12)),
    ),
    "prompt": Step(
        says="in the captcha's prompt", block=CAPTCHA, patience=(9.0,), talk=0.3, acted="captcha", results=ABANDONED
    ),
    "digits": Step(
        says="between two digits of it", block=CAPTCHA, patience=(9.0,), talk=0.3, press="4",
        acted="captcha", results=ABANDONED,
    ),
    "menu": Step(says="in the menu", block=MENU, patience=(9.0,), talk=0.3, acted="menu", results=ABANDONED),
    "greeting": Step(
        says="in the mailbox's greeting", block=VOICEMAIL, patience=(9.0,), talk=0.2,
        acted="voicemail", results=ABANDONED,
    ),
    "name": Step(
        says="while it says its name", block=ANNOUNCE, patience=(9.0,), talk=0.3, acted="announce", results=ABANDONED
    ),
    "asked": Step(
        says="while the callee is asked", block=ANNOUNCE, patience=(9.0,), talk=3.5, acted="announce", results=ABANDONED
    ),
    "ringing": Step(says="while the destination rings", block=RINGS, patience=(0.2, 0.3, 0.5)),
    "talking": Step(says="as soon as the destination answers", block=FRIEND, patience=(9.0,), talk=0.0),
    "talked": Step(says="after a word with the destination", block=FRIEND, patience=(9.0,), talk=0.3),
}  # fmt: skip
RECORDING: Final = Step(
    says="while it leaves a message", block=VOICEMAIL, patience=(9.0,), talk=6.0,
    acted="voicemail", results=frozenset({"abandoned", "recorded"}),
)  # fmt: skip
"""Takes its time: not among the many."""

POLICY: Final[Mapping[str, Any]] = {
    "mode": "live",
    "region": "US",
    "voicemail": {"mailbox": BOX, "options": "s"},
    "bucket": {"capacity": 1000, "refill_per_hour": 1000},
    "signals": {**ALONE, "attestation": {"points": {"none": 5}}},
    "lists": {"allow": [f"{FRIEND}*", f"{RINGS}*"]},
    "ladder": [{"score": 5, "treatment": "captcha"}],
    "guard": {"did_share": 1, "trusted_share": 1},  # it would soon call these challenges a mistake
    "dids": {
        "+12125550002": {"ladder": [{"score": 5, "treatment": "menu"}]},
        "+12125550003": {"ladder": [{"score": 5, "treatment": "voicemail"}]},
        "+12125550004": {"ladder": [{"score": 5, "treatment": "announce"}]},
    },
    "announce": {"dial": "PJSIP/agent", "ask_name": ["silence/1"], "hold": [], "name_seconds": 1},
}
DIDS: Final = {MENU: "+12125550002", VOICEMAIL: "+12125550003", ANNOUNCE: "+12125550004"}

_strangers = itertools.count(2_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What there is, counted from within and from without."""

    tasks: int
    """Of the gate: one for each call that is being judged."""
    asyncio_tasks: int
    held: int
    followed: int
    caught_up: int
    subscriptions: int
    """Of the application, as Asterisk has them."""
    channels: int
    descriptors: int
    memory_kb: int


def resident_kb(pid: int | str = "self") -> int:
    """Return how much memory a process has, in kB."""
    found = re.search(r"^Rss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


class Inside:
    """The product's own parts in this process, where they can be counted."""

    def __init__(self, pbx: Pbx, journal: Path) -> None:
        settings = AriSettings.model_validate({"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user})
        self.pbx = pbx
        self.path = journal
        self.connection = AriConnection(settings, pbx.ari_password)
        self.journal = Journal(JournalSettings(path=journal))
        policy = compile_policy(PolicySettings.model_validate(POLICY))
        self.load = Load(OverloadSettings(), time.monotonic)
        self.desk = Desk(
            memory=LocalMemory(seed=1, callers=1 << 16), record=self.journal, policy=lambda: policy,
            clocks=Clocks(steady=time.monotonic, wall=time.time), load=self.load,
        )  # fmt: skip
        self.gate = Gate(self.connection, self.desk, application="screener", pepper=b"x")

    async def left(self) -> Left:
        """Count, when all channels have ended and Asterisk has told us so."""
        gc.collect()
        (answer,) = await self.connection.send(Request(method="GET", path="applications/screener"))
        return Left(
            tasks=len(self.gate.tasks),
            asyncio_tasks=len(asyncio.all_tasks()),
            held=len(self.desk._held),
            followed=len(self.desk._followed),
            caught_up=len(self.gate._caught_up),
            subscriptions=len(json.loads(answer.body)["channel_ids"]),
            channels=int((await self.pbx.cli("core show channels count")).split()[0]),
            descriptors=len(os.listdir("/proc/self/fd")),
            memory_kb=resident_kb(),
        )

    async def settled(self) -> None:
        """Wait until every call is over, for Asterisk and for the gate."""
        async with asyncio.timeout(LAST_SECONDS):
            while "0 active channels" not in await self.pbx.cli("core show channels count"):
                pass
            while self.desk._followed or self.desk._held:
                await self.pbx.cli("core show uptime")

    def recorded(self) -> list[Recorded]:
        """Close the journal and return all of it."""
        self.journal.close()
        with JournalReader(self.path) as reader:
            return reader.calls(limit=1_000_000)


@asynccontextmanager
async def inside(root: Path, entry: str, directory: Path) -> AsyncIterator[Inside]:
    """Start a PBX with agents who answer or let it ring, and the product before it."""
    agent = choose_ports().agent
    settings = Settings(dialplan=[DIALPLAN], quiet=True, variables={"SCREENER_ENTRY": entry})
    async with (
        sipp_agent(root, agent, SCENARIOS / "uas_ring.xml"),
        Pbx(root, "hangups", settings, agent_port=agent) as pbx,
    ):
        opened = Inside(pbx, directory / "journal.sqlite")
        opened.journal.start()
        running = asyncio.Task(opened.connection.run(opened.gate))
        watching = asyncio.Task(opened.load.watch())
        await opened.connection.ready.wait()
        try:
            yield opened
        finally:
            opened.connection.close()
            await running
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            opened.journal.close()


async def hang_up(quitters: Quitters, step: Step, number: int) -> str:
    """Place one call and hang up at the step. Returns the caller's number."""
    caller = f"{step.block}{next(_strangers)}"
    patience = step.patience[number % len(step.patience)]
    await quitters.call(
        caller, DIDS.get(step.block, "+12125550001"), patience=patience, talk=step.talk, press=step.press
    )
    return caller


async def many(opened: Inside, calls: int, rate: float) -> None:
    """Place calls that are hung up at all steps in turn, `rate` a second."""
    async with callers(opened.pbx.ports.sip) as quitters, asyncio.TaskGroup() as group:
        begun = time.monotonic()
        for number, step in zip(range(calls), itertools.cycle(STEPS.values()), strict=False):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            group.create_task(hang_up(quitters, step, number // len(STEPS)))
    await opened.settled()


def wrong(calls: list[Recorded]) -> list[str]:
    """Return what is wrong with the journal of such calls, a sentence for each."""
    found = []
    by_block = {step.block: step for step in (RECORDING, *STEPS.values())}
    for call in calls:
        step = next(step for block, step in by_block.items() if call.call.caller.key.startswith(block))
        shown = "+".join(str(outcome.result) for outcome in call.outcomes)
        where = f"{call.call.caller.key}: {call.verdict.acted}, {shown or 'no outcome'}"
        if call.ended_at is None:
            found.append(f"{where}: its end is missing")
        # One that was over before its verdict could be carried out has no treatment to speak of.
        if call.verdict.acted == step.acted and shown not in step.results | {""}:
            found.append(f"{where}: expected {' or '.join(step.results)}")
        if call.verdict.acted not in (step.acted, "pass"):
            found.append(f"{where}: expected {step.acted}")
    return found


async def main(calls: int) -> bool:
    """Go through both ways in. Returns whether nothing was left behind."""
    root, console, fine = ensure_root(print), Console(width=140), True
    for entry in ("stasis", "broadcast"):
        with tempfile.TemporaryDirectory() as directory:
            async with inside(root, entry, Path(directory)) as opened:
                marks = {"before": await opened.left()}
                for share in ("first half", "second half"):
                    print(f"{entry}, {share}: {calls // 4} calls, {RATE} a second ...", flush=True)
                    await many(opened, calls // 4, RATE)
                    marks[f"after the {share}"] = await opened.left()
                recorded = opened.recorded()
        table = Table(title=f"what {calls // 2} callers who hung up leave behind ({entry})")
        table.add_column("")
        names = list(asdict(marks["before"]))
        for name in names:
            table.add_column(name.replace("_", " "), justify="right")
        for when, left in marks.items():
            table.add_row(when, *(str(count) for count in asdict(left).values()))
        console.print(table)
        print(Counter(str(call.verdict.acted) for call in recorded), flush=True)
        faults = wrong(recorded)
        for sentence in faults[:10]:
            print(f"  WRONG {sentence}", flush=True)
        before, half, after = marks.values()
        same = all(getattr(before, name) == getattr(after, name) for name in names if name != "memory_kb")
        fine = fine and not faults and same and after.memory_kb <= half.memory_kb * 1.1
    return fine


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)) else 1)
    except LabError as error:
        sys.exit(f"hangups: {error}")
