"""Whatever of ours fails, the call goes through."""

import asyncio
import dataclasses
import signal
import time

import pytest

from screener.asterisk.clocks import Clocks
from screener.asterisk.connection import AriConnection
from screener.asterisk.desk import Desk
from screener.asterisk.gate import Gate
from screener.asterisk.load import Load
from screener.asterisk.settings import AriSettings, OverloadSettings
from screener.memory.local import LocalMemory
from screener.policy.verdict import Treatment
from tests.asterisk.test_gate import Record
from tests.demo.scenes import way
from tests.lab.behaviours import listen_and_obey
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.proxy import Proxy
from tests.policy.builders import make_policy

pytestmark = pytest.mark.pbx

FREE = "pass > agent answers"
TALK = listen_and_obey(stay=0.2)


async def one_call(lab: Lab, observer: Observer, did: str, caller: str = "+16465550177") -> Journey:
    await lab.world.call(did, caller, TALK)
    return await observer.journey(did=did)


async def test_no_daemon_lets_the_call_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    journey = await one_call(lab, observer, "2125550001")
    assert way(journey) == FREE
    assert journey.variables["SCREENER_WHY"] == "not screened: FAILED"


async def test_a_daemon_that_hangs_lets_the_call_through_by_the_lease(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, {}) as daemon:
        daemon.signal(signal.SIGSTOP)
        journey = await one_call(lab, observer, "2125550002")
        daemon.signal(signal.SIGCONT)
        assert way(journey) == FREE
        assert journey.variables["SCREENER_REASONS"] == "lease"
        # The daemon wakes up, finds the call gone, and screens again as ever as soon as it has caught up.
        await daemon.logged("call=")
        dids = iter(range(2125550700, 2125550720))
        while (await one_call(lab, observer, f"{next(dids)}")).variables["SCREENER_REASONS"] == "overloaded":
            pass
        after = await one_call(lab, observer, "2125550003", "+16465550178")
        assert after.variables["SCREENER_REASONS"] == "none"


async def test_a_daemon_killed_with_the_call_in_its_hands_lets_it_through(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, {}) as daemon:
        daemon.signal(signal.SIGSTOP)
        line = await lab.world.dial("2125550004", "+16465550179")
        daemon.kill()
        await line.hear_who()
        await line.hang_up()
        journey = await observer.journey(did="2125550004")
    assert way(journey) == FREE


async def test_a_daemon_killed_during_a_captcha_cuts_nothing_short(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    policy = {"signals": {"attestation": {"points": {"none": 5}}}, "ladder": [{"score": 5, "treatment": "captcha"}]}
    async with Daemon(pbx, policy) as daemon:
        line = await lab.world.dial("2125550012", "+16465550184")
        digits = await line.hear_digits(0.6)
        daemon.kill()
        await daemon.stop()
        await line.press(digits)
        assert await line.hear_who() == "agent"
        await line.hang_up()
        journey = await observer.journey(did="2125550012")
    assert way(journey) == "captcha > pass > agent answers"


async def test_a_daemon_that_was_killed_is_absent_at_once(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, {}) as daemon:
        daemon.kill()
        await daemon.stop()
        while "screener" in await pbx.cli("ari show apps"):
            pass
        journey = await one_call(lab, observer, "2125550005")
    assert way(journey) == FREE
    assert journey.variables["SCREENER_WHY"] == "not screened: FAILED"


async def test_a_daemon_that_ends_in_order_keeps_what_it_learned(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    policy = {"bucket": {"capacity": 1, "refill_per_hour": 1}, "ladder": [{"score": 5, "treatment": "reject"}]}
    async with Daemon(pbx, policy) as daemon:
        first = await one_call(lab, observer, "2125550006", "+16465550180")
        assert await daemon.stop() == 0
        await daemon.start()
        second = await one_call(lab, observer, "2125550007", "+16465550180")
    assert way(first) == FREE
    assert way(second) == "reject > cause 21, never answered"


async def test_a_policy_that_fails_lets_the_call_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    settings = AriSettings.model_validate({"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user})
    connection, journal = AriConnection(settings, pbx.ari_password), Record()
    broken = dataclasses.replace(make_policy(), bucket=None)  # type: ignore[arg-type]
    desk = Desk(
        memory=LocalMemory(seed=1, callers=1024), record=journal, policy=lambda: broken,
        clocks=Clocks(steady=time.monotonic, wall=time.time), load=Load(OverloadSettings(), time.monotonic),
    )  # fmt: skip
    gate = Gate(connection, desk, application="screener", pepper=b"x")
    running = asyncio.Task(connection.run(gate))
    while "screener" not in await pbx.cli("ari show apps"):
        assert not running.done()
    journey = await one_call(lab, observer, "2125550010")
    await gate.tasks.finish(2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_WHY"] == "not screened: the policy failed (AttributeError)"
    assert [judged.verdict.treatment for judged in journal.verdicts] == [Treatment.PASS]


async def test_a_call_that_came_while_the_daemon_was_away_is_judged_when_it_is_back(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_LEASE": "20"})
    async with lab.passing_pbx(settings) as pbx, Proxy(pbx) as proxy:
        observer = Observer(pbx)
        lab.world.connect(pbx)
        policy = {"lists": {"block": ["+16465550183"]}}
        async with Daemon(pbx, policy, asterisk={"url": proxy.url}) as daemon:
            # Its events get lost on the way, as those that are sent between two connections.
            proxy.deaf = True
            line = await lab.world.dial("2125550011", "+16465550183")
            while "Stasis" not in await pbx.cli("core show channels concise"):
                pass
            proxy.deaf = False
            await proxy.cut()
            await daemon.logged("waits in Stasis: judging it now")
            await line.ended(timeout=20)
        journey = await observer.journey(did="2125550011")
    assert way(journey) == "reject > cause 21, never answered"
    assert line.result().sip_code == 403


async def test_shadow_mode_changes_nothing_but_the_variables(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, {"mode": "shadow", "lists": {"block": ["+16465550181"]}}):
        journey = await one_call(lab, observer, "2125550008", "+16465550181")
    assert way(journey) == FREE
    assert journey.variables["SCREENER_VERDICT"] == "reject"
    assert journey.variables["SCREENER_TREATMENT"] == "pass"


async def test_a_rejected_call_that_is_presented_again_is_rejected_again(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    policy = {"bucket": {"capacity": 1, "refill_per_hour": 1}, "ladder": [{"score": 5, "treatment": "reject"}]}
    begun = time.time()
    async with Daemon(pbx, policy):
        for _ in range(3):
            await lab.world.call("2125550009", "+16465550182", TALK)
        journeys = await observer.wait(3, matches=lambda one: one.caller == "+16465550182" and one.began_at > begun - 1)
    assert [way(one) for one in journeys] == [FREE, *["reject > cause 21, never answered"] * 2]
    assert journeys[2].variables["SCREENER_REASONS"].startswith("again")
