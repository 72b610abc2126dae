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
        "the name 'card services' is hot: 9 strangers lately, and nobody talked in 8 of their last calls; "
        "it cools down in 10 minutes",
    )


@pytest.mark.parametrize(
    ("remembered", "now"), [(STRANGER, 0), (HOT, 600), (dataclasses.replace(HOT, stranger=False), 0)]
)
def test_a_known_caller_never_notices_and_all_heat_ends(remembered: object, now: float) -> None:
    assert group(make_call(), remembered, POLICY, now) is None  # type: ignore[arg-type]
