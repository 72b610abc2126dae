"""One call judged: what live calls, `explain` and replay all do, in the one order that is right."""

from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.decide import decide
from screener.policy.policy import Policy
from screener.policy.verdict import Verdict


def judge(memory: LocalMemory, call: Call, policy: Policy, now: float) -> Verdict:
    """Observe the call, decide, and remember a rejection at once: the provider may present the call again
    before any outcome comes back. `now` is in seconds of the memory's clock."""
    verdict = decide(call, memory.observe(call, policy, now), policy, now)
    memory.judged(call, verdict, policy, now)
    return verdict
