"""One call's way through: in from the dialplan, judged, and on to its treatment within milliseconds."""

import logging
import secrets
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
from screener.asterisk.prompts import PLAIN, Prompts
from screener.asterisk.rest import Answer, Request
from screener.asterisk.tasks import Tasks
from screener.asterisk.variables import channel_variables, summary
from screener.memory.journal import Ended, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.decide import passing
from screener.policy.policy import Policy
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment, Verdict

log = logging.getLogger(__name__)

CALLS_FOLLOWED: Final = 20_000
"""Calls under way whose outcome is awaited. Asterisk itself ends long before; beyond it the call that came first is no
longer followed, which costs nothing but what would have been learned from it."""
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


class Sent(Enum):
    """What came of the requests about a call."""

    DONE = auto()
    GONE = auto()
    """The call had hung up or moved on."""
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
        prompts: Prompts = PLAIN,
    ) -> None:
        """`policy` returns the policy in force; `pepper` keys the hash of withheld numbers."""
        self._asterisk = asterisk
        self._application = application
        self._memory = memory
        self._record = record
        self._policy = policy
        self._clocks = clocks
        self._pepper = pepper
        self._prompts = prompts
        self._followed: dict[str, Followed] = {}
        self._caught_up: set[str] = set()
        """Calls that were judged without their event, until it comes or they end."""
        self.tasks = Tasks()

    def take(self, event: Event) -> None:
        """Take one event; whatever it needs to wait for happens in a task of its own."""
        match event:
            case CallEntered():
                if event.channel.id in self._caught_up:
                    self._caught_up.discard(event.channel.id)
                else:
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
        try:
            channels, application = await self._asterisk.send(*commands.survey(self._application))
            present, waiting = survey(channels.body, application.body)
        except (AriUnavailableError, MalformedEventError) as error:
            log.warning("cannot catch up with Asterisk's calls: %s", error)
            return
        for channel_id in self._followed.keys() - present:
            self._end(CallEnded(channel_id=channel_id, cause=0, cause_text="ended while disconnected", seconds=0))
        for entered in waiting:
            if entered.channel.id not in self._followed:
                log.info("call %s waits in Stasis: judging it now", entered.channel.id)
                self._caught_up.add(entered.channel.id)
                self.tasks.start(self._screen(entered))

    async def _screen(self, entered: CallEntered) -> None:
        """Judge a call and send it on. Whatever fails here, the call goes where it would have gone without us."""
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
        sent = await self._send(
            channel_id,
            commands.subscribe(self._application, channel_id),
            *commands.set_variables(channel_id, variables),
            commands.treat(channel_id, verdict.acted),
        )
        at, took = self._clocks.wall(), self._clocks.steady() - started
        self._write(Judged(call=call, verdict=verdict, at=at, took=took, policy_version=policy.version))
        if sent is Sent.GONE:
            self._end(CallEnded(channel_id=channel_id, cause=0, cause_text="hung up before it was treated", seconds=0))

    def _judge(self, call: Call, policy: Policy, now: float) -> tuple[Verdict, Mapping[str, str]]:
        """Return the verdict and its channel variables; a policy that fails lets the call through."""
        try:
            verdict = judge(self._memory, call, policy, now)
            salt, below = secrets.token_hex(16), secrets.randbelow
            return verdict, channel_variables(call, verdict, policy, prompts=self._prompts, below=below, salt=salt)
        except Exception as error:
            log.exception("the policy failed for call %s: letting the call through", call.id)
            verdict = passing("error", f"not screened: the policy failed ({type(error).__name__})")
            return verdict, summary(verdict, policy)

    async def _send(self, channel_id: str, *requests: Request) -> Sent:
        """Send requests about one call and say what came of them; a failure is left to the dialplan's lease."""
        try:
            answers = await self._asterisk.send(*requests)
        except AriUnavailableError as error:
            log.warning("call %s is left to the dialplan's lease: %s", channel_id, error)
            return Sent.FAILED
        if any(answer.gone for answer in answers):
            log.debug("call %s has moved on before it was treated", channel_id)
            return Sent.GONE
        for request, answer in zip(requests, answers, strict=True):
            if not answer.ok:
                log.warning("Asterisk answered %d to %s: %.200r", answer.status, request.path, answer.body)
                return Sent.FAILED
        return Sent.DONE

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
        followed = self._followed.get(event.channel_id)
        if followed is None:
            return
        if followed.verdict.acted in TELLING and not followed.outcomes:
            self._learn(event.channel_id, Outcome(treatment=followed.verdict.acted, result=Result.ABANDONED))
        del self._followed[event.channel_id]
        self._caught_up.discard(event.channel_id)
        ended = Ended(at=self._clocks.wall(), cause=event.cause, cause_text=event.cause_text, seconds=event.seconds)
        self._record.ended(event.channel_id, ended)
