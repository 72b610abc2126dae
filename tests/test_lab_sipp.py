import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx
from tests.lab.places import SCENARIOS
from tests.lab.ports import free_ports
from tests.lab.sipp import run_sipp, sipp_agent

pytestmark = pytest.mark.pbx


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(lab: Lab) -> AsyncIterator[Pbx]:
    (port,) = free_ports(socket.SOCK_DGRAM, 1)
    async with Pbx(lab.root, "sipped", agent_port=port) as running, sipp_agent(lab.root, port):
        yield running


async def test_many_calls_are_answered_and_timed(pbx: Pbx) -> None:
    run = await run_sipp(pbx.root, pbx.ports.sip, [("+15551234567", "4421")], rate=40, count=40, hold=0.2)
    assert (run.calls, run.failed, len(run.response_ms)) == (40, 0, 40)
    assert all(0 < one < 1000 for one in run.response_ms)


async def test_two_runs_do_not_disturb_each_other(pbx: Pbx) -> None:
    for _ in range(2):
        run = await run_sipp(pbx.root, pbx.ports.sip, [("+15551234567", "4421")], rate=20, count=10, hold=0.1)
        assert (run.calls, run.failed) == (10, 0)


async def test_a_caller_may_write_anything_into_from(pbx: Pbx) -> None:
    observer, begun = Observer(pbx), time.time()
    callers = [('"\udcff" <sip:1234@127.0.0.1>', "1001", "X-Spam: yes"), ("<sip:a%0d%0ab@evil.invalid>", "1002", "")]
    run = await run_sipp(
        pbx.root, pbx.ports.sip, callers, rate=10, count=2, hold=0.1, scenario=SCENARIOS / "uac_hostile.xml"
    )
    assert (run.calls, run.failed) == (2, 0)
    assert (await observer.journey(did="1001", after=begun)).caller == "1234"
    assert len(await observer.wait(2)) == 2


async def test_what_failed_is_counted_and_explained(pbx: Pbx) -> None:
    run = await run_sipp(pbx.root, pbx.ports.sip, [("1234", "no-number")], rate=1, count=1)
    assert (run.calls, run.failed) == (1, 1)
    assert "404" in run.errors
