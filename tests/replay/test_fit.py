"""The search finds what separates, keeps the bound, and leaves alone what makes no difference."""

import math
from collections.abc import Mapping

from screener.replay.fit import FIRST, Fitted, Pattern, Seen, fit
from screener.replay.knobs import Path

RULES: list[Path] = [("signals", "a", "points"), ("signals", "b", "points"), ("signals", "c", "points")]


def calls(
    *weights: tuple[int, float], fixed: float = 0, settled: bool | None = None, shut: float = math.inf
) -> Pattern:
    return Pattern(settled=settled, fixed=fixed, first=None, shut=shut, weights=weights)


def search(seen: dict[Pattern, tuple[int, int]], bound: float, start: tuple[float, ...] = (4, 4, 4, 3)) -> Fitted:
    told = Seen(paths=[*RULES, FIRST], start=start)
    for pattern, (wanted, spam) in seen.items():
        for _ in range(wanted):
            told.add(pattern, spam=False)
        for _ in range(spam):
            told.add(pattern, spam=True)
    return fit(told, bound, seed=1, rounds=5)


def stopped(values: Mapping[Path, float], start: tuple[float, ...], *weights: tuple[int, float]) -> bool:
    now = [values.get(path, old) for path, old in zip([*RULES, FIRST], start, strict=True)]
    return sum(now[knob] * times for knob, times in weights) >= now[-1]


def test_a_rule_that_stops_wanted_calls_loses_its_points() -> None:
    found = search({calls((0, 1)): (50, 5), calls((1, 1)): (0, 100), calls(): (950, 0)}, 0.002)
    assert not stopped(found.values, (4, 4, 4, 3), (0, 1))
    assert stopped(found.values, (4, 4, 4, 3), (1, 1))


def test_rules_that_mean_nothing_alone_may_mean_it_together() -> None:
    both = calls((0, 1), (1, 1))
    found = search({calls((0, 1)): (50, 0), calls((1, 1)): (50, 0), both: (0, 200), calls(): (900, 0)}, 0.002)
    values = found.values
    assert stopped(values, (4, 4, 4, 3), (0, 1), (1, 1))
    assert not stopped(values, (4, 4, 4, 3), (0, 1))
    assert not stopped(values, (4, 4, 4, 3), (1, 1))


def test_the_bound_is_kept_where_spam_and_wanted_calls_look_alike() -> None:
    found = search({calls((0, 1)): (100, 100), calls(): (900, 0)}, 0.002)
    assert not stopped(found.values, (4, 4, 4, 3), (0, 1))


def test_what_is_right_already_stays() -> None:
    assert search({calls((0, 1)): (0, 100), calls(): (900, 0)}, 0.002).values == {}


def test_what_makes_no_difference_stays() -> None:
    found = search({calls((0, 1)): (50, 0), calls((1, 1)): (0, 100), calls(): (950, 0)}, 0.002)
    assert RULES[2] not in found.values


def test_calls_that_the_score_does_not_settle_cannot_be_helped() -> None:
    found = search({calls(settled=True): (5, 5), calls((0, 1), fixed=-2): (0, 100), calls(): (5000, 0)}, 0.002)
    assert stopped(found.values, (4, 4, 4, 3), (0, 1))


def test_a_wanted_caller_at_the_door_weighs_more_than_one_who_presses_a_key() -> None:
    """Three in a thousand may press a key; that one of them would be left at the door is too much."""
    pattern = calls((0, 1), shut=4)
    harmless = calls((0, 1))
    with_door = search({pattern: (1, 50), calls(): (999, 0)}, 0.003)
    without = search({harmless: (1, 50), calls(): (999, 0)}, 0.003)
    assert without.values == {}
    assert RULES[0] in with_door.values or FIRST in with_door.values
