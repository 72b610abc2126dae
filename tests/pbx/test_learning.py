"""What a running daemon learns from how calls end, and what people tell it meanwhile, on a real PBX."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from screener.memory.reader import Recorded
from tests.demo.scenes import way
from tests.lab.behaviours import hang_up_after, listen_and_obey, stay_silent
from tests.lab.callers import Behaviour, CallResult
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import ETC, REPO, LabError
from tests.lab.ports import free_ports
from tests.telling.test_webhook import receiving

pytestmark = pytest.mark.pbx

CALLER = "+12125550150"
FREE = "pass > agent answers"
(AGI_PORT,) = free_ports(socket.SOCK_STREAM, 1)
CONTEXTS = f"""
[from-trunk](+)
exten => 2125550808,1,AGI(agi://127.0.0.1:{AGI_PORT}/screen,did=${{EXTEN}})
 same => n,Gosub(screener-treat,s,1)
 same => n,Dial(PJSIP/agent,20)
"""
CONTEXTS += """
[from-trunk](+)
exten => 2125550801,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Queue(office,,,,10)
exten => 2125550802,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Dial(Local/agent@inside,20)
exten => 2125550803,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Dial(PJSIP/agent&PJSIP/sales@agent,20)
exten => 2125550804,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Answer()
 same => n,Playback(silence/1)
 same => n,Dial(PJSIP/agent,20)
exten => 2125550805,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Busy(1)
exten => 2125550806,1,Gosub(screener,s,1(${EXTEN}))
 same => n,VoiceMail(900@default,s)
exten => 2125550807,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Dial(PJSIP/agent,20,Tt)

[inside]
exten => agent,1,Dial(PJSIP/agent,20)
exten => 55,1,Dial(PJSIP/sales@agent,20)
"""
"""Ways in which people answer, each with a number of its own."""
QUEUES = "[general]\n[office]\nstrategy = ringall\nmember => PJSIP/agent\ntimeout = 10\n"
FEATURES = "[featuremap]\natxfer => *2\n"
TALKS = listen_and_obey(stay=0.5)
STRANGERS = {"signals": {"attestation": {"points": {"none": 5}}}, "ladder": [{"score": 5, "treatment": "captcha"}]}
"""A policy by which whoever earned nothing meets a captcha; passing it earns nothing here."""
EARNING = {**STRANGERS, "trust": {"days": 0, "talked_seconds": 5}, "captcha": {"seconds": 3, "then": "reject"}}

PASSES: Mapping[str, Any] = {"ladder": []}
AREAS = ("310", "617", "305", "206", "512", "702", "404", "303", "503")

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(lab: Lab) -> AsyncIterator[Pbx]:
    modules = (ETC / "common" / "modules.conf").read_text()
    modules = modules.replace("noload = app_queue.so\n", "").replace("@@{no_modules}", "")
    settings = Settings(
        dialplan=[DIALPLAN],
        contexts=CONTEXTS,
        files={"modules.conf": modules, "queues.conf": QUEUES, "features.conf": FEATURES},
        variables={"TRANSFER_CONTEXT": "inside"},
    )
    async with lab.passing_pbx(settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watcher(office: Pbx) -> Observer:
    return Observer(office)


def another_caller() -> str:
    """A number that shares nothing with the others nor with the office's."""
    number = next(_numbers)
    return f"+1{AREAS[number % len(AREAS)]}55{number // len(AREAS) + 60:02}{number:03}"


class Scene:
    """A daemon beside the office, and the calls it gets."""

    def __init__(self, lab: Lab, pbx: Pbx, observer: Observer, daemon: Daemon) -> None:
        self.lab, self.pbx, self.observer, self.daemon = lab, pbx, observer, daemon

    async def call(
        self, behaviour: Behaviour, *, caller: str = CALLER, did: str = "2125550800"
    ) -> tuple[CallResult, Journey]:
        """Make one call, and return when the PBX has ended it."""
        seen = len(self.observer.journeys)
        result = await self.lab.world.call(did, caller, behaviour)
        async with asyncio.timeout(30):
            journey = await self.observer.journey(caller=caller, after=self.observer.journeys[seen].began_at)
        return result, journey

    async def journalled(self, number: int, *, ended: bool = True) -> Sequence[Recorded]:
        """Return the calls of the journal when so many stand there as ended; it is half a second behind."""
        async with asyncio.timeout(30):
            while True:
                with self.daemon.recorded() as journal:
                    found = [call for call in journal.calls() if call.ended_at is not None or not ended]
                if len(found) >= number:
                    return found
                await asyncio.sleep(0.05)

    async def channels(self, of: str) -> Sequence[str]:
        """Return the names of the channels that begin so."""
        listed = await self.pbx.cli("core show channels concise")
        return [line.split("!")[0] for line in listed.splitlines() if line.startswith(of)]

    async def channel(self, of: str) -> str:
        """Wait for a channel that begins so and is in a bridge, and return its name."""
        async with asyncio.timeout(20):
            while True:
                for line in (await self.pbx.cli("core show channels concise")).splitlines():
                    if line.startswith(of) and re.search(r"![0-9a-f-]{36}!", line):
                        return line.split("!")[0]


@asynccontextmanager
async def scene(lab: Lab, pbx: Pbx, observer: Observer, policy: Mapping[str, Any], **more: Any) -> AsyncIterator[Scene]:
    lab.world.connect(pbx)
    async with Daemon(pbx, policy, more=more) as daemon:
        try:
            yield Scene(lab, pbx, observer, daemon)
        finally:
            await lab.world.agent()


# ---------------------------------------------------------------------------------------------- who talks is trusted


async def test_who_talked_long_enough_is_not_asked_again_and_who_did_not_is(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    async with scene(lab, office, watcher, EARNING) as stage:
        ways = [way((await stage.call(behaviour))[1]) for behaviour in (TALKS, listen_and_obey(stay=5.5), TALKS)]
        calls = await stage.journalled(3)
    assert ways == ["captcha > pass > agent answers", "captcha > pass > agent answers", FREE]
    assert [call.talked >= 5 for call in calls] == [False, True, False]
    assert all(0 < call.talked < (call.seconds or 0) for call in calls)
    assert calls[2].verdict.reasons[0].code == "trusted"


async def test_a_daemon_that_is_killed_in_the_middle_of_a_conversation_learns_of_it_all_the_same(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    async with scene(lab, office, watcher, EARNING) as stage:
        caller = another_caller()
        talking = asyncio.Task(stage.call(listen_and_obey(stay=9), caller=caller))
        await stage.channel("PJSIP/agent")
        await stage.journalled(1, ended=False)
        stage.daemon.kill()
        await stage.daemon.stop()
        await stage.daemon.start()
        await talking
        (call,) = await stage.journalled(1)
        _, journey = await stage.call(TALKS, caller=caller)
    assert call.talked >= 5
    assert way(journey) == FREE


@pytest.mark.parametrize("did", ["2125550800", "2125550801", "2125550802", "2125550803", "2125550804"])
async def test_by_whatever_way_somebody_answers_the_conversation_is_seen(
    lab: Lab, office: Pbx, watcher: Observer, did: str
) -> None:
    async with scene(lab, office, watcher, PASSES) as stage:
        result, _ = await stage.call(TALKS, caller=another_caller(), did=did)
        (call,) = await stage.journalled(1)
    assert result.connected_to in ("agent", "sales")
    assert 0 < call.talked <= (call.seconds or 0)
    assert not call.busy


async def test_who_came_by_fastagi_and_talked_is_trusted_too(lab: Lab, office: Pbx, watcher: Observer) -> None:
    fastagi = {"enabled": True, "port": AGI_PORT}
    async with scene(lab, office, watcher, EARNING, fastagi=fastagi) as stage:
        caller = another_caller()
        for stay in (5.5, 0.5):
            await stage.call(listen_and_obey(stay=stay), caller=caller, did="2125550808")
        first, second = await stage.journalled(2)
    assert first.verdict.acted == "captcha"
    assert first.talked >= 5
    assert second.verdict.reasons[0].code == "trusted"


async def test_a_message_is_no_conversation(lab: Lab, office: Pbx, watcher: Observer) -> None:
    async with scene(lab, office, watcher, PASSES) as stage:
        await stage.call(listen_and_obey(stay=0.5), caller=another_caller(), did="2125550806")
        (call,) = await stage.journalled(1)
    assert call.talked == 0
    assert not call.busy


async def test_who_gave_up_while_it_rang_talked_with_nobody_and_nobody_was_busy(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    async with scene(lab, office, watcher, PASSES) as stage:
        await lab.world.agent("ring")
        await stage.call(hang_up_after(1), caller=another_caller())
        (call,) = await stage.journalled(1)
    assert (call.talked, call.busy) == (0, False)


@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_a_transferred_call_is_one_conversation(lab: Lab, office: Pbx, watcher: Observer, kind: str) -> None:
    async with scene(lab, office, watcher, PASSES) as stage:
        caller = another_caller()
        talking = asyncio.Task(stage.call(hang_up_after(8), caller=caller, did="2125550807"))
        agent = await stage.channel("PJSIP/agent")
        if kind == "blind":
            await office.ami.action("BlindTransfer", Channel=agent, Context="inside", Exten="55")
        else:
            await office.ami.action("Atxfer", Channel=agent, Context="inside", Exten="55")
            while len(await stage.channels("PJSIP/agent")) < 2:
                assert not talking.done()
            await office.ami.action("Hangup", Channel=agent)
        result, _ = await talking
        (call,) = await stage.journalled(1)
    assert result.connected_to == "sales"
    assert 0 < call.talked <= (call.seconds or 0)


# ------------------------------------------------------------------------------------------------- we were not there


@pytest.mark.parametrize("did", ["2125550800", "2125550803", "2125550804", "2125550805"])
async def test_who_finds_us_busy_may_call_again(lab: Lab, office: Pbx, watcher: Observer, did: str) -> None:
    policy = {"bucket": {"capacity": 1, "refill_per_hour": 1}, "ladder": [{"score": 5, "treatment": "reject"}]}
    async with scene(lab, office, watcher, policy) as stage:
        caller = another_caller()
        await lab.world.agent("busy")
        await stage.call(hang_up_after(3), caller=caller, did=did)
        await stage.journalled(1)
        await lab.world.agent("answer")
        ways = [way((await stage.call(TALKS, caller=caller))[1]) for _ in range(2)]
        calls = await stage.journalled(3)
    assert [call.busy for call in calls] == [True, False, False]
    assert ways == [FREE, "reject > cause 21, never answered"]  # the token came back once


async def test_a_busy_member_of_a_queue_is_seen(lab: Lab, office: Pbx, watcher: Observer) -> None:
    async with scene(lab, office, watcher, PASSES) as stage:
        await lab.world.agent("busy")
        await stage.call(hang_up_after(2), caller=another_caller(), did="2125550801")
        (call,) = await stage.journalled(1)
    assert call.busy


# ---------------------------------------------------------------------------------------------- what people tell us


async def screener(daemon: Daemon, *words: str) -> str:
    """Run a command as an administrator does, and return what it prints."""
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "screener", *words, "--config", str(daemon.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=REPO, env=daemon.environment,
    )  # fmt: skip
    printed, _ = await ran.communicate()
    if ran.returncode:
        raise LabError(printed.decode())
    return printed.decode()


async def test_a_window_that_a_command_opens_lets_a_challenged_caller_in_and_closes_again(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    policy = {**STRANGERS, "captcha": {"seconds": 1, "attempts": 1, "then": "reject"}}
    async with scene(lab, office, watcher, policy) as stage:
        daemon, ways = stage.daemon, []
        ways.append(way((await stage.call(stay_silent, caller=another_caller()))[1]))
        assert "everybody gets in until" in await screener(
            daemon, "window", "open", "expecting", "--for", "1h", "--did", "2125550800"
        )
        await daemon.logged("a window is open (expecting, +12125550800)")
        ways.append(way((await stage.call(TALKS, caller=another_caller()))[1]))
        daemon.kill()
        await daemon.stop()
        await daemon.start()
        ways.append(way((await stage.call(TALKS, caller=another_caller()))[1]))  # it outlives the daemon
        await screener(daemon, "window", "close", "expecting", "--did", "2125550800")
        await daemon.logged("a window is closed (expecting, +12125550800)")
        ways.append(way((await stage.call(stay_silent, caller=another_caller()))[1]))
    assert ways == ["captcha > reject > cause 21", FREE, FREE, "captcha > reject > cause 21"]


async def test_a_caller_whom_a_person_marks_is_known_to_the_running_daemon(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    policy = {**STRANGERS, "captcha": {"seconds": 1, "attempts": 1, "then": "reject"}}
    async with scene(lab, office, watcher, policy) as stage:
        caller, ways = another_caller(), []
        for said, logged in (("--wanted", "wanted"), ("--spam", "spam")):
            await screener(stage.daemon, "mark", caller, said)
            await stage.daemon.logged(f"{caller} is marked as {logged}")
            ways.append(way((await stage.call(TALKS if logged == "wanted" else stay_silent, caller=caller))[1]))
    assert ways == [FREE, "captcha > reject > cause 21"]


# -------------------------------------------------------------------------------------------- what we tell the people


async def test_a_surge_is_told_in_the_log_the_journal_a_metric_and_the_webhook(
    lab: Lab, office: Pbx, watcher: Observer
) -> None:
    (port,) = free_ports(socket.SOCK_STREAM, 1)
    surge = {"pbx_floor": 0, "did_floor": 0, "margin": 1, "heard_margin": 0, "deviations": 0}
    policy = {**PASSES, "signals": {"surge": surge}}
    async with receiving() as receiver:
        more = {"webhook": {"url": receiver.url}, "metrics": {"port": port}}
        async with scene(lab, office, watcher, policy, **more) as stage, aiohttp.ClientSession() as http:
            for _ in range(12):
                await stage.call(hang_up_after(0.2), caller=another_caller())
            await stage.daemon.logged("surge-began PBX: far more strangers than usual")
            await receiver.wait(1)
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                metrics = await answer.text()
            await stage.daemon.stop()
            with stage.daemon.recorded() as journal:
                notices = journal.notices()
    assert "surge-began" in {notice.code for notice in notices}
    told = [json.loads(body) for _, body in receiver.got]
    assert ("surge-began", "PBX") in {(one["type"], one["about"]) for one in told}
    assert 'screener_surge_active{about="PBX"} 1.0' in metrics
    assert 'screener_calls_total{acted="pass",treatment="pass"} 12.0' in metrics, metrics
