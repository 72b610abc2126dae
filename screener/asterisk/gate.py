"""One call's way through: in from the dialplan, judged, and on to its treatment within milliseconds."""

import asyncio
import logging
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, Protocol

from screener.asterisk import announce, commands
from screener.asterisk.announce import Announcer
from screener.asterisk.carried import Carrier
from screener.asterisk.desk import Desk, End
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import (
    CallDialled,
    CalleeAnswered,
    CallEnded,
    CallEntered,
    CallOffered,
    CallTransferred,
    ConnectionLost,
    Event,
    MalformedEventError,
    OutcomeReported,
    Replaced,
    bridged,
    survey,
)
from screener.asterisk.facts import read_call
from screener.asterisk.rest import NOT_FOUND, Answer, Request
from screener.asterisk.tasks import Tasks
from screener.asterisk.variables import summary
from screener.policy.call import Call
from screener.policy.decide import unjudged
from screener.policy.verdict import Treatment, Verdict

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 0.15
"""How long a call must have waited in Stasis to be taken as one that nobody judges: another screener, or we before the
connection broke, may be about to send it on, and its variables must not change under the treatment."""
DRAIN_SECONDS: Final = 2.0
"""How long calls being judged get at the end."""
TWICE_SECONDS: Final = 5.0
"""How long after a call was judged without its event that event may still come. A later one is another visit of the
same channel."""


class Asterisk(Protocol):
    """What the gate needs of a connection."""

    async def send(self, *requests: Request) -> list[Answer]:
        """See `AriConnection.send`."""


class Sent(Enum):
    """What came of the requests about a call."""

    DONE = auto()
    GONE = auto()
    """The caller had hung up."""
    LEFT = auto()
    """The call goes on, but had left Stasis: by its lease, or by requests of ours that we took for failed."""
    FAILED = auto()
    """Asterisk did not answer, or refused."""


class Gate:
    """Takes events, judges calls, learns from what becomes of them."""

    def __init__(
        self, asterisk: Asterisk, desk: Desk, *, application: str, pepper: bytes, call_seconds: float = 1.0
    ) -> None:
        """`pepper` keys the hash of withheld numbers; see `AriSettings` for `call_seconds`."""
        self._asterisk = asterisk
        self._desk = desk
        self._application = application
        self._clocks = desk.clocks
        self._pepper = pepper
        self._call_seconds = call_seconds
        self._caught_up: dict[str, float] = {}
        """Calls that were judged without their event, and when, until it comes or they end."""
        self.tasks = Tasks()
        self._carrier = Carrier(application, desk.secret)
        self._announcer = Announcer(asterisk, application=application, tasks=self.tasks)

    def take(self, event: Event) -> None:
        """Take one event; whatever it needs to wait for happens in a task of its own."""
        match event:
            case CallEntered() if announce.FACT in event.facts:
                self._announcer.take(event)
            case CallEntered():
                caught_up = self._caught_up.pop(event.channel.id, -TWICE_SECONDS)
                if self._clocks.steady() - caught_up >= TWICE_SECONDS:
                    self.tasks.start(self._screen(event))
            case CallOffered(channel_id=channel_id):
                self.tasks.start(self._send(channel_id, commands.claim(self._application, channel_id)))
            case OutcomeReported(channel_id=channel_id, outcome=outcome):
                self._announcer.decided(channel_id)
                self._desk.learn(channel_id, outcome)
            case CalleeAnswered(channel_id=channel_id):
                self._announcer.answered(channel_id)
            case CallDialled(channel_id=channel_id, status=status):
                self._desk.dialled(channel_id, status)
            case CallTransferred(channel_id=channel_id):
                self._desk.part(channel_id)
            case CallEnded():
                self._announcer.ended(event.channel_id)
                self._caught_up.pop(event.channel_id, None)
                self._desk.end(
                    event.channel_id,
                    End(cause=event.cause, cause_text=event.cause_text, seconds=event.seconds, busy=event.busy),
                )
            case ConnectionLost():
                self._desk.deaf()
            case Replaced():
                log.warning(
                    "another screener has registered the application %r; its calls are taken there now",
                    self._application,
                )

    async def connected(self) -> None:
        """Catch up with what happened while nobody listened: calls that ended, and calls that wait in Stasis.

        A call that entered between two connections sent its StasisStart to nobody; its lease would send it on, but it
        can be judged in time. Each is judged once, also when the event comes after all.
        """
        known = self._desk.following()
        try:
            present, waiting = await self._survey()
            talking = await self._talking() if known else {}
            if waiting:
                await asyncio.sleep(SETTLE_SECONDS)
                still = {entered.channel.id for entered in (await self._survey())[1]}
                waiting = [entered for entered in waiting if entered.channel.id in still]
        except (AriUnavailableError, MalformedEventError) as error:
            log.warning("cannot catch up with Asterisk's calls: %s", error)
            return
        self._desk.caught_up(known - present, talking)
        await self._announcer.connected(one.channel.id for one in waiting if announce.FACT in one.facts)
        for entered in waiting:
            if announce.FACT in entered.facts:
                continue
            followed = self._desk.followed(entered.channel.id)
            if followed is None:
                log.info("call %s waits in Stasis: judging it now", entered.channel.id)
                self._caught_up[entered.channel.id] = self._clocks.steady()
                self.tasks.start(self._screen(entered))
            else:  # the connection broke between its verdict and Asterisk's carrying it out
                log.info("call %s waits in Stasis with its verdict: sending it on now", entered.channel.id)
                variables = self._desk.variables(
                    followed.call, followed.verdict, self._desk.policy(), self._clocks.steady()
                )
                self.tasks.start(self._send_on(followed.call, followed.verdict, variables))

    async def _survey(self) -> tuple[set[str], list[CallEntered]]:
        """Return the ids of all channels, and the calls that wait for us and that no task of ours holds."""
        channels, application = await self._asterisk.send(*commands.survey(self._application))
        present, waiting = survey(channels.body, application.body)
        return present, [entered for entered in waiting if not self._desk.held(entered.channel.id)]

    async def _talking(self) -> Mapping[str, float]:
        """Return the ids of the channels that are in conversation, and since when (epoch seconds)."""
        (answer,) = await self._asterisk.send(commands.BRIDGES)
        try:
            return bridged(answer.body)
        except MalformedEventError as error:
            log.warning("who talks with whom is not known: %s", error)
            return {}

    async def drain(self) -> None:
        """Finish the calls that are being judged; those that come meanwhile too, up to a limit."""
        self._announcer.stop()
        ends = self._clocks.steady() + DRAIN_SECONDS
        while self.tasks and self._clocks.steady() < ends:
            await self.tasks.finish(DRAIN_SECONDS)

    async def _screen(self, entered: CallEntered) -> None:
        """Judge a call and send it on. Whatever fails here, the call goes where it would have gone without us."""
        with self._desk.hold(entered.channel.id):
            await self._judge_and_send(entered)

    async def _judge_and_send(self, entered: CallEntered) -> None:
        started = self._clocks.steady()
        policy, channel_id = self._desk.policy(), entered.channel.id
        try:
            settings, wall = policy.settings, self._clocks.wall()
            sources = settings.attestation
            call = read_call(entered, region=settings.region, pepper=self._pepper, now=wall, sources=sources)
        except Exception:
            log.exception("the facts of call %s cannot be read: letting the call through", channel_id)
            await self._send(channel_id, commands.treat(channel_id, Treatment.PASS))
            return
        verdict, variables = self._desk.judge(call, policy, started)
        self._desk.follow(call, verdict)
        sent = await self._send_on(call, verdict, variables)
        late: Verdict | None = None
        if sent is Sent.LEFT:
            late = unjudged("late", "not screened: the call had gone on before its verdict came")
        elif sent is Sent.FAILED:
            late = unjudged("late", "not screened: Asterisk did not carry out the verdict in time")
            sent = await self._send_on(call, late, summary(late, policy))
            # A call that has left Stasis meanwhile did so by the verdict, which was carried out after all.
            late = None if sent is Sent.LEFT else late
        self._desk.conclude(call, late or verdict, policy, took=self._clocks.steady() - started)
        if sent is Sent.GONE:
            self._desk.end(channel_id, End(cause_text="hung up before it was treated"))

    async def _send_on(self, call: Call, verdict: Verdict, variables: Mapping[str, str]) -> Sent:
        """Send the call to its treatment, or give up at the deadline."""
        extension, carried = self._carrier.load(variables)
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._send(
                    call.id,
                    commands.subscribe(self._application, call.id),
                    *carried,
                    commands.treat(call.id, verdict.acted, extension),
                )
        except TimeoutError:
            log.warning("call %s was not sent on within %g s", call.id, self._call_seconds)
            return Sent.FAILED

    async def _send(self, channel_id: str, *requests: Request) -> Sent:
        """Send requests about one call and say what came of them; a failure is left to the dialplan's lease."""
        try:
            answers = await self._asterisk.send(*requests)
        except AriUnavailableError as error:
            log.warning("call %s is left to the dialplan's lease: %s", channel_id, error)
            return Sent.FAILED
        if any(answer.status == NOT_FOUND for answer in answers):
            log.debug("call %s has ended before it was treated", channel_id)
            return Sent.GONE
        if any(answer.gone for answer in answers):
            log.debug("call %s has gone on before it was treated", channel_id)
            return Sent.LEFT
        for request, answer in zip(requests, answers, strict=True):
            if not answer.ok:
                log.warning("Asterisk answered %d to %s: %.200r", answer.status, request.path, answer.body)
                return Sent.FAILED
        return Sent.DONE
