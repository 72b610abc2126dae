"""The FastAGI server: the question that Stasis() asks, asked by AGI(), and the verdict as channel variables.

It carries a call to the same desk as the gate does; the channel never leaves the dialplan. What becomes of the call is
learned where there is also an ARI connection, which can listen to any channel.

panoramisk, which the AMI connection uses, has a FastAGI server too. Of it nothing is used here: version 1.4 reads
`while b"\\n\\n" not in buffer: buffer += await reader.read(100)`, which at the end of a connection that has sent no
empty line returns at once and for ever, so that one client that connects and hangs up stops the whole event loop; it
has no time limit and no bound on what it keeps; it breaks on bytes that are no UTF-8; and it takes the lines that a
caller forges with a line end in its number for Asterisk's. Its reading, its limits and its commands would all have to
be replaced, and nothing else is in it.
"""

import asyncio
import contextlib
import logging
from typing import Final, Protocol

from screener.asterisk import agi, commands
from screener.asterisk.agi_wire import SHOWN, AgiWire, HungUpError, RefusedError, UnansweredError
from screener.asterisk.desk import Desk
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.facts import read_call
from screener.asterisk.fastagi_settings import FastAgiSettings
from screener.asterisk.rest import Answer, Request
from screener.asterisk.tasks import Tasks
from screener.policy.call import Call
from screener.policy.decide import unjudged
from screener.policy.policy import Policy
from screener.policy.text import printable

log = logging.getLogger(__name__)

SCRIPT: Final = "screen"
"""The path of the address in AGI()."""
BACKLOG: Final = 1024
"""Connections that the kernel holds for us while we are stopped. Of one more Asterisk hears nothing for 2 s
(MAX_AGI_CONNECT in res_agi.c), and only then lets the call go on."""
SUBSCRIBE_SECONDS: Final = 0.2
"""How long to wait for ARI, which is not needed to judge a call."""
AGAIN_SECONDS: Final = 0.2
"""How long until the next try to listen."""
DRAIN_SECONDS: Final = 2.0
"""How long calls being judged get at the end."""
LAST: Final = ("SCREENER_TREATMENT", "SCREENER_REASONS")
"""What is set last: the dialplan takes a call for judged when these are there."""


class Asterisk(Protocol):
    """What the server needs of an ARI connection."""

    async def send(self, *requests: Request) -> list[Answer]:
        """See `AriConnection.send`."""


class FastAgi:
    """Listens, and judges the calls that come."""

    def __init__(
        self, settings: FastAgiSettings, desk: Desk, asterisk: Asterisk, *, application: str, pepper: bytes
    ) -> None:
        """`application` is the one of the ARI connection; `pepper` keys the hash of withheld numbers."""
        self._settings = settings
        self._desk = desk
        self._asterisk = asterisk
        self._application = application
        self._pepper = pepper
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        """Connections that have not sent their environment yet, the oldest first."""
        self.tasks = Tasks()
        self.ready = asyncio.Event()
        """Set when it listens, and for ever."""

    @property
    def enabled(self) -> bool:
        """Whether it is wanted."""
        return self._settings.enabled

    @property
    def way(self) -> str:
        """Whether calls come by it, in words."""
        return f"FastAGI at {self._address}" if self._server is not None else "FastAGI does not listen yet"

    async def run(self) -> None:
        """Listen until cancelled, where it is wanted; as often as it takes, since an older screener may be leaving."""
        if not self._settings.enabled:
            return
        told = ""
        while self._server is None:
            try:
                await self.listen()
            except OSError as error:
                reason = error.strerror or str(error)
                if reason != told:
                    log.warning("no FastAGI at %s yet: %s", self._address, reason)
                told = reason
                await asyncio.sleep(AGAIN_SECONDS)
        try:
            await asyncio.Event().wait()
        finally:
            self._server.close()

    async def listen(self) -> int:
        """Begin to listen, and return the port. Raises OSError."""
        self._server = await asyncio.start_server(
            self._accept, self._settings.listen, self._settings.port, limit=agi.LARGEST, backlog=BACKLOG
        )
        self.ready.set()
        log.info("FastAGI at %s", self._address)
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self) -> None:
        """Take no new calls, and finish those that are being judged."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._waiting):
            writer.transport.abort()
        await self.tasks.finish(DRAIN_SECONDS)

    @property
    def _address(self) -> str:
        return f"{self._settings.listen}:{self._settings.port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._settings.connections:
            oldest = next(iter(self._waiting), None)
            if oldest is None:
                log.warning("more than %d FastAGI connections at once: one is refused", self._settings.connections)
                writer.transport.abort()
                return
            self._open.discard(oldest)
            self._waiting.pop(oldest)
            oldest.transport.abort()
        self._open.add(writer)
        self._waiting[writer] = None
        self.tasks.start(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end. Whatever fails here, AGI() returns and the dialplan lets the call go on."""
        wire = AgiWire(reader, writer, self._settings.answer_seconds)
        try:
            await self._screen(wire, await self._environment(wire))
        except (HungUpError, ConnectionError):
            log.debug("a FastAGI connection ended before its call was judged")
        except (UnansweredError, RefusedError, agi.MalformedAgiError) as error:
            log.warning("a FastAGI connection is closed: %s", error)
        except Exception:
            log.exception("a FastAGI connection failed: its call goes on unscreened")
        finally:
            self._open.discard(writer)
            self._waiting.pop(writer, None)
            writer.transport.abort()

    async def _environment(self, wire: AgiWire) -> dict[str, str]:
        try:
            return await wire.environment(self._settings.header_seconds)
        finally:
            self._waiting.pop(wire.writer, None)

    async def _screen(self, wire: AgiWire, environment: dict[str, str]) -> None:
        """Judge a call and set its variables."""
        if (script := agi.script(environment)) != SCRIPT:
            raise agi.MalformedAgiError(f"AGI() asks for {printable(script, SHOWN)!r}; {SCRIPT!r} is what there is")
        started = self._desk.clocks.steady()
        told = await wire.told() or agi.told_by(environment)
        policy = self._desk.policy()
        entered = agi.entered(told, environment)
        settings, wall = policy.settings, self._desk.clocks.wall()
        sources = settings.attestation
        call = read_call(entered, region=settings.region, pepper=self._pepper, now=wall, sources=sources)
        with self._desk.hold(call.id):
            await self._judge(wire, call, policy, started)

    async def _judge(self, wire: AgiWire, call: Call, policy: Policy, started: float) -> None:
        verdict, variables = self._desk.judge(call, policy, started)
        self._desk.follow(call, verdict)
        if not await self._subscribe(call):
            self._desk.forget(call.id)
        why = ""
        try:
            *before, last = agi.set_commands(variables, last=LAST)
            for command in before:
                await wire.ask(command)
            # Of the last one's answer nobody knows whether it is late or lost: the verdict counts as carried out.
            with contextlib.suppress(UnansweredError):
                await wire.ask(last)
        except (HungUpError, ConnectionError):
            why = "the call had gone on, or was over, before its verdict came"
        except (UnansweredError, RefusedError, agi.MalformedAgiError) as error:
            log.warning("call %s goes on unscreened: %s", call.id, error)
            why = "Asterisk did not carry out the verdict"
        wire.hang_up()
        if why:
            verdict = unjudged("late", f"not screened: {why}")
        self._desk.conclude(call, verdict, policy, took=self._desk.clocks.steady() - started)

    async def _subscribe(self, call: Call) -> bool:
        """Have ARI tell us what becomes of the call, and return whether it will."""
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                (answer,) = await self._asterisk.send(commands.subscribe(self._application, call.id))
        except AriUnavailableError:
            return False
        except TimeoutError:  # it was asked, and is late: most likely it will
            return True
        return answer.ok
