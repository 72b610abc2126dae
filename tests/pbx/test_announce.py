"""Announced calls on a real PBX: the caller says a name, the callee hears it and decides; hang-ups and kills."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from tests.demo.scenes import way
from tests.lab.callee import DIAL, Callee, callee
from tests.lab.callers import Line
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings

pytestmark = pytest.mark.pbx

NAME, CALLEE_SAYS, CALLER_SAYS = "47", "58", "69"
VOICEMAIL = "announce > voicemail > cause 16"
PASSED = "announce > pass > agent answers"

_numbers = count(1)


def announced(**settings: Any) -> Mapping[str, Any]:
    """A policy that announces every call."""
    announce = {"dial": DIAL, "ask_name": ["silence/1"], "hold": [], "key_seconds": 1, "options": ["vm-press"]}
    return {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [{"score": 5, "treatment": "announce"}],
        "announce": {**announce, **settings},
    }


class Scene:
    """One call with all who have a part in it."""

    def __init__(self, lab: Lab, pbx: Pbx, observer: Observer, phone: Callee, daemon: Daemon) -> None:
        number = next(_numbers)
        self.lab, self.pbx, self.observer, self.phone, self.daemon = lab, pbx, observer, phone, daemon
        self.did, self.caller = f"21255506{number:02}", f"+121255517{number:02}"
        self.line: Line

    async def dial(self) -> None:
        self.line = await self.lab.world.dial(self.did, self.caller)

    async def says_a_name(self) -> None:
        await self.dial()
        await self.line.hear_beep()
        await self.line.say(NAME)
        await self.line.press("#")

    async def rings(self) -> None:
        await self.says_a_name()
        await self.phone.rings()

    async def asked(self) -> None:
        await self.says_a_name()
        await self.phone.answer()
        await self.phone.hears(NAME)

    async def connected(self) -> None:
        await self.asked()
        await self.phone.press("1")
        await self.talk()

    async def talk(self) -> None:
        """Both hear each other."""
        before = len(self.line.receiver.heard)
        await self.phone.say(CALLEE_SAYS)
        while CALLEE_SAYS not in "".join(one.digit for one in self.line.receiver.heard[before:]):
            await self.line.hear_digits()
        await self.line.say(CALLER_SAYS)
        await self.phone.hears(CALLER_SAYS)

    async def kill(self) -> None:
        self.daemon.kill()
        await self.daemon.stop()

    async def over(self) -> Journey:
        """Wait for the end of the call, and for nothing of it to be left on the PBX."""
        journey = await self.observer.journey(did=self.did)
        await self.phone.silent()
        while "0 active channels" not in await self.pbx.cli("core show channels count"):
            pass
        assert len((await self.pbx.cli("bridge show all")).splitlines()) <= 1
        return journey

    def recordings(self) -> list[str]:
        return [path.name for path in (self.pbx.spool / "recording").glob("screener-name-*")]

    async def outcomes(self) -> list[str]:
        """End the daemon, and return what it recorded of the call; the recording is gone by then."""
        await self.daemon.stop()
        assert self.recordings() == []
        with self.daemon.recorded() as journal:
            (call,) = journal.calls()
        return [f"{outcome.treatment} {outcome.result}" for outcome in call.outcomes]


@asynccontextmanager
async def scene(lab: Lab, pbx: Pbx, observer: Observer, **settings: Any) -> AsyncIterator[Scene]:
    lab.world.connect(pbx)
    async with callee(lab.world) as phone, Daemon(pbx, announced(**settings)) as daemon:
        yield Scene(lab, pbx, observer, phone, daemon)


# ------------------------------------------------------------------------------------------------ what the callee wants


async def test_the_callee_hears_the_name_presses_1_and_both_talk(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.connected()
        await one.phone.hang_up()
        await one.line.ended(timeout=10)
        journey = await one.over()
        assert journey.variables["SCREENER_RESULT"] == "accepted"
        assert journey.variables["SCREENER_NUMBER"] == one.caller
        assert await one.outcomes() == ["announce accepted"]
    assert one.phone.rung == 1
    assert way(journey) == "announce > cause 16"
    assert f'"{journey.uniqueid}","scr=announce;' in pbx.cdr.read_text()
    assert "o=accepted" in pbx.cdr.read_text()


async def test_the_caller_hears_ringing_and_the_phone_shows_the_number(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.rings()
        heard = one.line.receiver.loud_at
        await one.phone.rings()
        while one.line.receiver.loud_at <= heard:
            await one.line.stay(0.1)
        shown = await lab.world.ami.action("Getvar", Channel=one.phone.channel, Variable="CALLERID(num)")
        assert shown["Value"] == one.caller
        await one.line.hang_up()
        await one.over()


@pytest.mark.parametrize(
    ("key", "expected", "outcomes"),
    [
        ("2", VOICEMAIL, ["announce declined"]),
        ("3", "announce > reject > cause 21", ["announce blocked", "reject rejected"]),
        ("7", VOICEMAIL, ["announce unanswered"]),
        ("", VOICEMAIL, ["announce unanswered"]),
    ],
)
async def test_what_the_callee_presses_is_done(
    lab: Lab, pbx: Pbx, observer: Observer, key: str, expected: str, outcomes: list[str]
) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.asked()
        if key:
            await one.phone.press(key)
        await one.phone.silent()
        if expected == VOICEMAIL:
            await one.line.hear_beep()
            await one.line.hang_up()
        else:
            await one.line.ended(timeout=15)
        journey = await one.over()
        assert await one.outcomes() == outcomes
    assert way(journey) == expected


async def test_a_caller_who_says_nothing_is_announced_without_a_name(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with scene(lab, pbx, observer, no_name=["digits/8", "digits/9"]) as one:
        await one.dial()
        await one.phone.answer()
        await one.phone.hears("89")
        await one.phone.press("1")
        await one.talk()
        await one.line.hang_up()
        await one.over()
        assert await one.outcomes() == ["announce accepted"]


@pytest.mark.parametrize("dial", ["PJSIP/nobody", "PJSIP/nobody@nowhere", "Nonsense/1"])
async def test_a_callee_who_cannot_be_rung_costs_no_call(lab: Lab, pbx: Pbx, observer: Observer, dial: str) -> None:
    async with scene(lab, pbx, observer, dial=dial) as one:
        await one.says_a_name()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
    assert way(journey) == PASSED
    assert any("cannot ring" in line for line in one.daemon.log)


async def test_a_callee_behind_a_local_channel_is_asked_too(lab: Lab) -> None:
    contexts = f"[phones]\nexten => 100,1,Dial({DIAL},20)\n"
    settings = Settings(dialplan=[DIALPLAN], contexts=contexts)
    async with (
        lab.passing_pbx(settings) as pbx,
        scene(lab, pbx, Observer(pbx), dial="Local/100@phones") as one,
    ):
        await one.connected()
        await one.line.hang_up()
        await one.over()
        assert await one.outcomes() == ["announce accepted"]


async def test_a_call_of_a_broadcast_is_announced_too(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_ENTRY": "broadcast"})
    async with lab.passing_pbx(settings) as pbx, scene(lab, pbx, Observer(pbx)) as one:
        await one.connected()
        await one.phone.hang_up()
        await one.over()
        assert await one.outcomes() == ["announce accepted"]


# ------------------------------------------------------------------------------------------------------------- hang-ups


async def in_the_name(one: Scene) -> None:
    await one.dial()
    await one.line.hear_beep()
    await one.line.say(NAME)


STEPS = pytest.mark.parametrize("step", [in_the_name, Scene.rings, Scene.asked, Scene.connected])
Reach = Callable[[Scene], Any]


@STEPS
async def test_a_caller_who_hangs_up_leaves_nothing_behind(lab: Lab, pbx: Pbx, observer: Observer, step: Reach) -> None:
    async with scene(lab, pbx, observer) as one:
        await step(one)
        await one.line.hang_up()
        journey = await one.over()
        assert await one.outcomes() == ["announce accepted" if step is Scene.connected else "announce abandoned"]
    assert journey.dialled == []
    assert one.phone.rung == (0 if step is in_the_name else 1)


@pytest.mark.parametrize("step", [Scene.rings, Scene.asked])
async def test_a_callee_who_hangs_up_has_not_answered(lab: Lab, pbx: Pbx, observer: Observer, step: Reach) -> None:
    async with scene(lab, pbx, observer, then="pass") as one:
        await step(one)
        await one.phone.hang_up()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
        assert await one.outcomes() == ["announce unanswered"]
    assert way(journey) == PASSED


async def test_a_phone_that_nobody_answers_rings_no_longer_than_it_should(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    async with scene(lab, pbx, observer, ring_seconds=3, then="pass") as one:
        await one.rings()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
        assert await one.outcomes() == ["announce unanswered"]
    assert way(journey) == PASSED


# ------------------------------------------------------------------------------------------------ the daemon is killed


async def test_a_daemon_killed_while_the_name_is_said_lets_the_call_through(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    async with scene(lab, pbx, observer) as one:
        await in_the_name(one)
        await one.kill()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
    assert way(journey) == PASSED
    assert one.phone.rung == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_daemon_killed_or_hung_while_the_phone_rings_lets_the_call_through_and_the_phone_stops(
    lab: Lab, pbx: Pbx, observer: Observer, number: signal.Signals
) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.rings()
        one.daemon.signal(number)
        await one.phone.silent()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
    assert way(journey) == PASSED


async def test_a_caller_who_hangs_up_when_the_daemon_is_dead_stops_the_ringing_too(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.rings()
        await one.kill()
        await one.line.hang_up()
        journey = await one.over()
    assert journey.dialled == []


@pytest.mark.parametrize("key", ["1", "2"])
async def test_a_daemon_killed_while_the_callee_is_asked_changes_nothing(
    lab: Lab, pbx: Pbx, observer: Observer, key: str
) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.asked()
        await one.kill()
        await one.phone.press(key)
        await (one.talk() if key == "1" else one.line.hear_beep())
        await one.line.hang_up()
        journey = await one.over()
    assert journey.variables["SCREENER_RESULT"] == ("accepted" if key == "1" else "declined")


async def test_a_conversation_goes_on_when_the_daemon_is_killed(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.connected()
        await one.kill()
        await one.talk()
        await one.phone.hang_up()
        await one.line.ended(timeout=10)
        await one.over()


async def test_a_daemon_that_is_started_again_sends_the_caller_on_and_removes_what_is_left(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    (pbx.spool / "recording" / "an-administrators-own.wav").write_bytes(b"")
    async with scene(lab, pbx, observer, then="reject") as one:
        await one.rings()
        await one.kill()
        await one.daemon.start()
        await one.phone.silent()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
        assert len(one.recordings()) == 1  # it was younger than its call
        await one.daemon.stop()
        await one.daemon.start()
        async with asyncio.timeout(10):
            while one.recordings():
                await pbx.cli("core show uptime")
    assert way(journey) == PASSED
    assert (pbx.spool / "recording" / "an-administrators-own.wav").exists()


async def test_a_daemon_that_ends_in_order_sends_the_caller_on_at_once(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async with scene(lab, pbx, observer) as one:
        await one.rings()
        await one.daemon.stop()
        await one.phone.silent()
        assert await one.line.hear_who() == "agent"
        await one.line.hang_up()
        journey = await one.over()
    assert way(journey) == PASSED
