"""Rhythm: calls that come, last or end as a machine makes them."""

import dataclasses
from typing import Any

import pytest

from screener.policy.remembered import STRANGER, Beat, Remembered
from screener.policy.signals.rhythm import alike, hang_up, rhythm
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()


def beating(**figures: Any) -> Remembered:
    return dataclasses.replace(STRANGER, beat=Beat(**figures))


def test_a_clock_s_calls_are_told_with_their_distance() -> None:
    remembered = beating(distances=(7.0, 600, 601, 599, 600))

    assert rhythm(make_call(), remembered, POLICY, 0) == (
        4,
        "the last 5 calls of this caller came every 10 minutes, like a clock's",
    )


@pytest.mark.parametrize("distances", [(600, 601, 599), (600, 500, 700, 610), (0, 0, 0, 0)])
def test_a_person_keeps_no_beat(distances: tuple[float, ...]) -> None:
    assert rhythm(make_call(), beating(distances=distances), POLICY, 0) is None


@pytest.mark.parametrize("apart", [6 * 3600.0, 86_400.0, 7 * 86_400.0])
def test_who_calls_each_morning_or_each_monday_keeps_a_habit_and_no_beat(apart: float) -> None:
    distances = tuple(apart + late for late in (0, 600, -300, 900))

    assert rhythm(make_call(), beating(distances=distances), POLICY, 0) is None


def test_calls_of_the_same_few_seconds_are_alike() -> None:
    assert alike(make_call(), beating(lasted=(90, 6.0, 6.4, 6.1, 6.9, 6.3)), POLICY, 0) == (
        3,
        "the last 5 calls of this caller all lasted 7 seconds",
    )


@pytest.mark.parametrize("lasted", [(6, 6, 6, 6), (6, 6, 6, 6, 8), (40, 40, 40, 40, 40)])
def test_few_or_long_or_different_calls_are_not_alike(lasted: tuple[float, ...]) -> None:
    assert alike(make_call(), beating(lasted=lasted), POLICY, 0) is None


def test_hanging_up_in_the_prompt_again_and_again_counts() -> None:
    assert hang_up(make_call(), beating(hang_ups=2), POLICY, 0) == (
        3,
        "this caller hung up in the prompt of a challenge 2 times",
    )
    assert hang_up(make_call(), beating(hang_ups=1), POLICY, 0) is None


@pytest.mark.parametrize("signal", [rhythm, alike, hang_up])
def test_a_known_caller_may_call_as_it_likes(signal: Any) -> None:
    beat = Beat(distances=(60,) * 7, lasted=(5,) * 8, hang_ups=9)

    assert signal(make_call(), dataclasses.replace(STRANGER, beat=beat), POLICY, 0) is not None
    assert signal(make_call(), dataclasses.replace(STRANGER, beat=beat, stranger=False), POLICY, 0) is None
    assert signal(make_call(), STRANGER, POLICY, 0) is None
