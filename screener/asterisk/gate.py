"""One call's way through: in from the dialplan, judged, and on to its treatment within milliseconds."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Protocol

from screener.asterisk import commands
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import (
    CallEnded,
    CallEntered,
    CallOffered,
    Event,
    MalformedEventError,
    OutcomeReported,
    Replaced,
    survey,
)
from screener.asterisk.facts import read_call
from screener.asterisk.load import Load
from screener.asterisk.prompts import PLAIN, Prompts
from screener.asterisk.rest import NOT_FOUND, Answer, Request
from screener.asterisk.tasks import Tasks
from screener.asterisk.variables import channel_variables, summary
from screener.memory.journal import Ended, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.decide import UNJUDGED, unjudged
from screener.policy.policy import Policy
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment, Verdict

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 0.15
"""How long a call must have waited in Stasis to be taken as one that nobody judges: another screener, or we before the
connection broke, may be about to send it on, and its variables must not change under the treatment."""
CALLS_FOLLOWED: Final = 20_000
"""Calls under way whose outcome is awaited. Asterisk itself ends long before; beyond it the call that came first is no
longer followed, which costs nothing but what would have been learned from it."""
DRAIN_SECONDS: Final = 2.0
"""How long calls being judged get at the end."""
TWICE_SECONDS: Final = 5.0
"""How long after a call was judged without its event that event may still come. A later one is another visit of the
same channel."""
TELLING: Final = frozenset({Treatment.CAPTCHA, Treatment.MENU, Treatment.VOICEMAIL})
"""Treatments that report an outcome; a call that ends in one without any was abandoned by its caller."""


class Asterisk(Protocol):
    """What the gate needs of a connection."""

    async def send(self, *requests: Request) -> list[Answer]:
        """See `AriConnection.send`."""


class Record(Protocol):
    """What the gate needs of a journal: none of these waits or raises."""

    def judged(self, judged: Judged) -> None:
        """Record a verdict."""

    def outcome(self, call_id: str, outcome: Outcome, at: float) -> None:
        """Record what a treatment showed."""

    def ended(self, call_id: str, ended: Ended) -> None:
        """Record the end of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks, both in seconds: one that never steps back, to judge by; one that people read, to write down."""

    steady: Callable[[], float]
    wall: Callable[[], float]


@dataclass(slots=True, kw_only=True)
class Followed:
    """A call that was judged and is not over."""

    call: Call
    verdict: Verdict
    outcomes: list[Outcome] = field(default_factory=list)
    ended: CallEnded | None = None
    """Its end, where that came while the call was still being sent on."""


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
        self,
        asterisk: Asterisk,
        *,
        application: str,
        memory: LocalMemory,
        record: Record,
        policy: Callable[[], Policy],
        clocks: Clocks,
        pepper: bytes,
        load: Load,
        prompts: Prompts = PLAIN,
        overload_treatment: Treatment = Treatment.PASS,
        call_seconds: float = 1.0,
    ) -> None:
        """`policy` returns the policy in force; `pepper` keys the hash of withheld numbers; see `AriSettings` for
        `call_seconds`."""
        self._asterisk = asterisk
        self._application = application
        self._memory = memory
        self._record = record
        self._policy = policy
        self._clocks = clocks
        self._pepper = pepper
        self._prompts = prompts
        self._load = load
        self._overload_treatment = overload_treatment
        self._call_seconds = call_seconds
        self.judged: Counter[str] = Counter()
        """Calls since the start: `calls`, and of these `overloaded`, `late` and `error`."""
        self._followed: dict[str, Followed] = {}
        self._held: set[str] = set()
        """Calls that a task of ours judges or sends on."""
        self._caught_up: dict[str, float] = {}
        """Calls that were judged without their event, and when, until it comes or they end."""
        self.tasks = Tasks()

    def take(self, event: Event) -> None:
        """Take one event; whatever it needs to wait for happens in a task of its own."""
        match event:
            case CallEntered():
                caught_up = self._caught_up.pop(event.channel.id, -TWICE_SECONDS)
                if self._clocks.steady() - caught_up >= TWICE_SECONDS:
                    self.tasks.start(self._screen(event))
            case CallOffered(channel_id=channel_id):
                self.tasks.start(self._send(channel_id, commands.claim(self._application, channel_id)))
            case OutcomeReported(channel_id=channel_id, outcome=outcome):
                self._learn(channel_id, outcome)
            case CallEnded():
                self._end(event)
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
        known = set(self._followed)
        try:
            present, waiting = await self._survey()
            if waiting:
                await asyncio.sleep(SETTLE_SECONDS)
                still = {entered.channel.id for entered in (await self._survey())[1]}
                waiting = [entered for entered in waiting if entered.channel.id in still]
        except (AriUnavailableError, MalformedEventError) as error:
            log.warning("cannot catch up with Asterisk's calls: %s", error)
            return
        for channel_id in known - present:
            self._end(CallEnded(channel_id=channel_id, cause=0, cause_text="ended while disconnected", seconds=0))
        for entered in waiting:
            followed = self._followed.get(entered.channel.id)
            if followed is None:
                log.info("call %s waits in Stasis: judging it now", entered.channel.id)
                self._caught_up[entered.channel.id] = self._clocks.steady()
                self.tasks.start(self._screen(entered))
            else:  # the connection broke between its verdict and Asterisk's carrying it out
                log.info("call %s waits in Stasis with its verdict: sending it on now", entered.channel.id)
                variables = self._variables(followed.call, followed.verdict, self._policy())
                self.tasks.start(self._send_on(followed.call, followed.verdict, variables))

    async def _survey(self) -> tuple[set[str], list[CallEntered]]:
        """Return the ids of all channels, and the calls that wait for us and that no task of ours holds."""
        channels, application = await self._asterisk.send(*commands.survey(self._application))
        present, waiting = survey(channels.body, application.body)
        return present, [entered for entered in waiting if entered.channel.id not in self._held]

    async def drain(self) -> None:
        """Finish the calls that are being judged; those that come meanwhile too, up to a limit."""
        ends = self._clocks.steady() + DRAIN_SECONDS
        while self.tasks and self._clocks.steady() < ends:
            await self.tasks.finish(DRAIN_SECONDS)

    async def _screen(self, entered: CallEntered) -> None:
        """Judge a call and send it on. Whatever fails here, the call goes where it would have gone without us."""
        self._held.add(entered.channel.id)
        try:
            await self._judge_and_send(entered)
        finally:
            self._held.discard(entered.channel.id)
            followed = self._followed.get(entered.channel.id)
            if followed is not None and followed.ended is not None:
                self._end(followed.ended)

    async def _judge_and_send(self, entered: CallEntered) -> None:
        started = self._clocks.steady()
        policy, channel_id = self._policy(), entered.channel.id
        try:
            call = read_call(entered, region=policy.settings.region, pepper=self._pepper)
        except Exception:
            log.exception("the facts of call %s cannot be read: letting the call through", channel_id)
            await self._send(channel_id, commands.treat(channel_id, Treatment.PASS))
            return
        verdict, variables = self._judge(call, policy, started)
        self._follow(call, verdict)
        sent = await self._send_on(call, verdict, variables)
        late: Verdict | None = None
        if sent is Sent.LEFT:
            late = unjudged("late", "not screened: the call had gone on before its verdict came")
        elif sent is Sent.FAILED:
            late = unjudged("late", "not screened: Asterisk did not carry out the verdict in time")
            sent = await self._send_on(call, late, summary(late, policy))
            # A call that has left Stasis meanwhile did so by the verdict, which was carried out after all.
            late = None if sent is Sent.LEFT else late
        if late is not None:
            verdict = late
            self._followed[call.id].verdict = late
        self._count(verdict)
        at, took = self._clocks.wall(), self._clocks.steady() - started
        self._write(Judged(call=call, verdict=verdict, at=at, took=took, policy_version=policy.version))
        if sent is Sent.GONE and (followed := self._followed.get(call.id)) and followed.ended is None:
            text = "hung up before it was treated"
            followed.ended = CallEnded(channel_id=channel_id, cause=0, cause_text=text, seconds=0)

    async def _send_on(self, call: Call, verdict: Verdict, variables: Mapping[str, str]) -> Sent:
        """Send the call to its treatment, or give up at the deadline."""
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._send(
                    call.id,
                    commands.subscribe(self._application, call.id),
                    *commands.set_variables(call.id, variables),
                    commands.treat(call.id, verdict.acted),
                )
        except TimeoutError:
            log.warning("call %s was not sent on within %g s", call.id, self._call_seconds)
            return Sent.FAILED

    def _judge(self, call: Call, policy: Policy, now: float) -> tuple[Verdict, Mapping[str, str]]:
        """Return the verdict and its channel variables; a policy that fails lets the call through."""
        excess = self._load.excess(len(self._held))
        try:
            if excess is None:
                verdict = judge(self._memory, call, policy, now)
            else:
                mode = policy.line(call.did).mode
                verdict = unjudged("overloaded", f"not judged: {excess}", self._overload_treatment, mode)
            return verdict, self._variables(call, verdict, policy)
        except Exception as error:
            log.exception("the policy failed for call %s: letting the call through", call.id)
            verdict = unjudged("error", f"not screened: the policy failed ({type(error).__name__})")
            return verdict, summary(verdict, policy)

    def _variables(self, call: Call, verdict: Verdict, policy: Policy) -> Mapping[str, str]:
        salt, below = secrets.token_hex(16), secrets.randbelow
        return channel_variables(call, verdict, policy, prompts=self._prompts, below=below, salt=salt)

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

    def _count(self, verdict: Verdict) -> None:
        self.judged["calls"] += 1
        for reason in verdict.reasons:
            if reason.code in UNJUDGED:
                self.judged[reason.code] += 1

    def _follow(self, call: Call, verdict: Verdict) -> None:
        if len(self._followed) >= CALLS_FOLLOWED:
            del self._followed[next(iter(self._followed))]
        self._followed[call.id] = Followed(call=call, verdict=verdict)

    def _write(self, judged: Judged) -> None:
        self._record.judged(judged)
        call, verdict = judged.call, judged.verdict
        log.info(
            "call=%s caller=%r did=%s verdict=%s acted=%s score=%g reasons=%s mode=%s took_ms=%.1f",
            call.id, call.caller.label, call.did, verdict.treatment, verdict.acted, verdict.score,
            "+".join(reason.code for reason in verdict.reasons) or "none", verdict.mode, judged.took * 1000,
        )  # fmt: skip

    def _learn(self, channel_id: str, outcome: Outcome) -> None:
        followed = self._followed.get(channel_id)
        if followed is None:
            return
        followed.outcomes.append(outcome)
        self._memory.learn(followed.call, outcome, self._policy(), self._clocks.steady())
        self._record.outcome(channel_id, outcome, self._clocks.wall())
        log.info("call=%s caller=%r treatment=%s result=%s tries=%d", channel_id, followed.call.caller.label,
                 outcome.treatment, outcome.result, outcome.tries)  # fmt: skip

    def _end(self, event: CallEnded) -> None:
        self._caught_up.pop(event.channel_id, None)
        followed = self._followed.get(event.channel_id)
        if followed is None:
            return
        if event.channel_id in self._held:
            followed.ended = event
            return
        if followed.verdict.acted in TELLING and not followed.outcomes:
            self._learn(event.channel_id, Outcome(treatment=followed.verdict.acted, result=Result.ABANDONED))
        del self._followed[event.channel_id]
        ended = Ended(at=self._clocks.wall(), cause=event.cause, cause_text=event.cause_text, seconds=event.seconds)
        self._record.ended(event.channel_id, ended)
