"""The world: a second Asterisk that is the telephone network, the callers' phones and the agent's phone."""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tests.lab.ami import Event
from tests.lab.behaviours import stay_silent
from tests.lab.callers import Behaviour, CallOver, CallResult, Line
from tests.lab.ear import Ear
from tests.lab.instance import Instance
from tests.lab.pbx import Pbx
from tests.lab.places import LabError
from tests.lab.ports import Ports
from tests.lab.sounds import ensure_digits


class World(Instance):
    """Calls the PBX from any number, and answers what the PBX puts through to its agent."""

    role = "world"

    def __init__(self, root: Path, name: str = "world", ports: Ports | None = None) -> None:
        super().__init__(root, name, ports)
        self._lines: dict[str, Line] = {}
        self._pbx: Pbx | None = None
        self._ear: Ear | None = None

    async def start(self) -> None:
        """Boot, and open the callers' ears."""
        self.digits = await ensure_digits(self.root)
        self._ear = Ear(self.digits)
        await self._ear.open()
        await super().start()
        self.ami.on("Dial*", self._on_dial)
        self.ami.on("Hangup", self._on_hangup)
        self.ami.on("UserEvent", self._on_user_event)
        self.ami.on("OriginateResponse", self._on_originate_response)

    async def end(self) -> None:
        """End the calls and the Asterisk."""
        for line in list(self._lines.values()):
            line.over(why="the world ended")
        await super().end()
        if self._ear is not None:
            await self._ear.close()
            self._ear = None

    @property
    def ear(self) -> Ear:
        """What all callers hear with."""
        if self._ear is None:
            raise LabError(f"{self.name} is not running.")
        return self._ear

    def values(self) -> Mapping[str, str]:
        """Leave out the modules that would keep records of the calls."""
        return {**super().values(), "no_modules": "noload = cdr_csv.so\nnoload = cel_custom.so"}

    def connect(self, pbx: Pbx) -> None:
        """Send calls to this PBX from now on."""
        self._pbx = pbx

    async def agent(
        self, mode: Literal["answer", "busy", "ring"] = "answer", *, ring: float = 0.0, stay: float = 30.0
    ) -> None:
        """Say what the agents do: answer after `ring` seconds and hang up after `stay` more, or not at all."""
        for name, value in (("MODE", mode), ("RING", f"{ring:g}"), ("STAY", f"{stay:g}")):
            await self.ami.action("Setvar", Variable=f"AGENT_{name}", Value=value)

    async def call(
        self,
        did: str,
        caller_id: str = "",
        behaviour: Behaviour = stay_silent,
        *,
        name: str = "",
        withheld: bool = False,
        asserted: bool = False,
        to: Pbx | None = None,
        timeout: float = 90.0,
    ) -> CallResult:
        """Call `did` as `caller_id` and behave; return when the call is over.

        `withheld` asks for no display: From is anonymous. `asserted` adds P-Asserted-Identity, which the network sends
        also with a withheld number. A behaviour that returns hangs up.
        """
        line = await self.dial(did, caller_id, name=name, withheld=withheld, asserted=asserted, to=to)
        task = asyncio.Task(_behave(behaviour, line), name=f"caller {caller_id or 'anonymous'}")
        try:
            await line.ended(timeout)
        except TimeoutError:
            raise LabError(f"the call from {caller_id or 'anonymous'} to {did} did not end in {timeout:g} s.") from None
        finally:
            await self._let_go(line, task)
        if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
            raise failure
        return line.result()

    async def dial(
        self,
        did: str,
        caller_id: str = "",
        *,
        name: str = "",
        withheld: bool = False,
        asserted: bool = False,
        to: Pbx | None = None,
    ) -> Line:
        """Begin a call and return its line; the test itself then is the caller."""
        pbx = to or self._pbx
        if pbx is None:
            raise LabError("the world is not connected to a PBX: say which with World.connect().")
        call = uuid.uuid4()
        line = Line(
            str(call),
            did,
            caller_id,
            receiver=self.ear.expect(call),
            ami=self.ami,
            keypad=lambda: self.connect_ami(events=False),
            digits=self.digits,
        )
        self._lines[line.call] = line
        given = {
            "CALL": line.call,
            "DID": did,
            "PORT": str(pbx.ports.sip),
            "TRUNK": "pbx-pai" if asserted else "pbx",
            "NUMBER": _encoded(caller_id),
            "NAME": _encoded(name),
            "PRES": "prohib" if withheld else "allowed",
        }
        await self.ami.action(
            "Originate",
            Async="true",
            ChannelId=line.call,
            Channel=f"AudioSocket/{self.ear.address}/{line.call}",
            Context="caller",
            Exten="s",
            Priority="1",
            Variable=[f"LAB_{key}={value}" for key, value in given.items()],
        )
        return line

    async def _let_go(self, line: Line, task: asyncio.Task[None]) -> None:
        """End what is left of a call."""
        if not line.is_over:
            task.cancel()
            with suppress(LabError, TimeoutError):
                await line.hang_up()
        # A caller whose call is over learns that by CallOver; one that does not, within a second, is cut short.
        await asyncio.wait({task}, timeout=1)
        task.cancel()
        self.forget(line)

    def forget(self, line: Line) -> None:
        """Take no more notice of a call that was begun with dial()."""
        self._lines.pop(line.call, None)
        if self._ear is not None:
            self._ear.forget(uuid.UUID(line.call))

    def _on_dial(self, event: Event) -> None:
        line = self._lines.get(event["DestLinkedid"])
        if line is None or not event["DestChannel"].startswith("PJSIP/"):
            return  # the caller's own telephone is dialled too
        if event["Event"] == "DialBegin":
            line.leg = event["DestChannel"]
        elif event["Event"] == "DialEnd" and event["DialStatus"] == "ANSWER":
            line.pick_up()

    def _on_hangup(self, event: Event) -> None:
        line = self._lines.get(event["Linkedid"])
        if line is not None and event["Channel"] == line.leg:
            line.leg_gone(int(event["Cause"]))

    def _on_user_event(self, event: Event) -> None:
        if event["UserEvent"] == "LabEnded" and (line := self._lines.get(event["Call"])) is not None:
            line.over(status=event["Status"], sip=event["Sip"])

    def _on_originate_response(self, event: Event) -> None:
        line = self._lines.get(event["Uniqueid"])
        if line is not None and event["Response"] == "Failure":
            line.over(why=f"the world could not place the call ({event['Reason']})")


async def _behave(behaviour: Behaviour, line: Line) -> None:
    """Behave, then hang up."""
    with suppress(CallOver):
        await behaviour(line)
        await line.hang_up()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
