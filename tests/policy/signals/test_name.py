"""Name: what the caller's name gives away."""

import dataclasses

import pytest

from screener.policy.remembered import STRANGER
from screener.policy.signals.name import odd_name, warning
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()
KNOWN = dataclasses.replace(STRANGER, stranger=False)


@pytest.mark.parametrize("name", ["SPAM LIKELY", "Scam Likely", "[fraud?]", "Telemarketer", "spam:spam:JOHN"])
def test_a_carrier_s_warning_is_quoted(name: str) -> None:
    call = dataclasses.replace(make_call(), name=name)

    assert warning(call, STRANGER, POLICY, 0) == (5, f"the name carries a warning: {name!r}")
    assert warning(call, KNOWN, POLICY, 0) is None


@pytest.mark.parametrize("name", ["", "JOHN SMITH", "Wireless Caller", "SPA AND MORE"])
def test_other_names_are_no_warning(name: str) -> None:
    assert warning(dataclasses.replace(make_call(), name=name), STRANGER, POLICY, 0) is None


@pytest.mark.parametrize("name", ["V92116185840629", "A1B2C3D4E5F6G7", "x_1234567"])
def test_a_name_that_a_machine_made(name: str) -> None:
    call = dataclasses.replace(make_call(), name=name)

    assert odd_name(call, STRANGER, POLICY, 0) == (2, f"the name {name!r} looks made by a machine")
    assert odd_name(call, KNOWN, POLICY, 0) is None


@pytest.mark.parametrize("name", ["", "JOHN SMITH", "+12015550123", "2015550123", "Studio54", "Dr. No 1234567"])
def test_a_name_or_a_number_is_not_odd(name: str) -> None:
    assert odd_name(dataclasses.replace(make_call(), name=name), STRANGER, POLICY, 0) is None
