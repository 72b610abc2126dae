"""Surge: far more strangers than usual."""

import dataclasses

import pytest

from screener.policy.remembered import STRANGER, Surge
from screener.policy.signals.surge import surge
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()


@pytest.mark.parametrize(("about", "where"), [("PBX", "the PBX"), ("+14155550100", "+14155550100")])
def test_where_and_since_when_and_what_is_usual(about: str, where: str) -> None:
    remembered = dataclasses.replace(STRANGER, surge=Surge(about=about, since=940, expected=12.4))

    assert surge(make_call(), remembered, POLICY, 1000) == (
        4,
        f"far more strangers than usual have been calling {where} for 1 minute: 12 an hour are usual now",
    )


def test_it_raises_strangers_only() -> None:
    remembered = dataclasses.replace(STRANGER, stranger=False, surge=Surge(about="PBX", since=0, expected=1))

    assert surge(make_call(), remembered, POLICY, 1000) is None
    assert surge(make_call(), STRANGER, POLICY, 1000) is None
