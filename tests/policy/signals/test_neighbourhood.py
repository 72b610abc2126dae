"""Neighbourhood: a block of numbers from which too many strangers call."""

import dataclasses

from screener.policy.remembered import STRANGER, Crowded
from screener.policy.signals.neighbourhood import neighbourhood
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()
CROWDED = dataclasses.replace(
    STRANGER, crowded=Crowded(block="+1201555", capacity=12, per_hour=3, free_in=100), stranger=True
)


def test_the_block_and_its_figures_are_told() -> None:
    assert neighbourhood(make_call(), CROWDED, POLICY, 0) == (
        4,
        "too many strangers call from numbers that begin with +1201555: 12 callers at once are free and one more "
        "every 20 minutes",
    )


def test_a_known_caller_does_not_suffer_from_its_neighbours() -> None:
    assert neighbourhood(make_call(), dataclasses.replace(CROWDED, stranger=False), POLICY, 0) is None


def test_a_quiet_block_is_not_worth_a_word() -> None:
    assert neighbourhood(make_call(), STRANGER, POLICY, 0) is None
