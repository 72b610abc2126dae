"""One call from the caller's side: what a caller hears and does, and what became of the call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tests.lab.ami import Ami
from tests.lab.ear import BEEP, PEOPLE, Heard, Receiver
from tests.lab.places import LabError
from tests.lab.sounds import RATE, Samples

KEY_SECONDS: Final = 0.1
"""How long a key is held down."""
GAP_SECONDS: Final = 0.1
"""How long it takes from one key to the next."""


class CallOver(Exception):  # noqa: N818 - an ordinary outcome, not an error
    """The call ended while the caller was still about to do something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """A call as the caller saw it. Times are seconds since the caller lifted the receiver."""

    did: str
    caller_id: str
    answered: bool
    """Whether the PBX answered (its own announcements included)."""
    answered_at: float | None
    connected_to: str | None
    """Whose tone was heard last: agent or sales; None if nobody's."""
    connected_at: float | None
    ended_at: float
    status: str
    """Asterisk's word for it: ANSWER, BUSY, CANCEL, CHANUNAVAIL, CONGESTION, NOANSWER."""
    cause: int
    """Q.850 cause: 16 is a normal end, 17 busy, 21 refused."""
    sip: str
    """The last SIP answer, as `SIP 486 Busy here`."""
    heard: tuple[Heard, ...]
    pressed: str

    @property
    def digits(self) -> str:
        """All digits heard, in order."""
        return "".join(one.digit for one in self.heard if one.digit.isdigit())

    @property
    def sip_code(self) -> int:
        """The number of the last SIP answer, or 0."""
        words = self.sip.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


class Line:
    """One call in progress, from the caller's side."""

    def __init__(
        self,
        call: str,
        did: str,
        caller_id: str,
        *,
        receiver: Receiver,
        ami: Ami,
        keypad: Callable[[], Awaitable[Ami]],
        digits: Mapping[str, Samples],
    ) -> None:
        """`keypad` opens a manager connection; `digits` is how the caller would speak them."""
        self.call, self.did, self.caller_id = call, did, caller_id
        self.receiver = receiver
        self.leg = ""
        """The world's channel to the PBX, once there is one."""
        self.pressed = ""
        self._ami = ami
        self._keypad = keypad
        self._digits = digits
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answered = asyncio.Event()
        self._answered_at: float | None = None
        self._ended_at = 0.0
        self._ending: tuple[str, str] | None = None
        self._cause = 0
        self._why = ""
        self._listened = 0  # how many of receiver.heard the caller has taken in

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self._over.done()

    # ---------------------------------------------------------------------------------- what a caller can do

    async def answered(self) -> None:
        """Wait until the PBX answers."""
        await self._or_over(self._answered.wait())

    async def hear(self, pause: float = 1.0) -> str:
        """Listen until a person would act: digits, then silence for `pause` seconds; or a tone; or a beep.

        Returns the digits (`47`), the name of who picked up (`agent`, `sales`), or `beep`.
        """
        while True:
            self.receiver.news.clear()
            fresh = self.receiver.heard[self._listened :]
            spoken = [one for one in fresh if one.digit.isdigit()]
            if len(spoken) < len(fresh):
                self._listened = len(self.receiver.heard)
                return next(one.digit for one in fresh if not one.digit.isdigit())
            left = max(spoken[-1].at, self.receiver.loud_at) + pause - self.receiver.now if spoken else None
            if left is not None and left <= 0:
                self._listened = len(self.receiver.heard)
                return "".join(one.digit for one in spoken)
            with suppress(TimeoutError):
                await self._or_over(self.receiver.news.wait(), timeout=left)

    async def hear_digits(self, pause: float = 1.0) -> str:
        """Listen until digits were spoken and then nothing for `pause` seconds; all else is passed over."""
        while not (heard := await self.hear(pause)).isdigit():
            pass
        return heard

    async def hear_who(self) -> str:
        """Listen until somebody picks up, and return who: agent or sales."""
        while (heard := await self.hear()) not in PEOPLE:
            pass
        return heard

    async def hear_beep(self) -> None:
        """Listen until the beep after which one speaks."""
        while await self.hear() != BEEP:
            pass

    async def press(self, keys: str) -> None:
        """Press keys one after the other; they travel as RFC 4733."""
        # Asterisk holds up a connection for as long as a key is down, so each caller's keys have one of their own.
        keypad = await self._keypad()
        try:
            for place, key in enumerate(keys):
                if place:
                    await self.stay(GAP_SECONDS)
                self._check()
                duration = str(round(KEY_SECONDS * 1000))
                await self._or_over(keypad.action("PlayDTMF", Channel=self.leg, Digit=key, Duration=duration))
                self.pressed += key
        finally:
            keypad.close()

    async def say(self, digits: str) -> None:
        """Speak digits into the telephone, and return when they are spoken."""
        speech = np.concatenate([self._digits[digit] for digit in digits])
        self.receiver.say(speech)
        await self.stay(len(speech) / RATE)

    async def stay(self, seconds: float) -> None:
        """Stay on the line; CallOver if it goes first."""
        await self._or_over(asyncio.sleep(seconds))

    async def ended(self, timeout: float | None = None) -> None:
        """Stay on the line until the other side hangs up; TimeoutError after `timeout` seconds."""
        done, _ = await asyncio.wait({self._over}, timeout=timeout)
        if not done:
            raise TimeoutError

    async def hang_up(self) -> None:
        """Put the receiver down, and return when the call is over."""
        if not self.is_over:
            # The manager interface takes a channel's unique id for its name. It may be gone already.
            with suppress(LabError):
                await self._ami.action("Hangup", Channel=self.call, Cause="16")
            await self.ended(timeout=10)

    # ------------------------------------------------------------------------------------ told by the world

    def pick_up(self) -> None:
        """The PBX answered."""
        self._answered_at = self.receiver.now
        self._answered.set()

    def leg_gone(self, cause: int) -> None:
        """The channel to the PBX ended; this and over() come in either order."""
        self.leg, self._cause = "", cause
        self._finish()

    def over(self, status: str = "", sip: str = "", why: str = "") -> None:
        """The call ended; with a `why`, because the lab failed."""
        self._ending = (status, sip)
        self._why = why
        self._finish()

    def _finish(self) -> None:
        if self._why or (self._ending is not None and not self.leg):
            self._ended_at = self.receiver.now
            if not self._over.done():
                self._over.set_result(None)

    def result(self) -> CallResult:
        """Return the call as the caller saw it, once it is over; LabError if it was the lab that failed."""
        if self._why:
            raise LabError(f"the call from {self.caller_id or 'anonymous'} to {self.did} failed: {self._why}.")
        status, sip = self._ending or ("", "")
        heard = tuple(self.receiver.heard)
        who = next((one for one in heard if one.digit in PEOPLE), None)
        last = next((one.digit for one in reversed(heard) if one.digit in PEOPLE), None)
        return CallResult(
            did=self.did,
            caller_id=self.caller_id,
            answered=self._answered_at is not None,
            answered_at=self._answered_at,
            connected_to=last,
            connected_at=who.at if who else None,
            ended_at=self._ended_at,
            status=status,
            cause=self._cause,
            sip=sip,
            heard=heard,
            pressed=self.pressed,
        )

    # ---------------------------------------------------------------------------------------------- innards

    def _check(self) -> None:
        if self._over.done():
            raise CallOver

    async def _or_over(self, wanted: Coroutine[Any, Any, object], timeout: float | None = None) -> None:
        """Wait for `wanted`; CallOver if the call ends first, TimeoutError if `timeout` seconds do."""
        waiting = asyncio.Task(wanted)
        both: set[asyncio.Future[Any]] = {waiting, self._over}
        try:
            done, _ = await asyncio.wait(both, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if waiting not in done:
                raise CallOver if done else TimeoutError
            waiting.result()
        except LabError:
            # A channel that is gone may be refused a moment before its end is reported.
            with suppress(TimeoutError):
                await self.ended(timeout=1)
            self._check()
            raise
        finally:
            waiting.cancel()


Behaviour = Callable[[Line], Coroutine[Any, Any, None]]
