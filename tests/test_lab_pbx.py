import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab.behaviours import choose, guess, hang_up_after, leave_message, listen_and_obey, stay_silent
from tests.lab.callers import Line
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.world import World

pytestmark = pytest.mark.pbx

CONTEXTS = """
[from-trunk]
exten => 100,1,Answer()
 same => n,SayDigits(${RAND(10,99)}${RAND(10,99)})
 same => n,Read(KEYS,,4,,1,8)
 same => n,UserEvent(Typed,Keys: ${KEYS})
 same => n,Hangup()
exten => 101,1,Answer()
 same => n,Read(KEYS,digits/3,4,,1,8)
 same => n,UserEvent(Typed,Keys: ${KEYS})
 same => n,Hangup()
exten => 102,1,Goto(sales,s,1)
exten => 103,1,Goto(voicemail,s,1)
exten => 105,1,Answer()
 same => n,Read(KEYS,digits/8&vm-press&digits/3&vm-goodbye,1,,1,5)
 same => n,Goto(${IF($["${KEYS}" = "3"]?sales,s,1:voicemail,s,1)})
exten => 104,1,Progress()
 same => n,Playback(digits/8,noanswer)
 same => n,Hangup(21)
"""
NUMBER = "+15551234567"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(lab: Lab) -> AsyncIterator[Pbx]:
    async with lab.passing_pbx(Settings(contexts=CONTEXTS)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def observer(pbx: Pbx) -> Observer:
    return Observer(pbx)


@pytest.fixture
def network(world: World, pbx: Pbx) -> World:
    world.connect(pbx)
    return world


async def test_a_call_rings_through_to_the_agent(network: World, observer: Observer) -> None:
    begun = time.time()
    result = await network.call("4421", NUMBER, listen_and_obey(stay=0.5), name="Ada")
    journey = await observer.journey(caller=NUMBER, after=begun)
    assert (result.answered, result.connected_to, result.cause, result.sip_code) == (True, "agent", 16, 200)
    assert journey.contexts == ["from-trunk", "screener", "from-trunk"]
    assert (journey.did, journey.name, journey.answered_by) == ("4421", "Ada", "agent")


async def test_nine_before_the_number_goes_past_the_screener(network: World, observer: Observer) -> None:
    begun = time.time()
    await network.call("94421", NUMBER, hang_up_after(0.5))
    assert (await observer.journey(did="94421", after=begun)).contexts == ["from-trunk", "from-trunk-plain"]


async def test_a_person_types_exactly_the_digits_that_are_spoken(network: World, observer: Observer) -> None:
    begun = time.time()
    result = await network.call("100", NUMBER, listen_and_obey())
    journey = await observer.journey(did="100", after=begun)
    assert len(result.digits) == 4
    assert result.pressed == result.digits
    assert journey.user_events[0]["Keys"] == result.digits


async def test_ten_people_at_once_each_type_their_own_digits(network: World, observer: Observer) -> None:
    begun = time.time()
    numbers = [f"+1555000{place:04}" for place in range(10)]
    results = await asyncio.gather(*(network.call("100", number, listen_and_obey()) for number in numbers))
    for number, result in zip(numbers, results, strict=True):
        journey = await observer.journey(caller=number, after=begun)
        assert journey.user_events[0]["Keys"] == result.digits


async def test_a_robot_presses_what_it_always_presses(network: World, observer: Observer) -> None:
    begun = time.time()
    await network.call("101", NUMBER, guess("1*#A", after=1.5))
    assert (await observer.journey(did="101", after=begun)).user_events[0]["Keys"] == "1*"  # '#' ends the entry


async def test_the_caller_hears_who_picked_up(network: World, observer: Observer) -> None:
    begun = time.time()
    result = await network.call("102", NUMBER, listen_and_obey(stay=0.2))
    assert result.connected_to == "sales"
    assert (await observer.journey(did="102", after=begun)).answered_by == "sales"


async def test_a_message_is_left_in_the_mailbox(network: World, pbx: Pbx, observer: Observer) -> None:
    begun = time.time()
    await network.call("103", NUMBER, leave_message("123"))
    journey = await observer.journey(did="103", after=begun)
    assert journey.mailbox == "1000@default"
    assert journey.message in pbx.voicemail("1000")


async def test_an_announcement_before_the_answer_is_heard(network: World) -> None:
    result = await network.call("104", NUMBER, stay_silent)
    assert (result.digits, result.answered, result.cause, result.sip_code) == ("8", False, 21, 403)


async def test_a_withheld_number_does_not_reach_the_pbx(network: World, observer: Observer) -> None:
    begun = time.time()
    await network.call("4421", NUMBER, hang_up_after(0.3), withheld=True)
    assert (await observer.journey(did="4421", after=begun)).caller in {"", "anonymous"}


async def test_a_withheld_number_that_the_network_asserts_reaches_it(network: World, observer: Observer) -> None:
    begun = time.time()
    await network.call("4421", NUMBER, hang_up_after(0.3), withheld=True, asserted=True)
    assert (await observer.journey(did="4421", after=begun)).caller == NUMBER


async def test_a_busy_agent_is_busy(network: World, observer: Observer) -> None:
    await network.agent("busy")
    result = await network.call("4421", NUMBER, stay_silent)
    assert (result.answered, result.connected_to, result.status) == (False, None, "BUSY")


async def test_an_agent_may_let_it_ring(network: World) -> None:
    await network.agent(ring=1.0, stay=0.3)
    result = await network.call("4421", NUMBER, stay_silent)
    assert result.answered_at is not None
    assert 0.9 < result.answered_at < 2.0


async def test_a_test_may_be_the_caller_itself(network: World) -> None:
    line: Line = await network.dial("101", NUMBER)
    assert await line.hear_digits() == "3"
    await line.press("1234")
    await line.ended(timeout=5)
    assert line.result().pressed == "1234"


async def test_a_pbx_that_is_stopped_by_a_signal_is_ended_all_the_same(lab: Lab) -> None:
    async with lab.passing_pbx() as pbx:
        pid = pbx.pid
        pbx.signal(signal.SIGSTOP)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_person_at_a_menu_presses_one_of_the_digits(network: World, observer: Observer) -> None:
    begun = time.time()
    result = await network.call("105", NUMBER, choose(1, stay=0.2))
    assert (result.digits, result.pressed, result.connected_to) == ("83", "3", "sales")
    assert (await observer.journey(did="105", after=begun)).answered_by == "sales"


async def test_a_pbx_that_was_killed_starts_again_with_what_it_had(lab: Lab) -> None:
    async with lab.passing_pbx() as pbx:
        await pbx.ami.action("DBPut", Family="lab", Key="kept", Val="yes")
        await pbx.end()
        await pbx.start()
        assert "yes" in await pbx.cli("database get lab kept")
        await pbx.kill()
        await pbx.start()
        assert "22." in await pbx.cli("core show version")
