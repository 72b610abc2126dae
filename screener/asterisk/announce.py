"""Rings the callee for a caller who said a name, for as long as both want it.

The caller waits in Stasis() under the dialplan's lease, which is renewed from here; the callee's phone is rung by an
originate that leads into the dialplan, context screener-ask. What is said and pressed there, and connecting the two,
is the dialplan's business, so that a daemon that dies in the middle takes nobody with it: a conversation never depends
on an ARI bridge, which would outlive one side's hang-up, and us, for ever.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, Protocol

from screener.asterisk import commands
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import CallEntered
from screener.asterisk.rest import Answer, Request
from screener.asterisk.tasks import Tasks
from screener.policy.text import printable

log = logging.getLogger(__name__)

FACT: Final = "announce"
"""The argument of Stasis() by which the dialplan hands over a call to be announced; its value names the recording."""
LEASE_SECONDS: Final = 3
"""How long a caller waits for a daemon that is gone, before the call passes."""
RENEW_SECONDS: Final = 1.0
ANSWERED_SECONDS: Final = 180
"""The lease once the callee has answered: then the dialplan itself ends it, after two questions at the most."""
RING_SECONDS: Final = 20.0
"""How long the phone rings where the dialplan says nothing readable."""
LONGEST_SECONDS: Final = 120.0
GRACE_SECONDS: Final = 5.0
"""How much later than asked Asterisk may tell that nobody answered."""
ANNOUNCED: Final = 200
"""Calls announced at once; one more passes."""

_UNNAMED: Final = re.compile(r"[^0-9A-Za-z.]")
"""What the dialplan leaves out of a channel's id when it names the recording."""
_RECORDING: Final = re.compile(r"screener-name-[0-9A-Za-z.]{1,150}")


class Asterisk(Protocol):
    """What an announcement needs of a connection."""

    async def send(self, *requests: Request) -> list[Answer]:
        """See `AriConnection.send`."""


class End(Enum):
    """Why there is nothing more to do for a call."""

    CALLER_GONE = auto()
    CALLEE_GONE = auto()
    """Busy, or did not answer, or hung up."""
    DECIDED = auto()
    """The callee pressed a key, and the dialplan has acted on it."""
    LEFT = auto()
    """The caller left Stasis without our doing."""
    REFUSED = auto()
    """Asterisk cannot ring the callee."""
    STOPPED = auto()
    """We end."""
    LATE = auto()
    """Neither side was heard of in time."""


@dataclass(slots=True, kw_only=True)
class _Announcement:
    """One call that is being announced."""

    caller: str
    """The id of the caller's channel."""
    callee: str
    """The id of the callee's channel."""
    recording: str
    callee_name: str = ""
    """The name of the callee's channel, once there is one."""
    answered: bool = False
    end: End | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, end: End | None = None) -> None:
        """Note what happened; the first end holds."""
        self.end = self.end or end
        self.news.set()


class Announcer:
    """Takes calls that are to be announced, and what becomes of their two channels."""

    def __init__(self, asterisk: Asterisk, *, application: str, tasks: Tasks) -> None:
        """`tasks` runs one task for each call."""
        self._asterisk = asterisk
        self._application = application
        self._tasks = tasks
        self._calls: dict[str, _Announcement] = {}
        """By the ids of both channels."""
        self._stopping = False

    def __len__(self) -> int:
        """Return how many calls are being announced."""
        return len(self._calls) // 2

    def take(self, entered: CallEntered) -> None:
        """Announce a call that the dialplan hands over."""
        caller = entered.channel.id
        if caller in self._calls and not self._stopping:
            return  # round once more
        if self._stopping or len(self) >= ANNOUNCED:
            self._tasks.start(self._send(commands.resume(caller, "lost")))
            return
        one = _Announcement(caller=caller, callee=self._callee(caller), recording=entered.facts.get(FACT, ""))
        self._calls[one.caller] = self._calls[one.callee] = one
        self._tasks.start(self._announce(one, entered))

    def answered(self, channel_id: str) -> None:
        """The callee has answered and is being asked."""
        if (one := self._calls.get(channel_id)) is not None:
            one.answered = True
            one.tell()

    def decided(self, channel_id: str) -> None:
        """The dialplan reports on the caller's channel what the callee decided."""
        if (one := self._calls.get(channel_id)) is not None:
            one.tell(End.DECIDED)

    def ended(self, channel_id: str) -> None:
        """A channel is over."""
        if (one := self._calls.get(channel_id)) is not None:
            one.tell(End.CALLER_GONE if channel_id == one.caller else End.CALLEE_GONE)

    def stop(self) -> None:
        """Let go of all calls, and take no more."""
        self._stopping = True
        for one in self._calls.values():
            one.tell(End.STOPPED)

    async def connected(self, waiting: Iterable[str]) -> None:
        """Put in order what an earlier connection, or daemon, left; `waiting` are the callers in Stasis."""
        try:
            channels, stored = await self._asterisk.send(*commands.leftovers())
            states = dict(_states(channels.body))
            # Asterisk has no directory for recordings before the first one.
            names = [name for name in _names(stored.body) if _RECORDING.fullmatch(name)] if stored.ok else []
        except (AriUnavailableError, ValueError) as error:
            log.warning("cannot look for what is left of announced calls: %s", error)
            return
        for one in self._calls.values():
            if one.caller not in states:
                one.tell(End.CALLER_GONE)
            elif one.callee not in states:
                one.tell(End.CALLEE_GONE)
            elif states[one.callee] == "Up":
                self.answered(one.callee)
        phones = [name for name in states if name.startswith(self._callee("")) and name not in self._calls]
        requests = [commands.hang_up(name) for name in phones if states[name] != "Up"]
        # Of one whose callee has answered the dialplan takes care.
        lost = [one for one in waiting if one not in self._calls and states.get(self._callee(one)) != "Up"]
        requests += [commands.resume(one, "lost") for one in lost]
        present = {_UNNAMED.sub("", name) for name in states}
        requests += [
            commands.remove_recording(name) for name in names if name.removeprefix("screener-name-") not in present
        ]
        await self._send(*requests)

    def _callee(self, caller: str) -> str:
        return f"{self._application}-callee-{caller}"

    async def _announce(self, one: _Announcement, entered: CallEntered) -> None:
        try:
            await self._accompany(one, entered)
        except AriUnavailableError as error:
            log.warning("the announced call %s is left to the dialplan: %s", one.caller, error)
        finally:
            del self._calls[one.caller], self._calls[one.callee]
        if one.end not in (None, End.STOPPED) and _RECORDING.fullmatch(one.recording):
            await self._send(commands.remove_recording(one.recording))

    async def _accompany(self, one: _Announcement, entered: CallEntered) -> None:
        """Ring, renew the lease and wait for an end, and bring it about on both sides."""
        seconds = _seconds(entered.facts.get("ring", ""))
        await self._ring(one, entered, seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + GRACE_SECONDS) as bound:
                while one.end is None:
                    lease = ANSWERED_SECONDS if one.answered else LEASE_SECONDS
                    (renewed,) = await self._asterisk.send(self._renew(one, lease))
                    if renewed.gone:
                        one.tell(End.LEFT)
                    if one.answered:
                        bound.reschedule(asyncio.get_running_loop().time() + ANSWERED_SECONDS)
                    await self._news(one)
        if one.end is None:
            one.tell(End.LATE)
        log.debug("announced call %s: %s", one.caller, one.end)
        await self._finish(one)

    async def _ring(self, one: _Announcement, entered: CallEntered, seconds: float) -> None:
        facts = entered.facts
        ring = commands.ring(
            facts.get("dial", ""),
            channel_id=one.callee,
            caller_id=one.caller,
            caller_name=entered.channel.name,
            number=facts.get("number", ""),
            seconds=seconds,
        )
        renewed, rung = await self._asterisk.send(self._renew(one, LEASE_SECONDS), ring)
        if not rung.ok:
            told = printable(rung.body, 200)
            log.warning("cannot ring %s for call %s: %d %s", facts.get("dial"), one.caller, rung.status, told)
            one.tell(End.REFUSED)
            return
        one.callee_name = _name(rung.body)
        (subscribed,) = await self._asterisk.send(commands.subscribe(self._application, one.callee))
        if renewed.gone:
            one.tell(End.CALLER_GONE)
        elif not subscribed.ok:  # over before we could ask to hear of it
            one.tell(End.CALLEE_GONE)

    def _renew(self, one: _Announcement, seconds: float) -> Request:
        """Let the caller wait for so many seconds more, and tell the dialplan whose phone to stop after them.

        The call is sent round once more, out of Stasis and in again. Setting TIMEOUT(absolute) on it would need no
        round; but see `carried`, and one that came late would end a conversation.
        """
        return commands.resume(one.caller, f"r.{self._application}.{seconds:g}.{one.callee_name}")

    async def _news(self, one: _Announcement) -> None:
        """Wait for something to happen, or for the next renewal."""
        with suppress(TimeoutError):
            # Once the callee has answered, the lease is long enough for all that may follow.
            async with asyncio.timeout(None if one.answered else RENEW_SECONDS):
                await one.news.wait()
        one.news.clear()

    async def _finish(self, one: _Announcement) -> None:
        match one.end:
            case End.LEFT if one.answered:
                pass  # the callee has pressed a key just now
            case End.CALLER_GONE | End.LEFT:
                await self._send(commands.hang_up(one.callee))
            case End.CALLEE_GONE:
                await self._send(commands.resume(one.caller, "unanswered"))
            case End.LATE:
                await self._send(commands.hang_up(one.callee), commands.resume(one.caller, "unanswered"))
            case End.REFUSED:
                await self._send(commands.resume(one.caller, "lost"))
            case End.STOPPED if not one.answered:
                await self._send(commands.resume(one.caller, "lost"))

    async def _send(self, *requests: Request) -> None:
        """Send requests about channels that may be gone; what does not arrive is left to the dialplan."""
        if not requests:
            return
        try:
            await self._asterisk.send(*requests)
        except AriUnavailableError as error:
            log.warning("announced calls are left to the dialplan: %s", error)


def _seconds(written: str) -> float:
    with suppress(ValueError):
        if 1 <= (seconds := float(written)) <= LONGEST_SECONDS:
            return seconds
    return RING_SECONDS


def _name(channel: str) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(channel)["name"])
    return ""


def _states(channels: str) -> Iterator[tuple[str, str]]:
    for channel in _listed(channels):
        yield str(channel.get("id")), str(channel.get("state"))


def _names(stored: str) -> Iterator[str]:
    for recording in _listed(stored):
        yield str(recording.get("name"))


def _listed(body: str) -> list[Mapping[str, Any]]:
    """Read a list of objects. Raises ValueError."""
    listed = json.loads(body)
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise ValueError("expected a list of objects")
    return listed
