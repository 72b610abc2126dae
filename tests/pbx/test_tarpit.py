"""The tarpit and the busy tone on a real PBX: what robots hear, how much of it, and what is left when they hang up."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.demo.scenes import way
from tests.lab.behaviours import listen_and_obey, stay_silent
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

ROBOT = "+12125550180"
STRANGER = "+12125550190"
FREE = "pass > agent answers"


def always(treatment: str, **settings: Any) -> Mapping[str, Any]:
    """A policy by which every call meets one treatment."""
    return {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [{"score": 5, "treatment": treatment}],
        **settings,
    }


async def held(pbx: Pbx) -> int:
    """Return how many calls are held: the PBX's own count of the group."""
    listed = await pbx.cli("group show channels")
    return sum("tarpit" in line for line in listed.splitlines())


async def until_held(pbx: Pbx, count: int) -> None:
    async with asyncio.timeout(15):
        while await held(pbx) != count:
            pass


async def nothing_left(pbx: Pbx) -> None:
    async with asyncio.timeout(15):
        while "0 active channels" not in await pbx.cli("core show channels count"):
            pass
    assert await held(pbx) == 0


def seconds_of(journey: Journey, application: str) -> float:
    (place,) = [place for place, step in enumerate(journey.steps) if step.application == application]
    return journey.steps[place + 1].at - journey.steps[place].at


async def test_a_robot_hears_ringing_until_its_time_is_over_and_is_never_answered(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, always("tarpit", tarpit={"seconds": 2})):
        result = await lab.world.call("2125550701", ROBOT, stay_silent)
        journey = await observer.journey(did="2125550701")
    assert way(journey) == "tarpit > cause 17, never answered"
    assert (result.answered, result.sip_code) == (False, 486)
    assert "Ringing" in journey.applications
    assert seconds_of(journey, "Wait") >= 1.9
    await nothing_left(pbx)


async def test_a_tarpit_that_answers_plays_ringing_to_who_pays_for_it(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, always("tarpit", tarpit={"seconds": 2, "answer": True})):
        result = await lab.world.call("2125550702", ROBOT, stay_silent)
        journey = await observer.journey(did="2125550702")
    assert way(journey) == "tarpit > cause 17"
    assert result.answered
    assert "PlayTones" in journey.applications


async def test_no_more_calls_are_held_than_there_may_be_and_who_hangs_up_makes_room(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, always("tarpit", tarpit={"seconds": 600, "calls": 2})):
        first, second = [await lab.world.dial(f"212555071{n}", ROBOT) for n in (1, 2)]
        await until_held(pbx, 2)
        refused = await lab.world.call("2125550713", ROBOT, stay_silent)
        await first.hang_up()
        await until_held(pbx, 1)
        third = await lab.world.dial("2125550714", ROBOT)
        await until_held(pbx, 2)
        await asyncio.gather(second.hang_up(), third.hang_up())
        beyond = await observer.journey(did="2125550713")
    assert refused.sip_code == 486
    assert "Wait" not in beyond.applications
    await nothing_left(pbx)


async def test_a_daemon_killed_while_a_robot_is_held_neither_frees_it_nor_holds_it_longer(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, always("tarpit", tarpit={"seconds": 3})) as daemon:
        line = await lab.world.dial("2125550721", ROBOT)
        await until_held(pbx, 1)
        daemon.kill()
        await daemon.stop()
        await line.ended(timeout=30)
        journey = await observer.journey(did="2125550721")
    assert way(journey) == "tarpit > cause 17, never answered"
    assert seconds_of(journey, "Wait") >= 2.9
    await nothing_left(pbx)


@pytest.mark.parametrize(("cause", "code", "did"), [(17, 486, "2125550731"), (34, 503, "2125550732")])
async def test_the_busy_tone_is_never_answered(
    lab: Lab, pbx: Pbx, observer: Observer, cause: int, code: int, did: str
) -> None:
    lab.world.connect(pbx)
    async with Daemon(pbx, always("busy", busy={"cause": cause})):
        result = await lab.world.call(did, ROBOT, stay_silent)
        journey = await observer.journey(did=did)
    assert way(journey) == f"busy > cause {cause}, never answered"
    assert (result.answered, result.sip_code) == (False, code)


async def test_a_stranger_meets_the_busy_tone_once_and_is_welcome_when_it_calls_again(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    talk = listen_and_obey(stay=0.2)
    policy = {
        "signals": {"greylist": {"mode": "live", "after_seconds": 0}},
        "ladder": [{"score": 50, "treatment": "captcha"}],
    }
    ways: list[str] = []
    async with Daemon(pbx, policy) as daemon:
        for did in ("2125550741", "2125550742"):
            await lab.world.call(did, STRANGER, talk)
            ways.append(way(await observer.journey(did=did)))
        daemon.kill()
        await daemon.stop()
        await lab.world.call("2125550743", "+12125550191", talk)
        ways.append(way(await observer.journey(did="2125550743")))
    assert ways == ["busy > cause 17, never answered", FREE, FREE]
