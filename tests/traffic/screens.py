"""What judges the traffic: our policies, the plain bucket per caller ID, and a blacklist; each behind the same four
verbs."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol

from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.bucket import Bucket, microseconds
from screener.policy.call import Call
from screener.policy.policy import Policy, compile_policy
from screener.policy.remembered import Ending, Outcome
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Reason, Treatment

CALLERS = 1 << 16
"""Callers whose buckets fit into the memory: more than any traffic here has in an hour."""


class Screen(Protocol):
    """Who may ring our people, and what is told to whom decides."""

    def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
        """Say what happens to the call, and why."""

    def learn(self, call: Call, outcome: Outcome, now: float) -> None:
        """Hear what a treatment showed."""

    def ended(self, call: Call, ending: Ending, now: float) -> None:
        """Hear how a call ended."""

    def dialled(self, number: str, now: float) -> None:
        """Hear that one of ours called this number."""


class Ours:
    """The policy under test, over the memory that the daemon has."""

    def __init__(self, settings: PolicySettings) -> None:
        self.policy: Policy = compile_policy(settings)
        self.memory = LocalMemory(seed=1, callers=CALLERS)

    def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
        verdict = judge(self.memory, call, self.policy, now)
        return verdict.acted, verdict.reasons

    def learn(self, call: Call, outcome: Outcome, now: float) -> None:
        self.memory.learn(call, outcome, self.policy, now)

    def ended(self, call: Call, ending: Ending, now: float) -> None:
        if hasattr(self.memory, "ended"):
            self.memory.ended(call, ending, self.policy, now)

    def dialled(self, number: str, now: float) -> None:
        if hasattr(self.memory, "dialled"):
            self.memory.dialled(number, self.policy, now)


class PlainBucket:
    """A token bucket for each caller ID and nothing else: three calls, and one more every five minutes."""

    BUCKET = Bucket(capacity=3, refill_per_hour=12)

    def __init__(self) -> None:
        self._full_at: dict[str, int] = {}

    def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
        key = call.caller.key
        self._full_at[key], taken = self.BUCKET.take(self._full_at.get(key, 0), microseconds(now))
        if taken.admitted:
            return Treatment.PASS, ()
        return Treatment.CAPTCHA, (Reason(code="rate", points=5, text="the bucket is empty"),)

    def learn(self, call: Call, outcome: Outcome, now: float) -> None: ...

    def ended(self, call: Call, ending: Ending, now: float) -> None: ...

    def dialled(self, number: str, now: float) -> None: ...


class Blacklist:
    """A list that knows half of the numbers that will ever spam us, each from its first call on."""

    def __init__(self, spammers: Iterable[str], seed: int) -> None:
        numbers = sorted(set(spammers))
        self._known = frozenset(Random(f"blacklist {seed}").sample(numbers, len(numbers) // 2))

    def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
        if call.caller.key in self._known or call.caller.raw in self._known:
            return Treatment.REJECT, (Reason(code="blocked", points=0, text="the number is on the blacklist"),)
        return Treatment.PASS, ()

    def learn(self, call: Call, outcome: Outcome, now: float) -> None: ...

    def ended(self, call: Call, ending: Ending, now: float) -> None: ...

    def dialled(self, number: str, now: float) -> None: ...
