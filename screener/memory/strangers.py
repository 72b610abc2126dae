"""What strangers do together: where they come from, where they go, when, and how their calls end.

One caller may be anybody; a campaign shows in what many have in common. Each table below counts one thing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from screener.memory.beats import Beats
from screener.memory.buckets import BucketTable, scatter
from screener.memory.groups import Groups, Key
from screener.memory.places import Places
from screener.memory.spread import Spread
from screener.memory.surges import Surges
from screener.policy.bucket import microseconds
from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from screener.policy.numbering import plan
from screener.policy.policy import Policy
from screener.policy.remembered import Crowded, Ending, Remembered, Surge

AGAIN_SECONDS: Final = 3600.0
"""A stranger who calls the same DID again within the hour is no further stranger to a block, a group or a surge."""
KNOWN_BY_SIGHT_SECONDS: Final = 12 * 3600.0
"""Who called before that is no never-seen caller: a surge or a group's heat is not about it. Campaigns hardly ever use
a number on another day (Prasad et al., USENIX Security 2020)."""
EXPLAINED: Final = 0.25
"""What a stranger weighs in a surge whose block or whose own sweep is noticed by itself."""
HEARD_SECONDS: Final = 20.0
"""A conversation that long is none with a robot, even if it earns no trust: nobody listens to one longer."""


@dataclass(slots=True)
class Visit:
    """A call under way."""

    proved: Attestation
    """What proves the number: nothing, where the signature is a copy of one that was used a moment ago."""
    stranger: bool
    counted: bool
    """Whether it was counted as a further stranger."""
    groups: Sequence[Key]


class Strangers:
    """Follows the callers whom nobody here knows."""

    def __init__(self, buckets: BucketTable, seed: int) -> None:
        """`buckets` is the table that holds those of number blocks too; `seed` scatters them over it."""
        self._buckets = buckets
        self._seed = seed
        self._spread = Spread()
        self.beats = Beats()
        self.places = Places()
        self.surges = Surges()
        self.groups = Groups()

    def arrive(self, remembered: Remembered, call: Call, visit: Visit, policy: Policy, now: float) -> Remembered:
        """Note a stranger's call, and add what is known of strangers together to what is remembered of this one."""
        caller, settings = call.caller, policy.settings.signals
        numbered = caller.kind is CallerKind.NUMBER
        last = remembered.last_at
        visit.counted = last is None or not caller.personal or now - last > AGAIN_SECONDS
        reached = self._spread.reach(
            caller.key if caller.personal else "", plan(caller.key).thousand if numbered else "", call.did, now,
            settings.sweep,
        )  # fmt: skip
        crowded = self._crowd(caller.key, policy, now) if numbered and visit.counted else None
        first = remembered.first_at
        by_sight = caller.personal and first is not None and now - first > KNOWN_BY_SIGHT_SECONDS
        further = not by_sight and (visit.counted or reached.dids > 1)
        place = self.places.arrive(call, now, familiar=remembered.familiar)
        surge, heat = None, None
        if not by_sight:
            # What one block or one caller explains is hardly a surge of strangers.
            explained = crowded is not None or reached.dids >= settings.sweep.dids
            weight = EXPLAINED if explained else 1.0
            surge = self._surge(call, weight if further else 0.0, place.lately, policy, now)
            if further and not explained:
                visit.groups, heat = self.groups.arrive(call, now, settings.group)
        beat = self.beats.start(caller.key, now) if caller.personal else None
        # Built anew rather than replaced: `dataclasses.replace` costs as much as all the rest.
        return Remembered(
            rate=remembered.rate, sustained=remembered.sustained, trust=remembered.trust,
            failures=remembered.failures, rejected_at=remembered.rejected_at,
            unwanted_until=remembered.unwanted_until, history=remembered.history, stranger=True,
            welcome=remembered.welcome, first_at=remembered.first_at, last_at=last, crowded=crowded, reached=reached,
            beat=beat, surge=surge, heat=heat, reused=remembered.reused, ours=remembered.ours,
            familiar=place.familiar, frequented=place.frequented and visit.counted, near=place.near,
            windows=remembered.windows, relaxed=remembered.relaxed,
        )  # fmt: skip

    def _crowd(self, number: str, policy: Policy, now: float) -> Crowded | None:
        where, at = plan(number), microseconds(now)
        found: Crowded | None = None
        for block, bucket in ((where.block, policy.block_bucket), (where.thousand, policy.thousand_bucket)):
            taken = self._buckets.take(scatter(f"block {block}", self._seed), bucket, at)
            if not taken.admitted:
                found = Crowded(
                    block=block,
                    capacity=bucket.capacity,
                    per_hour=bucket.refill_per_hour,
                    free_in=taken.free_in,
                )
        return found

    def _surge(self, call: Call, weight: float, lately: float, policy: Policy, now: float) -> Surge | None:
        settings = policy.settings.signals.surge
        if weight:
            return self.surges.arrive(call.did, now, settings, weight=weight, lately=lately)
        return self.surges.during(call.did, now, settings)

    def part(self, call: Call, visit: Visit, ending: Ending, policy: Policy, now: float) -> None:
        """A stranger's call is over that did not find us busy."""
        key, settings, heard = call.caller.key, policy.settings, ending.talked >= HEARD_SECONDS
        if call.caller.personal:
            self.beats.end(key, ending.seconds)
            if heard:
                self._spread.heard(key, call.did)
        if visit.groups:
            self.groups.end(
                visit.groups, now, talked=ending.talked, seconds=ending.seconds, settings=settings.signals.group
            )
        self.surges.end(call.did, heard=heard)
        if heard and visit.counted and call.caller.kind is CallerKind.NUMBER:
            where = plan(key)
            for block, bucket in ((where.block, policy.block_bucket), (where.thousand, policy.thousand_bucket)):
                self._buckets.give(scatter(f"block {block}", self._seed), bucket)
