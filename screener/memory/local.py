"""Memory in process: what this daemon remembers of callers since it started.

It counts and keeps; what its figures mean is for the policy to say. All tables are bounded.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from screener.memory.bounded import Bounded
from screener.memory.buckets import BucketTable, scatter
from screener.memory.groups import SILENT
from screener.memory.guard import Guard
from screener.memory.seen import SeenTable
from screener.memory.standing import DAY, Past, Standing
from screener.memory.strangers import HEARD_SECONDS, Strangers, Visit
from screener.policy.bucket import microseconds
from screener.policy.call import Attestation, Call
from screener.policy.decide import known, proved_by, trust_in_force
from screener.policy.numbering import plan
from screener.policy.policy import Policy
from screener.policy.remembered import (
    NOTHING,
    Ending,
    Failures,
    History,
    Notice,
    Outcome,
    Remembered,
    Result,
    Trust,
    TrustKind,
    Window,
    WindowKind,
)
from screener.policy.verdict import CHALLENGES, Treatment, Verdict

DEFAULT_CALLERS = 1 << 20
"""Callers whose buckets fit: exact up to some 80,000 new callers a second, in 16 MB."""

DEFAULT_RECORDS = 100_000
"""Callers whose trust, failures and rejections are kept, in a table for each. Only a caller who met a treatment or
talked with somebody gets into one; beyond this the one that was written longest ago is forgotten, a stranger again."""

VISITS: Final = 20_000
"""Calls under way whose end is awaited; beyond it nothing is learned from the end of the one that came first."""
SIGNATURES: Final = 20_000
SIGNATURE_SECONDS: Final = 60.0
"""For how long a signature that comes a second time is a copy: Asterisk refuses older ones by itself."""
TRUSTS: Final = 8
"""Trusts of one caller: four kinds, and what proved the number when they were earned."""
DIDS: Final = 4096
OURS: Final = 5
"""Calls from which a number that is called is one of ours: one that a stranger made up is hardly called that often."""
WINDOWS: Final = 1000
SUSTAINED: Final = 0x5851F42D4C957F2D
"""Set apart in the one table of buckets what one caller has there, by flipping bits of its key."""


class LocalMemory:
    """Remembers callers in tables of fixed size.

    All times are seconds of a clock that never steps back. The policy is an argument and not state: a reload
    changes the size of every bucket at the next call, and forgets nobody.
    """

    def __init__(self, *, seed: int, callers: int = DEFAULT_CALLERS, records: int = DEFAULT_RECORDS) -> None:
        """`seed` is a secret that scatters callers over the table."""
        self._seed = seed
        self._buckets = BucketTable(callers)
        self._seen = SeenTable(callers)
        self._trust: Bounded[str, tuple[Trust, ...]] = Bounded(records)
        self._failures: Bounded[str, Failures] = Bounded(records)
        self._standing: Bounded[str, Standing] = Bounded(records)
        self._unwanted: Bounded[tuple[str, str], float] = Bounded(records)
        self._rejected: Bounded[tuple[str, str], float] = Bounded(records)
        self._let_in: Bounded[str, int] = Bounded(records)
        """Strangers who were let through, and how well their call was proved (`Attestation.rank`)."""
        self._signatures: Bounded[str, tuple[str, float]] = Bounded(SIGNATURES)
        self._visits: Bounded[str, Visit] = Bounded(VISITS)
        self._dids: Bounded[str, int] = Bounded(DIDS)
        """How often each DID was called."""
        self._windows: dict[tuple[WindowKind, str | None], Window] = {}
        self._strangers = Strangers(self._buckets, seed)
        self._guard = Guard()

    # --------------------------------------------------------------------------------------------- a call comes

    def observe(self, call: Call, policy: Policy, now: float) -> Remembered:
        """Take the call's tokens and return all that is remembered of its caller: one step, never half done."""
        caller, key = call.caller, call.caller.key
        at = microseconds(now)
        own_key = scatter(key if caller.personal else f"{key} {call.did}", self._seed)
        taken = self._buckets.take(own_key, policy.bucket, at)
        sustained = self._buckets.take(own_key ^ SUSTAINED, policy.sustained, at) if policy.sustained else None
        seen = self._seen.touch(own_key, now)
        self._dids.keep(call.did, (self._dids.get(call.did) or 0) + 1)
        reused = self._reused(call, now)
        proved = proved_by(call, reused)
        trusts: tuple[Trust, ...] = ()
        history: History = NOTHING
        if caller.personal:
            trusts = self._trust.get(key) or ()
            history = self._remind(key, policy, now)
        stranger = self._stranger(proved, trusts, history, policy, now)
        visit = Visit(proved.attestation, stranger, False, ())
        self._visits.keep(call.id, visit)
        remembered = Remembered(
            rate=taken,
            sustained=sustained,
            trust=trusts,
            failures=self._failures.get(key) if caller.personal else None,
            rejected_at=self._rejected.get((key, call.did)) if caller.personal else None,
            unwanted_until=self._unwanted.get((key, call.did)) if caller.personal else None,
            history=history,
            stranger=stranger,
            welcome=self._is_welcome(proved),
            first_at=seen.first if seen else None,
            last_at=seen.last if seen else None,
            reused=reused,
            ours=(self._dids.get(key) or 0) >= OURS,
            familiar=self._strangers.places.familiar(call),
            windows=self._open(now),
            relaxed=self._guard.relaxed(call.did, now),
        )
        return self._strangers.arrive(remembered, call, visit, policy, now) if stranger else remembered

    @staticmethod
    def _stranger(call: Call, trusts: Sequence[Trust], history: History, policy: Policy, now: float) -> bool:
        if trusts and trust_in_force(call.attestation, trusts, history, policy, now) is not None:
            return False
        return not known(call, policy, now)

    def _reused(self, call: Call, now: float) -> bool:
        if not call.identity:
            return False
        used = self._signatures.get(call.identity)
        if used is not None and used[0] != call.id and now - used[1] < SIGNATURE_SECONDS:
            return True
        self._signatures.keep(call.identity, (call.id, now))
        return False

    def _remind(self, key: str, policy: Policy, now: float) -> History:
        standing = self._standing.get(key)
        if standing is None:
            return NOTHING
        standing.fade(now, policy.settings.signals.history.half_life_days)
        return standing.history()

    def _is_welcome(self, call: Call) -> bool:
        rank = self._let_in.get(call.caller.key)
        return rank is not None and call.attestation.rank >= rank

    def _open(self, now: float) -> tuple[Window, ...]:
        if not self._windows:
            return ()
        for key in [key for key, window in self._windows.items() if now >= window.until]:
            del self._windows[key]
        return tuple(self._windows.values())

    # --------------------------------------------------------------------------------- what came of it, and why

    def judged(self, call: Call, verdict: Verdict, policy: Policy, now: float) -> None:
        """Remember what was decided: a rejection at once, since the provider may present the call again before any
        outcome comes back."""
        if verdict.acted is Treatment.REJECT:
            self.learn(call, Outcome(treatment=Treatment.REJECT, result=Result.REJECTED), policy, now)
        visit = self._visits.get(call.id)
        if verdict.treatment is Treatment.PASS and visit is not None and visit.stranger and call.caller.personal:
            before = self._let_in.get(call.caller.key)
            rank = visit.proved.rank
            self._let_in.keep(call.caller.key, rank if before is None else min(before, rank))
        self._guard.judged(call, verdict, policy, now)

    def learn(self, call: Call, outcome: Outcome, policy: Policy, now: float) -> None:
        """Remember what a treatment showed of a caller. Callers who share a key earn nothing for each other."""
        result, settings = outcome.result, policy.settings
        if result is Result.SILENT:
            self._strangers.groups.behave(SILENT, now, settings.signals.group)
        if not call.caller.personal:
            return
        key = call.caller.key
        if result is Result.REJECTED:
            self._reject(key, call.did, settings.reject.repeat_seconds, now)
        elif result in (Result.PASSED, Result.ACCEPTED):
            self._failures.pop(key)
            visit = self._visits.get(call.id)
            proved = call.attestation if visit is None else visit.proved
            self._earn(key, TrustKind.PASSED, settings.trust.days, proved, now)
            self._stand(key, policy, now).passed += 1
        elif result in (Result.FAILED, Result.SILENT):
            self._fail(key, settings.signals.challenge_failed.hours, now)
        elif result is Result.RECORDED:
            self._stand(key, policy, now).recorded += 1
        elif result is Result.ABANDONED and outcome.treatment in CHALLENGES:
            self._strangers.beats.hang_up(key)
        elif result is Result.BLOCKED:
            self._trust.pop(key)
            self._unwanted.keep((key, call.did), now + settings.trust.blocked_days * DAY)

    def ended(self, call: Call, ending: Ending, policy: Policy, now: float) -> None:
        """Remember how a call ended; once for each call."""
        visit = self._visits.pop(call.id)
        key = call.caller.key
        # A call that was forwarded to us says nothing of who may call us (the caller wanted somebody else).
        if call.caller.personal and not call.diversion and not ending.busy:
            self._stood(key, ending, call.attestation if visit is None else visit.proved, policy, now)
        if call.caller.personal and ending.busy and self._strangers.beats.busy(key, now):
            self._give(key, policy)
        stranger = visit is not None and visit.stranger
        if ending.talked >= HEARD_SECONDS:
            self._strangers.places.talked(call, now, stranger=stranger)
            if call.caller.personal and policy.sustained is not None:
                # Who calls all day and is listened to is no robot; who calls too often at once is told so all the same.
                self._buckets.give(scatter(key, self._seed) ^ SUSTAINED, policy.sustained)
        if visit is not None and stranger and not ending.busy:
            self._strangers.part(call, visit, ending, policy, now)

    def _stood(self, key: str, ending: Ending, attestation: Attestation, policy: Policy, now: float) -> None:
        """Count a call that is over for or against its caller, and let it earn trust."""
        settings = policy.settings.trust
        known = key in self._standing
        earns = ending.talked >= settings.talked_seconds
        if not (known or earns):
            return
        standing = self._stand(key, policy, now)
        standing.calls += known
        standing.heard += ending.talked >= min(HEARD_SECONDS, settings.talked_seconds)
        if earns:
            standing.talked += 1
            self._earn(key, TrustKind.TALKED, settings.talked_days, attestation, now)

    def dialled(self, number: str, policy: Policy, now: float) -> None:
        """Remember that one of our people called a number (E.164)."""
        self._earn(number, TrustKind.DIALLED, policy.settings.trust.dialled_days, Attestation.NONE, now)

    def mark(self, number: str, wanted: bool, policy: Policy, now: float) -> None:
        """Remember what a person said of a caller (E.164): fine, or spam."""
        standing = self._stand(number, policy, now)
        if wanted:
            standing.fine += 1
            self._failures.pop(number)
            self._earn(number, TrustKind.HAND, policy.settings.trust.hand_days, Attestation.NONE, now)
            for place in [place for place in self._unwanted if place[0] == number]:
                self._unwanted.pop(place)
        else:
            standing.spam += 1
            self._trust.pop(number)

    def open_window(self, window: Window) -> None:
        """Let everybody in until the window ends."""
        if (window.kind, window.did) in self._windows or len(self._windows) < WINDOWS:
            self._windows[window.kind, window.did] = window

    def close_window(self, kind: WindowKind, did: str | None) -> None:
        """End a window before its time."""
        self._windows.pop((kind, did), None)

    def tick(self, policy: Policy, now: float) -> None:
        """End what ends by itself, also while nobody calls."""
        self._strangers.surges.tick(now, policy.settings.signals.surge)
        self._guard.relaxed("", now)

    def restore(self, past: Past, policy: Policy) -> None:
        """Take over what a caller's older calls taught, as if they had been told one by one."""
        standing = self._stand(past.caller, policy, past.at)
        standing.calls += past.calls
        standing.heard += past.weighed
        standing.talked += past.talked
        self._earn(past.caller, TrustKind.TALKED, policy.settings.trust.talked_days, past.attestation, past.last)
        self._strangers.places.restore(past.caller, past.heard)

    def prime(self, hours: Iterable[tuple[int, str, int]], policy: Policy) -> None:
        """Take over how many strangers called which DID in which hour (since the epoch), in ascending order."""
        for hour, did, count in hours:
            self._strangers.surges.prime(did, hour, count, policy.settings.signals.surge)

    def take_notices(self) -> list[Notice]:
        """Return what the administrator should know since this was last asked."""
        found = [*self._strangers.surges.notices, *self._guard.notices]
        self._strangers.surges.notices.clear()
        self._guard.notices.clear()
        return found

    # ------------------------------------------------------------------------------------------------- callers

    def _earn(self, key: str, kind: TrustKind, days: float, attestation: Attestation, now: float) -> None:
        if days <= 0:
            return
        earned = Trust(kind=kind, until=now + days * DAY, earned_with=attestation)
        others = (
            trust
            for trust in self._trust.get(key) or ()
            # One that asks for no less and ends no later says nothing that the new one does not.
            if trust.until > now and not (trust.kind is kind and trust.earned_with.rank >= attestation.rank)
        )
        self._trust.keep(key, (*others, earned)[-TRUSTS:])

    def _stand(self, key: str, policy: Policy, now: float) -> Standing:
        standing = self._standing.get(key)
        if standing is None:
            standing = Standing(at=now, calls=float(self._strangers.beats.count(key)))
        standing.fade(now, policy.settings.signals.history.half_life_days)
        return self._standing.keep(key, standing)

    def _fail(self, key: str, hours: float, now: float) -> None:
        before, count = self._failures.get(key), 1
        # Failures that no longer count stay forgotten: one more must not bring those of last year back.
        if before is not None and now - before.last_at < hours * 3600:
            count += before.count
        self._failures.keep(key, Failures(count=count, last_at=now))

    def _reject(self, key: str, did: str, window: float, now: float) -> None:
        # The first rejection counts, not the last: who keeps dialling is judged anew after the window.
        at = self._rejected.get((key, did))
        if at is None or now - at >= window:
            self._rejected.keep((key, did), now)
        # They stand in the order of their times; who was rejected before the window is nobody's business any more.
        while (oldest := self._rejected.oldest()) is not None and now - oldest[1] >= window:
            self._rejected.pop(oldest[0])

    def _give(self, key: str, policy: Policy) -> None:
        own_key = scatter(key, self._seed)
        self._buckets.give(own_key, policy.bucket)
        if policy.sustained is not None:
            self._buckets.give(own_key ^ SUSTAINED, policy.sustained)


def _near(number: str, did: str) -> bool:
    return did.startswith("+") and number != did and number.startswith(plan(did).block)
