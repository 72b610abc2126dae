"""A telephone in the office that a test answers, listens at and presses keys on: it rings for PJSIP/callee@agent."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import numpy as np

from tests.lab.ami import Event
from tests.lab.ear import Receiver
from tests.lab.places import LabError
from tests.lab.sounds import RATE
from tests.lab.world import World

DIAL: Final = "PJSIP/callee@agent"
"""How the PBX rings it."""
WAIT_SECONDS: Final = 30.0


class Callee:
    """The telephone; one call at a time."""

    def __init__(self, world: World, receiver: Receiver) -> None:
        self.receiver = receiver
        self.rung = 0
        """How often it rang."""
        self.channel = ""
        """The world's channel of the call that rings or is talked on; empty without one."""
        self.is_up = False
        self._world = world
        self._news = asyncio.Event()

    # --------------------------------------------------------------------------------------- what a callee does

    async def rings(self) -> None:
        """Wait until it rings."""
        await self._until(lambda: bool(self.channel), "ring")

    async def silent(self) -> None:
        """Wait until it rings no more, and nobody is on the line."""
        await self._until(lambda: not self.channel, "fall silent")

    async def answer(self) -> None:
        """Wait until it rings, and lift the receiver."""
        await self.rings()
        await self._world.ami.action("Redirect", Channel=self.channel, Context="callee", Exten="answer", Priority="1")
        await self._until(lambda: self.is_up, "be answered")

    async def hears(self, digits: str) -> None:
        """Wait until these digits were spoken, in this order and with nothing between them that is one."""

        def heard() -> bool:
            return digits in "".join(one.digit for one in self.receiver.heard if one.digit.isdigit())

        async with asyncio.timeout(WAIT_SECONDS):
            while not heard():
                self.receiver.news.clear()
                await self.receiver.news.wait()

    async def say(self, digits: str) -> None:
        """Speak digits, and return when they are spoken."""
        speech = np.concatenate([self._world.digits[digit] for digit in digits])
        self.receiver.say(speech)
        await asyncio.sleep(len(speech) / RATE)

    async def press(self, key: str) -> None:
        """Press one key."""
        keypad = await self._world.connect_ami(events=False)
        try:
            await keypad.action("PlayDTMF", Channel=self.channel, Digit=key, Duration="100")
        finally:
            keypad.close()

    async def hang_up(self) -> None:
        """Put the receiver down, or refuse a call that rings."""
        if self.channel:
            with suppress(LabError):
                await self._world.ami.action("Hangup", Channel=self.channel, Cause="16" if self.is_up else "21")
        await self.silent()

    # ------------------------------------------------------------------------------------- told by the world

    def on_newexten(self, event: Event) -> None:
        """A step of its dialplan."""
        if event["Context"] == "callee" and not self.channel:
            self.channel = event["Channel"]
            self.rung += 1
            self._news.set()

    def on_newstate(self, event: Event) -> None:
        """A change of some channel's state."""
        if event["Channel"] == self.channel and event["ChannelStateDesc"] == "Up":
            self.is_up = True
            self._news.set()

    def on_hangup(self, event: Event) -> None:
        """The end of some channel."""
        if event["Channel"] == self.channel:
            self.channel, self.is_up = "", False
            self._news.set()

    async def _until(self, reached: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not reached():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise LabError(f"the callee's phone did not {what} in {WAIT_SECONDS:g} s.") from None


@asynccontextmanager
async def callee(world: World) -> AsyncIterator[Callee]:
    """Put the telephone into the office; what is still on its line at the end is hung up."""
    line = uuid.uuid4()
    phone = Callee(world, world.ear.expect(line))
    for name, value in (("EAR", str(line)), ("ADDRESS", world.ear.address)):
        await world.ami.action("Setvar", Variable=f"CALLEE_{name}", Value=value)
    watched = (("Newexten", phone.on_newexten), ("Newstate", phone.on_newstate), ("Hangup", phone.on_hangup))
    for event, react in watched:
        world.ami.on(event, react)
    try:
        yield phone
    finally:
        await phone.hang_up()
        world.ear.forget(line)
