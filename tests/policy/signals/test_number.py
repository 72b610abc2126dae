"""Number: what is wrong with the caller ID itself."""

import dataclasses

import pytest

from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER
from screener.policy.signals.number import (
    country,
    foreign_script,
    malformed,
    neighbour,
    own_number,
    premium,
    unassigned,
    withheld,
)
from screener.policy.signals.rule import Signal
from tests.policy.builders import CALLER, DID, make_call, make_policy

POLICY = make_policy()
KNOWN = dataclasses.replace(STRANGER, stranger=False)


@pytest.mark.parametrize(("raw", "prohibited"), [("", False), ("anonymous", False), ("+12015550123", True)])
def test_a_hidden_number_counts_whether_or_not_the_trunk_tells_it(raw: str, prohibited: bool) -> None:
    assert withheld(make_call(raw, prohibited=prohibited), STRANGER, POLICY, 0) == (
        3,
        "the caller withholds the number",
    )


def test_a_malformed_caller_id_is_quoted_in_printable_form() -> None:
    assert malformed(make_call("rob\x1bot"), STRANGER, POLICY, 0) == (
        4,
        "the caller ID 'rob\ufffdot' is not a number of any numbering plan",
    )


def test_a_caller_id_in_another_script_is_quoted() -> None:
    assert foreign_script(make_call("\u0661\u0662"), STRANGER, POLICY, 0) == (
        4,
        "the caller ID '\u0661\u0662' holds characters that no telephone can dial",
    )


@pytest.mark.parametrize("raw", ["+15551234567", "+12642210000", "+12121230000", "+41100000000"])
def test_a_range_that_belongs_to_nobody(raw: str) -> None:
    said = f"{raw} lies in a range that the numbering plan gives to nobody"

    assert unassigned(make_call(raw), STRANGER, POLICY, 0) == (4, said)


def test_calling_a_premium_number_back_costs_extra() -> None:
    call = make_call("+19002345678")

    assert premium(call, STRANGER, POLICY, 0) == (
        4,
        "+19002345678 is a premium number: calling it back costs extra",
    )
    assert premium(call, KNOWN, POLICY, 0) is None


def test_our_own_number_as_caller_is_spoofed() -> None:
    policy = make_policy(own_numbers=["+1201555*"])
    said = (6, f"{CALLER} is one of our own numbers, so it is spoofed")

    assert own_number(make_call(), STRANGER, policy, 0) == said
    assert own_number(make_call(), dataclasses.replace(STRANGER, ours=True), POLICY, 0) == said


def test_a_neighbour_of_the_number_that_it_calls_must_prove_it() -> None:
    call = make_call("+14155550199", did=DID)

    assert neighbour(call, STRANGER, POLICY, 0) == (
        3,
        "the number begins with +1415555 like the one that it calls, and no attestation A shows that it is real",
    )
    assert neighbour(dataclasses.replace(call, attestation=Attestation.A), STRANGER, POLICY, 0) is None
    assert neighbour(call, KNOWN, POLICY, 0) is None


@pytest.mark.parametrize(("raw", "did"), [("+14155560199", DID), ("+14155550199", "100"), ("hello", DID), ("", DID)])
def test_who_is_no_neighbour(raw: str, did: str) -> None:
    assert neighbour(make_call(raw, did=did), STRANGER, POLICY, 0) is None


def test_a_country_from_which_nobody_is_expected() -> None:
    policy = make_policy(signals={"number": {"countries": ["US", "CA"]}})

    assert country(make_call("+41446681800"), STRANGER, policy, 0) == (
        3,
        "the number belongs to CH, and calls are expected from US, CA",
    )
    assert country(make_call("+41446681800"), KNOWN, policy, 0) is None
    assert country(make_call("+41446681800"), STRANGER, POLICY, 0) is None
    assert country(make_call(), STRANGER, policy, 0) is None
    assert country(make_call("+15551234567"), STRANGER, policy, 0) is None


@pytest.mark.parametrize(
    "signal", [withheld, malformed, foreign_script, unassigned, premium, own_number, neighbour, country]
)
def test_of_an_ordinary_number_there_is_nothing_to_say(signal: Signal) -> None:
    assert signal(make_call(), STRANGER, POLICY, 0) is None


@pytest.mark.parametrize("signal", [unassigned, premium, country])
@pytest.mark.parametrize("raw", ["", "hello", "\u0661"])
def test_a_caller_without_a_number_has_no_place_in_a_numbering_plan(signal: Signal, raw: str) -> None:
    policy = make_policy(signals={"number": {"countries": ["US"]}})

    assert signal(make_call(raw), STRANGER, policy, 0) is None
