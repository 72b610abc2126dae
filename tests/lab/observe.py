"""What the PBX itself did with each call, from its manager interface: the truth to hold a screener's word against."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.ami import Event
from tests.lab.pbx import Pbx
from tests.lab.places import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One application that the dialplan ran."""

    context: str
    exten: str
    priority: int
    application: str
    arguments: str
    at: float
    """Seconds since the epoch."""


@dataclass(slots=True, kw_only=True)
class Journey:
    """One inbound call's way through the PBX; complete once `ended_at` is set. Times are seconds since the epoch."""

    channel: str
    uniqueid: str
    caller: str
    """The caller's number as the PBX has it; empty if it has none."""
    name: str
    did: str
    began_at: float
    steps: list[Step] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    """Whom the PBX rang: `agent`, or the user before the @ (`sales`)."""
    dialled_at: float | None = None
    """When it first rang somebody."""
    answered_by: str | None = None
    """Who of them answered, if anybody did."""
    put_through_at: float | None = None
    """When."""
    up_at: float | None = None
    """When the PBX answered the trunk, for an announcement or a person."""
    mailbox: str | None = None
    """The last mailbox that VoiceMail() was run for, as `1000@default`."""
    message: Path | None = None
    """The description of the message left, if one was."""
    user_events: list[Mapping[str, str]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    """The last value of each channel variable that was set and begins with SCREENER_."""
    cause: int | None = None
    """Q.850."""
    ended_at: float | None = None

    @property
    def contexts(self) -> list[str]:
        """The dialplan contexts visited, in order, without immediate repeats."""
        names = [step.context for step in self.steps]
        return [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]

    @property
    def applications(self) -> list[str]:
        """The applications run, in order."""
        return [step.application for step in self.steps]


class Observer:
    """Watches a PBX's inbound calls. Attach a new one after the PBX was started again.

    Of a caller whose number holds a line end, Asterisk 22 reports the channel's name and nothing after it, in every
    event: such a journey has its beginning and its end and no more.
    """

    def __init__(self, pbx: Pbx, trunk: str = "trunk") -> None:
        """`trunk` is the name of the endpoint that calls come in at."""
        self.journeys: list[Journey] = []
        """All calls since the beginning, in order of arrival."""
        self._pbx = pbx
        self._prefix = f"PJSIP/{trunk}-"
        self._open: dict[str, Journey] = {}  # by channel, which stands before anything that a caller can write
        self._news = asyncio.Event()
        for name, react in (
            ("Newchannel", self._on_newchannel),
            ("Newexten", self._on_newexten),
            ("Newstate", self._on_newstate),
            ("DialBegin", self._on_dial_begin),
            ("DialEnd", self._on_dial_end),
            ("UserEvent", self._on_user_event),
            ("VarSet", self._on_varset),
            ("Hangup", self._on_hangup),
        ):
            pbx.ami.on(name, react)

    async def journey(
        self, *, caller: str | None = None, did: str | None = None, after: float = 0.0, timeout: float = 30.0
    ) -> Journey:
        """Wait for the end of the first call that matches and began at `after` (seconds since the epoch) or later."""

        def matches(one: Journey) -> bool:
            return one.began_at >= after and caller in (None, one.caller) and did in (None, one.did)

        return (await self.wait(1, timeout=timeout, matches=matches))[0]

    async def wait(
        self, count: int, *, timeout: float = 30.0, matches: Callable[[Journey], bool] = lambda _: True
    ) -> list[Journey]:
        """Wait until `count` calls that match have ended, and return these, in order of arrival."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = [one for one in self.journeys if matches(one)][:count]
                    if len(found) == count and all(one.ended_at is not None for one in found):
                        return found
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = [(one.caller, one.did, one.ended_at is not None) for one in self.journeys[-5:]]
            raise LabError(f"the PBX did not end such a call in {timeout:g} s; the last: {seen}.") from None

    def _on_newchannel(self, event: Event) -> None:
        if event["Channel"].startswith(self._prefix):
            self._open[event["Channel"]] = journey = Journey(
                channel=event["Channel"],
                uniqueid=event["Uniqueid"],
                caller=_known(event["CallerIDNum"]),
                name=_known(event["CallerIDName"]),
                did=event["Exten"],
                began_at=_time(event),
            )
            self.journeys.append(journey)

    def _on_newexten(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is None:
            return
        step = Step(
            context=event["Context"],
            exten=event["Extension"],
            priority=int(event["Priority"] or 0),
            application=event["Application"],
            arguments=event["AppData"],
            at=_time(event),
        )
        journey.steps.append(step)
        if step.application.lower() == "voicemail":
            journey.mailbox = step.arguments.split(",")[0]

    def _on_newstate(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is not None and event["ChannelStateDesc"] == "Up":
            journey.up_at = _time(event)

    def _on_dial_begin(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is not None:
            journey.dialled.append(_who(event["DialString"]))
            journey.dialled_at = journey.dialled_at or _time(event)

    def _on_dial_end(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is not None and event["DialStatus"] == "ANSWER" and journey.dialled:
            journey.answered_by = journey.dialled[-1]
            journey.put_through_at = _time(event)

    def _on_user_event(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is not None:
            journey.user_events.append(event)

    def _on_varset(self, event: Event) -> None:
        journey = self._open.get(event["Channel"])
        if journey is not None and event["Variable"].startswith("SCREENER_"):
            journey.variables[event["Variable"]] = event["Value"]

    def _on_hangup(self, event: Event) -> None:
        journey = self._open.pop(event["Channel"], None)
        if journey is None:
            return
        journey.cause = int(event["Cause"] or 0)
        journey.ended_at = _time(event)
        if journey.mailbox is not None:
            journey.message = self._message_of(journey)
        self._news.set()

    def _message_of(self, journey: Journey) -> Path | None:
        """Return the message that this very channel left, whichever mailbox it is in."""
        for path in (self._pbx.spool / "voicemail").glob("*/*/*/msg*.txt"):
            if f"callerchan={journey.channel}\n" in path.read_text(errors="replace"):
                return path
        return None


def _time(event: Event) -> float:
    return float(event["Timestamp"])


def _known(text: str) -> str:
    return "" if text == "<unknown>" else text


def _who(dial_string: str) -> str:
    """Return whom a dial string rings: `agent` of `agent`, `sales` of `sales@agent`."""
    return dial_string.partition("@")[0]
