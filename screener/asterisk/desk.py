"""The desk: judges a call, follows it to its end and learns from it, by whatever way it came.

What carries the call (the gate for Stasis, a FastAGI server) reads its facts, asks here, and carries the verdict out.
One desk serves them all: one memory, one journal, one policy in force.
"""

import dataclasses
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from screener.asterisk.clocks import Clocks
from screener.asterisk.conversation import Conversation
from screener.asterisk.load import Load
from screener.asterisk.prompts import PLAIN, Prompts
from screener.asterisk.variables import channel_variables, summary
from screener.memory.journal import Ended, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.decide import UNJUDGED, unjudged
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Notice, Outcome, Result, Window, WindowKind
from screener.policy.verdict import Treatment, Verdict

log = logging.getLogger(__name__)

CALLS_FOLLOWED: Final = 20_000
"""Calls under way whose outcome is awaited. Asterisk itself ends long before; beyond it the call that came first is no
longer followed, which costs nothing but what would have been learned from it."""
TELLING: Final = frozenset({Treatment.ANNOUNCE, Treatment.CAPTCHA, Treatment.MENU, Treatment.VOICEMAIL})
"""Treatments that report an outcome; a call that ends in one without any was abandoned by its caller."""

REFUSING: Final = frozenset({Treatment.BUSY, Treatment.TARPIT, Treatment.REJECT})
"""Treatments that end in a busy tone of ours, which says nothing of our people."""


class Record(Protocol):
    """What the desk needs of a journal: none of these waits or raises."""

    def judged(self, judged: Judged) -> None:
        """Record a verdict."""

    def outcome(self, call_id: str, outcome: Outcome, at: float) -> None:
        """Record what a treatment showed."""

    def ended(self, call_id: str, ended: Ended) -> None:
        """Record the end of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a call ended."""

    cause: int = 0
    """ITU-T Q.850; 0 if it is not known."""
    cause_text: str
    seconds: float = 0.0
    """From the channel's creation to its end; 0 if it is not known."""
    busy: bool = False
    """The dialplan itself said busy."""
    heard: bool = True
    """Whether we were listening: if not, more may have happened than we know."""


@dataclass(slots=True, kw_only=True)
class Followed:
    """A call that was judged and is not over."""

    call: Call
    verdict: Verdict
    since: float
    """When it came, in seconds of the steady clock."""
    outcomes: list[Outcome] = field(default_factory=list)
    conversation: Conversation = field(default_factory=Conversation)
    ended: End | None = None
    """Its end, where that came while the call was still being sent on."""


class Desk:
    """Judges calls and learns from what becomes of them. Nothing here waits, and nothing that fails stops a call."""

    def __init__(
        self,
        *,
        memory: LocalMemory,
        record: Record,
        policy: Callable[[], Policy],
        clocks: Clocks,
        load: Load,
        prompts: Prompts = PLAIN,
        overload_treatment: Treatment = Treatment.PASS,
        count: Callable[[Verdict], None] = lambda _: None,
        tell: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """`policy` returns the policy in force; `count` is told of each verdict that was carried out, and `tell` of
        what the administrator should know."""
        self.policy = policy
        self.clocks = clocks
        self.secret = secrets.token_hex(16)
        """Begins every salt; see `Carrier`."""
        self._memory = memory
        self._record = record
        self._load = load
        self._prompts = prompts
        self._overload_treatment = overload_treatment
        self._count = count
        self._tell = tell
        self.judged: Counter[str] = Counter()
        """Calls since the start: `calls`, and of these `overloaded`, `late` and `error`."""
        self._followed: dict[str, Followed] = {}
        self._held: set[str] = set()
        self._deaf_since: float | None = None

    @contextmanager
    def hold(self, call_id: str) -> Iterator[None]:
        """Hold a call while it is judged and sent on: its end, should it come meanwhile, is taken afterwards."""
        self._held.add(call_id)
        try:
            yield
        finally:
            self._held.discard(call_id)
            followed = self._followed.get(call_id)
            if followed is not None and followed.ended is not None:
                self.end(call_id, followed.ended)

    def held(self, call_id: str) -> bool:
        """Whether the call is being judged or sent on."""
        return call_id in self._held

    def following(self) -> set[str]:
        """Return the ids of the calls that were judged and are not over."""
        return set(self._followed)

    def followed(self, call_id: str) -> Followed | None:
        """Return a call that was judged and is not over."""
        return self._followed.get(call_id)

    def judge(self, call: Call, policy: Policy, now: float) -> tuple[Verdict, Mapping[str, str]]:
        """Return the verdict and its channel variables; a policy that fails lets the call through.

        `policy` is the one in force when the call came; `now` is in seconds of the steady clock.
        """
        excess = self._load.excess(len(self._held))
        try:
            if excess is None:
                verdict = judge(self._memory, call, policy, now)
            else:
                mode = policy.line(call.did, now).mode
                verdict = unjudged("overloaded", f"not judged: {excess}", self._overload_treatment, mode)
            return verdict, self.variables(call, verdict, policy, now)
        except Exception as error:
            log.exception("the policy failed for call %s: letting the call through", call.id)
            verdict = unjudged("error", f"not screened: the policy failed ({type(error).__name__})")
            return verdict, summary(verdict, policy)

    def variables(self, call: Call, verdict: Verdict, policy: Policy, now: float) -> Mapping[str, str]:
        """Return the channel variables of a verdict, with challenges drawn anew."""
        salt, below = self.secret + secrets.token_hex(16), secrets.randbelow
        return channel_variables(call, verdict, policy, now=now, prompts=self._prompts, below=below, salt=salt)

    def follow(self, call: Call, verdict: Verdict) -> None:
        """Await the outcome and the end of a call, from before it is sent on."""
        now, before = self.clocks.steady(), self._followed.pop(call.id, None)
        if len(self._followed) >= CALLS_FOLLOWED:
            del self._followed[next(iter(self._followed))]
        followed = self._followed[call.id] = Followed(call=call, verdict=verdict, since=now)
        if before is not None:  # the channel comes by once more: it is still one call
            followed.since, followed.conversation = before.since, before.conversation

    def resume(self, call: Call, verdict: Verdict, outcomes: Iterable[Outcome], since: float) -> None:
        """Await the end of a call that came before we were started, at `since` of the steady clock."""
        self.follow(call, verdict)
        followed = self._followed[call.id]
        followed.since = since
        followed.outcomes += outcomes

    def forget(self, call_id: str) -> None:
        """Follow a call no longer: nothing will tell what becomes of it."""
        self._followed.pop(call_id, None)

    def conclude(self, call: Call, verdict: Verdict, policy: Policy, *, took: float) -> None:
        """Count, record and log what was carried out, whatever was judged; `took` is in seconds."""
        if (followed := self._followed.get(call.id)) is not None:
            followed.verdict = verdict
        self._count(verdict)
        self.judged["calls"] += 1
        for reason in verdict.reasons:
            if reason.code in UNJUDGED:
                self.judged[reason.code] += 1
        self._record.judged(
            Judged(call=call, verdict=verdict, at=self.clocks.wall(), took=took, policy_version=policy.version)
        )
        log.info(
            "call=%s caller=%r did=%s verdict=%s acted=%s score=%g reasons=%s mode=%s took_ms=%.1f",
            call.id, call.caller.label, call.did, verdict.treatment, verdict.acted, verdict.score,
            "+".join(reason.code for reason in verdict.reasons) or "none", verdict.mode, took * 1000,
        )  # fmt: skip
        self._tell_notices()

    def learn(self, call_id: str, outcome: Outcome) -> None:
        """Learn what a treatment showed of a call that is followed."""
        followed = self._followed.get(call_id)
        if followed is None:
            return
        followed.outcomes.append(outcome)
        if outcome.result is Result.ACCEPTED:  # the dialplan bridges the two, of which no Dial() tells
            followed.conversation.meet(self.clocks.steady())
        self._memory.learn(followed.call, outcome, self.policy(), self.clocks.steady())
        self._record.outcome(call_id, outcome, self.clocks.wall())
        log.info("call=%s caller=%r treatment=%s result=%s tries=%d", call_id, followed.call.caller.label,
                 outcome.treatment, outcome.result, outcome.tries)  # fmt: skip

    def dialled(self, call_id: str, status: str) -> None:
        """Take what Dial() says of somebody who is rung for a call: see `Conversation`."""
        if (followed := self._followed.get(call_id)) is not None:
            followed.conversation.dialled(status, self.clocks.steady())

    def meet(self, call_id: str, *, ago: float = 0.0) -> None:
        """One of our people talks with the caller, since `ago` seconds."""
        if (followed := self._followed.get(call_id)) is not None:
            followed.conversation.meet(self.clocks.steady() - max(ago, 0.0))

    def part(self, call_id: str) -> None:
        """Nobody talks with the caller any more; the call may go on."""
        if (followed := self._followed.get(call_id)) is not None:
            followed.conversation.part(self.clocks.steady())

    def mark(self, number: str, *, wanted: bool) -> None:
        """A person said of a caller (E.164): fine, or spam."""
        self._memory.mark(number, wanted, self.policy(), self.clocks.steady())
        log.info("%s is marked as %s", number, "wanted" if wanted else "spam")

    def open_window(self, window: Window) -> None:
        """Let everybody in until the window ends, which is in seconds since the epoch."""
        left = window.until - self.clocks.wall()
        self._memory.open_window(dataclasses.replace(window, until=self.clocks.steady() + left))
        log.info("a window is open (%s, %s) for another %s", window.kind, window.did or "all DIDs", duration(left))

    def close_window(self, kind: WindowKind, did: str | None) -> None:
        """End a window, if it has not ended by itself."""
        self._memory.close_window(kind, did)
        log.info("a window is closed (%s, %s)", kind, did or "all DIDs")

    def tick(self) -> None:
        """End what ends by itself, also while nobody calls; to be called about once a second."""
        self._memory.tick(self.policy(), self.clocks.steady())
        self._tell_notices()

    def _tell_notices(self) -> None:
        for notice in self._memory.take_notices():
            self._tell(notice)

    def deaf(self) -> None:
        """Nothing is heard of the calls from now on."""
        if self._deaf_since is None:
            self._deaf_since = self.clocks.steady()

    def caught_up(self, gone: Iterable[str], talking: Mapping[str, float]) -> None:
        """Calls are heard of again: some are gone, and some in conversation, since then (epoch seconds).

        Of those that are gone it is known that they lasted until nothing was heard any more.
        """
        for call_id, since in talking.items():
            self.meet(call_id, ago=self.clocks.wall() - since)
        last = self.clocks.steady() if self._deaf_since is None else self._deaf_since
        self._deaf_since = None
        for call_id in gone:
            self._finish(call_id, End(cause_text="ended while disconnected", heard=False), last)

    def end(self, call_id: str, end: End) -> None:
        """Take the end of a call that is followed; of a second one nothing comes."""
        self._finish(call_id, end, self.clocks.steady())

    def _finish(self, call_id: str, end: End, at: float) -> None:
        followed = self._followed.get(call_id)
        if followed is None:
            return
        if call_id in self._held:
            followed.ended = followed.ended or end
            return
        if end.heard and followed.verdict.acted in TELLING and not followed.outcomes:
            self.learn(call_id, Outcome(treatment=followed.verdict.acted, result=Result.ABANDONED))
        del self._followed[call_id]
        ending = followed.conversation.ending(
            at,
            seconds=end.seconds or max(at - followed.since, 0.0),
            busy=end.busy and followed.verdict.acted not in REFUSING,
        )
        try:
            self._memory.ended(followed.call, ending, self.policy(), self.clocks.steady())
        except Exception:
            log.exception("nothing is learned from the end of call %s", call_id)
        self._tell_notices()
        self._record.ended(
            call_id,
            Ended(
                at=self.clocks.wall(), cause=end.cause, cause_text=end.cause_text, seconds=end.seconds,
                talked=ending.talked, busy=ending.busy,
            ),
        )  # fmt: skip
