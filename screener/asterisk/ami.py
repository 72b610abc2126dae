"""The connection to Asterisk's manager interface (AMI): opened again for ever, each action with a deadline.

No call waits for it. What needs it (whom we called, Asterisk's own lists, moving a call in progress) does without
while it is away.
"""

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol

from panoramisk.actions import Action

from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.ami_wire import Wire
from screener.asterisk.backoff import delays
from screener.asterisk.errors import AmiError, AmiRefusedError, AmiUnavailableError
from screener.policy.text import printable

log = logging.getLogger(__name__)

PING_SECONDS: Final = 5.0
"""How often a connection is looked at: a peer that is gone without a word is noticed after this and a deadline."""
LASTING_SECONDS: Final = 1.0
"""How long a connection must have stood for the next try after it to be made at once."""
REFUSED_SECONDS: Final = 10.0
"""How long to wait after a refusal: an administrator has to mend it, and each try is a line in Asterisk's log."""
IN_FLIGHT: Final = 256
"""Actions that wait for their answers; beyond it an action fails at once."""
LISTING_SECONDS: Final = 30.0
"""How long an answer of many messages may take."""
NOT_CONNECTED: Final = "not connected to Asterisk's manager interface"
VALUE_LIMIT: Final = 800
"""Characters of a value; Asterisk's line ends at 1,024 bytes."""

Answer = Mapping[str, str]
"""Headers by name, as Asterisk writes them."""


class Listener(Protocol):
    """Who is told what happens."""

    def dial_began(self, channel: str) -> None:
        """A channel is said to be dialled; a stranger may have said it. Must not block."""

    async def connected(self) -> None:
        """Actions can be sent: runs at each connection, until it ends by itself or the connection does."""


class Ami:
    """Sends actions; `run` keeps the connection."""

    def __init__(self, settings: AmiSettings, secret: str) -> None:
        self._settings = settings
        self._secret = secret
        self._wire: Wire | None = None
        self._told = ""
        """The trouble that was told last."""

    @property
    def connected(self) -> bool:
        """Whether actions can be sent."""
        return self._wire is not None

    async def action(self, name: str, **headers: str) -> list[Answer]:
        """Send one action and return its answer, or all messages of its list.

        Control characters in values become U+FFFD: a line end would begin another header. Raises AmiUnavailableError,
        AmiRefusedError, and AmiError for an answer that cannot be read.
        """
        if self._wire is None:
            raise AmiUnavailableError(NOT_CONNECTED)
        return await self._ask(self._wire, self._settings.action_seconds, name, **headers)

    async def listing(self, name: str, **headers: str) -> list[Answer]:
        """Send an action whose answer may be long; else like `action`."""
        if self._wire is None:
            raise AmiUnavailableError(NOT_CONNECTED)
        return await self._ask(self._wire, LISTING_SECONDS, name, **headers)

    @contextlib.asynccontextmanager
    async def once(self) -> AsyncIterator[None]:
        """Be connected for a block, and hear nothing. Raises AmiUnavailableError, and AmiRefusedError."""
        async with self._session(_DEAF):
            yield

    async def run(self, listener: Listener) -> None:
        """Connect and stay connected until cancelled. A refusal is tried again too, more slowly."""
        waits, clock = delays(random.random), asyncio.get_running_loop().time
        while True:
            begun, refused = clock(), False
            try:
                async with self._session(listener) as wire:
                    await self._until_lost(wire)
                reason = "Asterisk closed the connection"
            except AmiRefusedError as error:
                reason, refused = str(error), True
            except AmiError as error:
                reason = str(error)
            if clock() - begun > LASTING_SECONDS:
                waits = delays(random.random)
            if reason != self._told:
                log.warning("not connected to the manager interface at %s: %s; trying on", self._address, reason)
            self._told = reason
            await asyncio.sleep(REFUSED_SECONDS if refused else next(waits))

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    @contextlib.asynccontextmanager
    async def _session(self, listener: Listener) -> AsyncIterator[Wire]:
        """One connection, logged in."""
        wire = await self._open(listener)
        try:
            await self._log_in(wire)
            self._wire, self._told = wire, ""
            log.info("connected to the manager interface at %s", self._address)
            telling = asyncio.get_running_loop().create_task(self._tell(listener))
            try:
                yield wire
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
        finally:
            self._wire = None
            wire.transport.abort()

    async def _open(self, listener: Listener) -> Wire:
        loop, settings = asyncio.get_running_loop(), self._settings
        try:
            async with asyncio.timeout(settings.action_seconds):
                _, wire = await loop.create_connection(lambda: Wire(listener.dial_began), settings.host, settings.port)
        except (OSError, TimeoutError) as error:
            raise AmiUnavailableError(str(error) or "no answer") from error
        return wire

    async def _log_in(self, wire: Wire) -> None:
        """Prove that we know the secret without sending it, and ask for the events of calls."""
        user, seconds = self._settings.user or "", self._settings.action_seconds
        (challenge,) = await self._ask(wire, seconds, "Challenge", AuthType="MD5")
        # The one way that Asterisk offers; the secret is not to be guessed from it if it is long.
        proof = f"{challenge.get('Challenge', '')}{self._secret}".encode()
        key = hashlib.md5(proof, usedforsecurity=False).hexdigest()
        try:
            await self._ask(wire, seconds, "Login", AuthType="MD5", Username=user, Key=key, Events="call")
        except AmiRefusedError as error:
            message = f"it refuses the user {user!r} or the secret (manager.conf, and `manager show users` in its CLI)"
            raise AmiRefusedError(message) from error

    async def _tell(self, listener: Listener) -> None:
        try:
            await listener.connected()
        except AmiError as error:
            log.warning("the manager interface: %s", error)
        except Exception:  # a fault of ours must not end the connection, and with it what else needs it
            log.exception("what the manager interface is asked for failed")

    async def _until_lost(self, wire: Wire) -> None:
        while not wire.lost.done():
            await asyncio.wait({wire.lost}, timeout=PING_SECONDS)
            if not wire.lost.done():
                await self._ask(wire, self._settings.action_seconds, "Ping")

    async def _ask(self, wire: Wire, seconds: float, name: str, **headers: str) -> list[Answer]:
        if wire.lost.done():
            raise AmiUnavailableError(NOT_CONNECTED)
        if len(wire.responses) >= IN_FLIGHT:
            raise AmiUnavailableError(f"{IN_FLIGHT} actions wait for Asterisk already")
        cleaned = {header: printable(value, VALUE_LIMIT) for header, value in headers.items()}
        action = Action({"Action": name, **cleaned})
        try:
            async with asyncio.timeout(seconds):
                found = await wire.send(action, as_list=None)
        except TimeoutError as error:
            message = f"the manager interface did not answer {name} within {seconds:g} s"
            raise AmiUnavailableError(message) from error
        finally:
            # What is not answered is not awaited, and never sent again: a call moved a minute late is another call.
            wire.responses.pop(action.id, None)
        answers: Sequence[Answer] = found if isinstance(found, list) else [found]
        if answers[0].get("Response") != "Success":
            said = printable(answers[0].get("Message", "no reason"), VALUE_LIMIT)
            raise AmiRefusedError(f"Asterisk refuses {name}: {said}")
        return list(answers)


class _Deaf:
    """Who only asks."""

    def dial_began(self, channel: str) -> None:
        pass

    async def connected(self) -> None:
        pass


_DEAF: Final = _Deaf()
