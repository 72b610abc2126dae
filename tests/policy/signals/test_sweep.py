"""Sweep: strangers who reach many of our numbers."""

import dataclasses
from typing import Any

import pytest

from screener.policy.remembered import STRANGER, Reached
from screener.policy.signals.sweep import sweep
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()


def reached(**figures: Any) -> Any:
    return sweep(make_call(), dataclasses.replace(STRANGER, reached=Reached(**figures)), POLICY, 0)


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({"dids": 4}, "this caller reached 4 of our numbers within 1 hour"),
        ({"dids": 3, "in_order": 3}, "this caller reached 3 of our numbers one after another in numerical order"),
        ({"run": 7}, "strangers reached 7 of our numbers one after another in numerical order, up to this one"),
        ({"block_dids": 6}, "callers from one block of a thousand numbers reached 6 of our numbers within 1 hour"),
    ],
)
def test_how_far_they_went_is_told(figures: dict[str, int], text: str) -> None:
    assert reached(**figures) == (4, text)


@pytest.mark.parametrize("figures", [{}, {"dids": 3, "in_order": 2}, {"run": 5}, {"block_dids": 5}])
def test_a_person_who_is_sent_on_is_no_sweep(figures: dict[str, int]) -> None:
    assert reached(**figures) is None


def test_a_known_caller_may_call_whom_it_likes() -> None:
    known = dataclasses.replace(STRANGER, stranger=False, reached=Reached(dids=40))

    assert sweep(make_call(), known, POLICY, 0) is None
    assert sweep(make_call(), STRANGER, POLICY, 0) is None
