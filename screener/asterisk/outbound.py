"""Whom our people call: seen at the manager interface, asked of Asterisk itself, and remembered as trust.

The event that a channel is being dialled is a hint and no more: a caller can forge one, whole (see `Wire`). Each fact
is asked of Asterisk in an action of our own, whose id nobody can guess: what was dialled at the trunk, after the
outbound route's rules (DIALEDPEERNUMBER of its leg), and which channel the whole call began with (its linkedid). A call
that came in from outside, however it was forwarded, has its beginning outside.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol

import phonenumbers

from screener.asterisk.ami import Answer
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.clocks import Clocks
from screener.asterisk.errors import AmiError, AmiRefusedError
from screener.asterisk.tasks import Tasks
from screener.policy.caller import e164
from screener.policy.policy import Policy
from screener.policy.remembered import Window, WindowKind

log = logging.getLogger(__name__)

LEGS_ASKED: Final = 32
"""Calls out that are asked about at once; of those beyond nothing is learned."""
NAME_LIMIT: Final = 200
"""Characters of a channel's name; a longer one is none of Asterisk's."""
NO_CHANNEL: Final = "No such channel"
"""What Asterisk says of a call that is over."""

_ENDPOINT: Final = re.compile(r"(?P<technology>[^/]+)/(?P<endpoint>[^/]+)(/.+)?-[0-9a-f]+(;[12])?")
_DIALLED: Final = re.compile(r"(?:(?P<before>[^/@]+)@[^/]+|[^/]+/(?:sips?:|tel:)?(?P<after>[^/@;]+)(?:[@;].*)?)")
"""What Dial() was told after the technology: `number@endpoint`, `endpoint/number`, `endpoint/sip:number@host`. IAX2's
may hold a password, so it is never logged."""
_DIGITS: Final = re.compile(r"\+?[0-9*#]{2,32}", re.ASCII)


class Actions(Protocol):
    """What is needed of the connection."""

    async def action(self, name: str, **headers: str) -> list[Answer]:
        """See `Ami.action`."""


class Memory(Protocol):
    """What is told of calls out."""

    def dialled(self, number: str, policy: Policy, now: float) -> None:
        """We called this number (E.164)."""

    def open_window(self, window: Window) -> None:
        """Let everybody in for a while."""


class Record(Protocol):
    """What the journal is told: neither waits nor raises."""

    def dialled(self, number: str, at: float) -> None:
        """We called this number (E.164) at `at`, seconds since the epoch."""

    def opened(self, window: Window, at: float) -> None:
        """Everybody gets in, from `at` to the window's end, both in seconds since the epoch."""


class Origin(Enum):
    """Where a call began."""

    OURS = auto()
    """At an endpoint that is no trunk."""
    OUTSIDE = auto()
    """At a trunk, or it was forwarded."""
    UNKNOWN = auto()
    """At a channel that was made by a program, or that is gone."""


class Outbound:
    """Takes hints, asks, and tells memory and journal."""

    def __init__(
        self,
        ami: Actions,
        settings: AmiSettings,
        *,
        memory: Memory,
        record: Record,
        policy: Callable[[], Policy],
        clocks: Clocks,
    ) -> None:
        """`policy` returns the policy in force."""
        self._ami = ami
        self._strip = {trunk.endpoint: trunk.strip for trunk in settings.trunks}
        self._memory = memory
        self._record = record
        self._policy = policy
        self._clocks = clocks
        self._asked: set[str] = set()
        self._told = False
        self.passed_over = 0
        """Hints that came while too many calls were asked about."""
        self.tasks = Tasks()

    def dial_began(self, channel: str) -> None:
        """Look into a channel that is said to be dialled, if it is one of a trunk."""
        found = _ENDPOINT.fullmatch(channel) if len(channel) <= NAME_LIMIT else None
        strip = self._strip.get(found["endpoint"]) if found else None
        if strip is None or channel in self._asked:
            return
        if len(self._asked) >= LEGS_ASKED:
            self.passed_over += 1
            return
        self._asked.add(channel)
        self.tasks.start(self._look(channel, strip))

    async def _look(self, leg: str, strip: str) -> None:
        try:
            asked = ("DIALEDPEERNUMBER", "CHANNEL(linkedid)", "REDIRECTING(from-num)")
            dialled, linked, redirected = await self._values(leg, *asked)
            digits = outside_digits(dialled, "")
            if digits is not None and not redirected:
                self._learn(digits, outside_digits(dialled, strip), await self._origin(linked))
        except AmiError as error:
            if NO_CHANNEL in str(error):
                log.debug("the call out on %s was over before it was looked at", leg)
            elif not self._told:
                self._told = True
                log.warning("whom our people call is not seen: %s", error)
        finally:
            self._asked.discard(leg)

    async def _origin(self, linked: str) -> Origin:
        """Say where the call began whose first channel has the unique id `linked`."""
        try:
            asked = ("CHANNEL(name)", "SCREENER_TREATMENT", "REDIRECTING(from-num)")
            name, screened, redirected = await self._values(linked, *asked)
        except AmiRefusedError as error:
            if NO_CHANNEL in str(error):
                return Origin.UNKNOWN
            raise
        found = _ENDPOINT.fullmatch(name)
        # A call that the dialplan brought to us came in, also by an endpoint that is not named as a trunk.
        if screened or redirected or (found and found["endpoint"] in self._strip):
            return Origin.OUTSIDE
        return Origin.OURS if found and found["technology"] != "Local" else Origin.UNKNOWN

    def _learn(self, digits: str, outside: str | None, origin: Origin) -> None:
        """Take what was dialled, and what of it is a number outside: without the digits that the trunk wants first."""
        policy, now = self._policy(), self._clocks.steady()
        region = policy.settings.region
        if origin is Origin.OUTSIDE:
            return
        # A route may send an emergency number without the trunk's own digits.
        if called := next(
            (one for one in (digits, outside) if one and phonenumbers.is_emergency_number(one, region)), None
        ):
            # Better a window too many here: of a call whose beginning is not known, too.
            seconds = policy.settings.windows.emergency_minutes * 60
            if seconds:
                self._memory.open_window(Window(kind=WindowKind.EMERGENCY, until=now + seconds))
                at = self._clocks.wall()
                self._record.opened(Window(kind=WindowKind.EMERGENCY, until=at + seconds), at)
                log.warning("%s was called: everybody gets in for %g minutes", called, seconds / 60)
        elif origin is Origin.OURS and (number := callable_number(outside or "", region)) and not policy.owns(number):
            self._memory.dialled(number, policy, now)
            self._record.dialled(number, self._clocks.wall())
            log.info("called number=%s", number)

    async def _values(self, channel: str, *variables: str) -> tuple[str, ...]:
        """Return variables of a channel, by its name or unique id; empty where there is none. Raises AmiError."""
        asking = [self._ami.action("Getvar", Channel=channel, Variable=variable) for variable in variables]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return tuple(answer[0].get("Value", "") for answer in answers if not isinstance(answer, BaseException))


def outside_digits(dialled: str, strip: str) -> str | None:
    """Return the digits that went out, of what Dial() was told after the technology; None if there are none.

    `strip` are the digits that the trunk wants before a number outside: without them it is not one.
    """
    found = _DIALLED.fullmatch(dialled)
    digits = found and (found["before"] or found["after"])
    if not digits or not _DIGITS.fullmatch(digits) or not digits.startswith(strip):
        return None
    return digits[len(strip) :] or None


def callable_number(digits: str, region: str) -> str | None:
    """Return the number in E.164 that was dialled, or None for a service code, a short number, an extension."""
    number = e164(digits, region)
    if number is None:
        return None
    # Seven digits in the USA are a number only within an area that we do not know.
    possible = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number))
    return number if possible == phonenumbers.ValidationResult.IS_POSSIBLE else None
