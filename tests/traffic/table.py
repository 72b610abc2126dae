"""The tables of what each policy did with each class of traffic, and whether the goals hold."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.traffic.evaluate import Alarm, Count, Tally
from tests.traffic.records import BESIDE, SPAM, WANTED, Kind

TITLES = {"signed": "With attestation", "stripped": "Without attestation (as call records and most trunks have it)"}
FROM_WHERE = {
    Kind.HAMMER: "from the 4th call within an hour",
    Kind.WALK: "from the 6th call",
    Kind.CAMPAIGN: "from the 20th call in all",
    Kind.FLOOD: "from the 30th second",
}
GOALS = {
    Kind.HAMMER: 0.98,
    Kind.WALK: 0.95,
    Kind.CAMPAIGN: 0.90,
    Kind.NEIGHBOUR: 0.95,
    Kind.IMPOSSIBLE: 0.95,
    Kind.FLOOD: 0.95,
}
"""Share of spam that `balanced` challenges, by class."""
WANTED_GOAL, WORST_GOAL, STRICT_GOAL = 2 / 1000, 1 / 100, 0.995

Found = dict[str, dict[int, dict[str, Tally]]]
"""By mode, seed and screen."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise, and what was measured."""

    text: str
    measured: float
    bound: float
    at_most: bool

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def goals(tallies: dict[str, Tally]) -> list[Goal]:
    """Return the goals that can be told from these tallies (by screen)."""
    found = []
    if "balanced" in tallies:
        tally = tallies["balanced"]
        found += [Goal(f"balanced: {kind}", tally.of(kind).share, bound, False) for kind, bound in GOALS.items()]
        found.append(Goal("balanced: wanted calls challenged", tally.wanted().share, WANTED_GOAL, True))
        worst = max((kind for kind in WANTED if kind not in BESIDE), key=lambda kind: tally.of(kind).share)
        found.append(Goal(f"balanced: worst wanted class ({worst})", tally.of(worst).share, WORST_GOAL, True))
        refused = sum(tally.of(kind).refused for kind in WANTED)
        found.append(Goal("balanced: wanted calls refused", refused, 0, True))
    if "strict" in tallies:
        tally = tallies["strict"]
        found.append(Goal("strict: all spam", tally.spam().share, STRICT_GOAL, False))
        found.append(Goal("strict: challenged again", sum(tally.of(kind).again for kind in WANTED), 0, True))
        refused = sum(tally.of(kind).refused for kind in WANTED)
        found.append(Goal("strict: wanted calls refused", refused, 0, True))
    return found


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured."""

    found: Found
    screens: tuple[str, ...]

    def pooled(self, mode: str) -> dict[str, Tally]:
        """Return each screen's tally over all seeds."""
        pooled = {screen: Tally() for screen in self.screens}
        for tallies in self.found[mode].values():
            for screen, tally in tallies.items():
                pooled[screen].add(tally)
        return pooled

    def worst(self, mode: str, screen: str, kind: Kind) -> tuple[float, int] | None:
        """Return the share and the seed where this class came out worst, of seeds with 20 calls of it or more."""
        shares = [
            (tallies[screen].of(kind).share, seed)
            for seed, tallies in self.found[mode].items()
            if tallies[screen].of(kind).calls >= 20
        ]
        return (max(shares) if kind in WANTED else min(shares)) if shares else None

    def markdown(self) -> str:
        """Return the tables."""
        parts = [HEAD.format(seeds=len(next(iter(self.found.values()))))]
        for mode in self.found:
            pooled = self.pooled(mode)
            parts += [
                f"## {TITLES[mode]}\n",
                self._spam(mode, pooled),
                self._wanted(mode, pooled),
                _verdicts(goals(pooled)),
            ]
        return "\n".join(parts)

    def _spam(self, mode: str, pooled: dict[str, Tally]) -> str:
        rows = [_row("spam challenged or worse", "calls", *self.screens), _rule(2 + len(self.screens))]
        for kind in SPAM:
            count = pooled[self.screens[0]].of(kind)
            where = f", {FROM_WHERE[kind]}" if kind in FROM_WHERE else ""
            rows.append(
                _row(f"{kind}{where}", f"{count.calls:,}", *(self._caught(mode, s, kind, pooled) for s in self.screens))
            )
        cells = (f"{pooled[screen].spam().share:.1%}" for screen in self.screens)
        rows.append(_row("**all spam that counts**", f"{pooled[self.screens[0]].spam().calls:,}", *cells))
        return "\n".join(rows) + "\n"

    def _caught(self, mode: str, screen: str, kind: Kind, pooled: dict[str, Tally]) -> str:
        count, worst = pooled[screen].of(kind), self.worst(mode, screen, kind)
        low, high = count.wilson()
        least = f"; least {worst[0]:.0%}" if worst else ""
        return f"{count.share:.1%} ({low:.1%}-{high:.1%}{least})" if count.calls else ""

    def _wanted(self, mode: str, pooled: dict[str, Tally]) -> str:
        rows = [_row("wanted, challenged per 1,000", "calls", *self.screens), _rule(2 + len(self.screens))]
        beside = [kind for kind in WANTED if kind in BESIDE]
        for kind in [kind for kind in WANTED if kind not in BESIDE] + beside:
            cells = []
            for screen in self.screens:
                count, worst = pooled[screen].of(kind), self.worst(mode, screen, kind)
                most = f"; most {worst[0] * 1000:.0f}" if worst and worst[0] else ""
                cells.append(
                    f"{count.share * 1000:.2f} (to {count.wilson()[1] * 1000:.1f}{most})" if count.calls else ""
                )
            rows.append(
                _row(
                    f"{kind}{' (beside the goals)' if kind in BESIDE else ''}",
                    f"{pooled[self.screens[0]].of(kind).calls:,}",
                    *cells,
                )
            )
        total = [pooled[screen].wanted() for screen in self.screens]
        rows.append(
            _row(
                "**all that the goals name**", f"{total[0].calls:,}", *(f"**{one.share * 1000:.2f}**" for one in total)
            )
        )
        refused = [sum(pooled[screen].of(kind).refused for kind in WANTED) for screen in self.screens]
        rows.append(_row("refused outright, or left without a way through", "", *map(str, refused)))
        again = [sum(pooled[screen].of(kind).again for kind in WANTED) for screen in self.screens]
        rows.append(_row("challenged again after it was let through or talked", "", *map(str, again)))
        return "\n".join(rows) + "\n"

    def wrong(self, limit: int = 12) -> str:
        """Return what was judged wrongly, by class and reasons, with examples."""
        lines = []
        for mode in self.found:
            for screen, tally in self.pooled(mode).items():
                lines += _listing(f"{mode}, {screen}: wanted calls that were stopped", tally.false, limit)
                lines += _listing(f"{mode}, {screen}: spam that passed", tally.missed, limit)
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the counts for machines."""
        return {
            mode: {
                screen: {str(kind): _counts(count) for kind, count in tally.kinds.items()}
                for screen, tally in self.pooled(mode).items()
            }
            for mode in self.found
        }


HEAD = """# What the policies do with traffic

{seeds} businesses (5, 40 and 300 numbers; United States, Switzerland, United Kingdom; quiet and busy), two to four
weeks each, drawn from published measurements (`figures.py`) and from seeds: `make proof` prints the same tables. In
brackets: Wilson's interval (95 %), and the business where it came out worst. Spam counts from where a person could know
it too.
"""


def _verdicts(found: list[Goal]) -> str:
    rows = [_row("goal", "bound", "measured", ""), _rule(4)]
    for goal in found:
        percent = 0 < goal.bound < 1
        bound = f"{'at most' if goal.at_most else 'at least'} {f'{goal.bound:.1%}' if percent else f'{goal.bound:g}'}"
        measured = f"{goal.measured:.2%}" if percent else f"{goal.measured:g}"
        rows.append(_row(goal.text, bound, measured, "holds" if goal.holds else "**falls short**"))
    return "\n".join(rows) + "\n"


def _listing(title: str, alarms: list[Alarm], limit: int) -> list[str]:
    lines = [f"{title}: {len(alarms)}"]
    groups = Counter((one.record.kind, one.codes) for one in alarms)
    for (kind, codes), count in groups.most_common(limit):
        example = next(one for one in alarms if (one.record.kind, one.codes) == (kind, codes))
        reasons = "; ".join(f"{reason.points:+g} {reason.text}" for reason in example.reasons)
        lines.append(
            f"  {count:6} {kind}: {codes}   e.g. {example.record.number} {example.record.episode} [{reasons[:300]}]"
        )
    return lines


def _counts(count: Count) -> dict[str, int]:
    return {"calls": count.calls, "stopped": count.stopped, "refused": count.refused, "again": count.again}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return f"|---|{'---:|' * (columns - 1)}"
