"""Group: strangers who share something heat up together."""

import dataclasses

import pytest

from screener.policy.remembered import STRANGER, Heat
from screener.policy.signals.group import group
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()
HOT = dataclasses.replace(STRANGER, heat=Heat(kind="name", name="card services", callers=9, cold=8, until=600))


def test_what_is_hot_and_when_it_cools_down() -> None:
    assert group(make_call(), HOT, POLICY, 0) == (
        3,
        "strangers who share the name 'card services' come in numbers, and hardly anybody talks with them: "
        "8 of the last 9 calls led to no conversation; they are suspect for another 10 minutes",
    )


def test_a_group_that_is_hot_by_the_clock_alone_says_so() -> None:
    warm = dataclasses.replace(STRANGER, heat=Heat(kind="trunk", name="carrier", callers=24, cold=0, until=600))
    found = group(make_call(), warm, POLICY, 540)
    assert found is not None
    assert found[1] == (
        "strangers who share the trunk 'carrier' came in numbers a while ago, and hardly anybody talked with them; "
        "they are suspect for another 1 minute"
    )


@pytest.mark.parametrize(
    ("remembered", "now"), [(STRANGER, 0), (HOT, 600), (dataclasses.replace(HOT, stranger=False), 0)]
)
def test_a_known_caller_never_notices_and_all_heat_ends(remembered: object, now: float) -> None:
    assert group(make_call(), remembered, POLICY, now) is None  # type: ignore[arg-type]
