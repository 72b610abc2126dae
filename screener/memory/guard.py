"""The policy guards itself: a rule that challenges whom it should not relaxes to shadow for a while, and says so."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from screener.memory.bounded import Bounded
from screener.policy.call import Call
from screener.policy.decide import climb
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Notice
from screener.policy.verdict import Treatment, Verdict

DIDS: Final = 4096
"""DIDs that are watched; beyond it the one that was called longest ago is forgotten."""
HOUR: Final = 3600.0
DAY: Final = 86_400.0
CALLERS: Final = 20_000
"""Trusted callers after which the count begins anew before the day is over; and callers of DIDs in one hour who are
told apart: beyond them no more are counted in that hour."""
NONE: Final[frozenset[str]] = frozenset()
KNOWN: Final = frozenset({"trusted", "allowed", "feed-allowed", "contact"})


class _Hour:
    __slots__ = ("calls", "challenged", "codes", "hour")

    def __init__(self, hour: int) -> None:
        self.hour = hour
        self.calls = 0
        self.challenged = 0
        self.codes: dict[str, int] = {}


class Guard:
    """Watches what rules do to trusted callers, and to each DID."""

    def __init__(self) -> None:
        self._since = 0.0
        self._trusted: set[str] = set()
        """Trusted callers of the day."""
        self._hurt: dict[str, set[str]] = {}
        """For each rule, those of them whom it would have challenged."""
        self._relaxed: dict[tuple[str, str], float] = {}
        """Until when a rule is relaxed, by its code and the DID; no DID: everywhere."""
        self._dids: Bounded[str, deque[_Hour]] = Bounded(DIDS)
        self._hour = 0
        self._callers: dict[tuple[str, str], bool] = {}
        """Who called which DID in this hour, and whether a rule challenged it."""
        self.notices: list[Notice] = []

    def relaxed(self, did: str, now: float) -> frozenset[str]:
        """Return the codes of the rules that are in shadow for calls to a DID."""
        if not self._relaxed:
            return NONE
        for (code, about), until in list(self._relaxed.items()):
            if now >= until:
                del self._relaxed[code, about]
                where = f" for {about}" if about else ""
                self._notice("rule-restored", code, f"the rule {code} counts again{where}", now)
        return frozenset(code for code, about in self._relaxed if about in ("", did))

    def judged(self, call: Call, verdict: Verdict, policy: Policy, now: float) -> None:
        """Note a verdict."""
        settled = bool(verdict.reasons) and verdict.reasons[0].text == verdict.decided_by
        if settled and verdict.treatment is not Treatment.PASS:
            return  # a list refused the call: whom an administrator blocked must not relax a rule for others
        guilty = [reason.code for reason in verdict.reasons if reason.points > 0 and not reason.shadow]
        if verdict.reasons and verdict.reasons[0].code in KNOWN:
            self._spare(verdict, guilty, policy, call, now)
        if policy.settings.guard.did_share < 1:
            self._count(call, guilty if verdict.treatment is not Treatment.PASS else (), policy, now)

    def _spare(self, verdict: Verdict, guilty: list[str], policy: Policy, call: Call, now: float) -> None:
        settings = policy.settings.guard
        if now - self._since >= DAY or len(self._trusted) >= CALLERS:
            self._since, self._trusted, self._hurt = now, set(), {}
        self._trusted.add(call.caller.key)
        if not guilty or climb(policy.line(call.did, now).ladder, verdict.score)[0] is Treatment.PASS:
            return
        for code in guilty:
            hurt = self._hurt.setdefault(code, set())
            hurt.add(call.caller.key)
            if len(hurt) >= settings.trusted_callers and len(hurt) > settings.trusted_share * len(self._trusted):
                text = (
                    f"the rule {code} would have challenged {len(hurt)} of {len(self._trusted)} trusted callers of the "
                    f"last day: in shadow for {duration(settings.hours * HOUR)}"
                )
                del self._hurt[code]
                self._relax(code, "", text, now + settings.hours * HOUR, now)

    def _count(self, call: Call, guilty: Sequence[str], policy: Policy, now: float) -> None:
        """Count a call; of one caller one an hour: who hammers for a day must not make itself what is usual."""
        settings, did, hour = policy.settings.guard, call.did, int(now // HOUR)
        if hour != self._hour:
            self._hour, self._callers = hour, {}
        who = did, call.caller.key if call.caller.personal else call.id
        before = self._callers.get(who)
        if before or before is bool(guilty) or (before is None and len(self._callers) >= CALLERS):
            return
        self._callers[who] = bool(guilty)
        hours = self._dids.get(did)
        if hours is None or hours.maxlen != settings.did_hours:
            hours = deque(hours or (), maxlen=settings.did_hours)
        self._dids.keep(did, hours)
        if not hours or hours[-1].hour != hour:
            if len(hours) == hours.maxlen:
                self._look(did, hours, policy, now)
            hours.append(_Hour(hour))
        last = hours[-1]
        last.calls += before is None or not last.calls
        last.challenged += bool(guilty)
        for code in guilty:
            last.codes[code] = last.codes.get(code, 0) + 1

    def _look(self, did: str, hours: deque[_Hour], policy: Policy, now: float) -> None:
        """Judge the full hours: each weighs the same, so that a flood of an hour is one hour."""
        settings = policy.settings.guard
        calls = sum(hour.calls for hour in hours)
        share = sum(hour.challenged / hour.calls for hour in hours) / len(hours)
        if calls < settings.did_calls or share <= settings.did_share:
            return
        codes: dict[str, float] = {}
        for hour in hours:
            for code, count in hour.codes.items():
                codes[code] = codes.get(code, 0) + count / hour.calls
        code = max(codes, key=lambda one: codes[one])
        text = (
            f"{share:.0%} of the calls to {did} were challenged in the last {len(hours)} hours with calls, most by "
            f"the rule {code}: it is in shadow there for {duration(settings.hours * HOUR)}"
        )
        self._relax(code, did, text, now + settings.hours * HOUR, now)
        hours.clear()

    def _relax(self, code: str, did: str, text: str, until: float, now: float) -> None:
        self._relaxed[code, did] = until
        self._notice("rule-relaxed", code, text, now)

    def _notice(self, what: str, code: str, text: str, now: float) -> None:
        self.notices.append(Notice(code=what, about=code, text=text, at=now))
