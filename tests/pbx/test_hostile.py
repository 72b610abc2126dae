"""What a caller can send reaches variables, journal and terminal harmlessly."""

import asyncio
import subprocess
import sys
import time

import pytest

from screener.memory.reader import JournalReader
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx
from tests.lab.places import SCENARIOS
from tests.lab.sipp import run_sipp

pytestmark = pytest.mark.pbx

HOSTILE = {
    "sql": "\"'\\; DROP TABLE calls\" <sip:'%3B%20DROP%20TABLE%20calls@127.0.0.1>".replace("\\;", "%3B"),
    "long": f"<sip:{'9' * 300}@127.0.0.1>",
    "control": '"evil\x1b[31m\x07" <sip:%1b%5b2J%0d%0a@127.0.0.1>',
    "html": '"<script>alert(1)</script>" <sip:%3Cb%3E1%3C%2Fb%3E@127.0.0.1>',
    "dialplan": '"${SHELL(touch /tmp/owned)}" <sip:$%7BSHELL(id)%7D@127.0.0.1>',
    "arabic": '"a" <sip:%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5%D9%A6%D9%A7@127.0.0.1>',
}


async def test_hostile_callers_are_judged_journalled_and_shown_safely(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with Daemon(pbx, {"ladder": []}) as daemon:
        calls = [(sender, f"21255502{n:02}", "X-Nothing: here") for n, sender in enumerate(HOSTILE.values())]
        begun = time.time()
        run = await run_sipp(
            lab.root, pbx.ports.sip, calls, rate=5, count=len(calls), hold=0.2, scenario=SCENARIOS / "uac_hostile.xml"
        )
        assert run.failed == 0, run.errors
        await observer.wait(len(calls), matches=lambda one: one.began_at >= begun - 0.05)
        await daemon.stop()
        with JournalReader(daemon.journal) as journal:
            recorded = journal.calls()
        assert sorted(call.call.did for call in recorded) == [f"+121255502{n:02}" for n in range(len(calls))]
        assert {str(call.call.caller.kind) for call in recorded} <= {"malformed", "foreign-script", "withheld"}
        shown = await asyncio.to_thread(
            subprocess.check_output, [sys.executable, "-m", "screener", "calls", "--config", str(daemon.config)]
        )
        assert len(shown.splitlines()) >= len(calls)
        assert not set(range(32)) & set(shown) - {10}
        assert not any("Traceback" in line or "ERROR" in line for line in daemon.log)
