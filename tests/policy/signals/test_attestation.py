"""Attestation: what STIR/SHAKEN says of the caller ID."""

import dataclasses

import pytest

from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER
from screener.policy.signals.attestation import attestation
from tests.policy.builders import make_call, make_policy

POLICY = make_policy()


@pytest.mark.parametrize(
    ("level", "points", "said"),
    [
        (Attestation.A, -1, "the caller ID is signed with attestation A"),
        (Attestation.B, 0, "the caller ID is signed with attestation B"),
        (Attestation.C, 0, "the caller ID is signed with attestation C"),
        (Attestation.NONE, 2, "the caller ID is not signed"),
        (Attestation.FAILED, 0, "the caller ID is signed, but the signature did not verify"),
    ],
)
def test_what_is_signed_is_said_even_where_it_adds_nothing(level: Attestation, points: float, said: str) -> None:
    policy = make_policy(signals={"attestation": {"points": {"A": -1, "none": 2}}})

    assert attestation(make_call(attestation=level), STRANGER, policy, 0) == (points, said)


def test_where_nobody_signs_an_unsigned_call_is_not_worth_a_word() -> None:
    assert attestation(make_call(), STRANGER, POLICY, 0) is None


def test_a_signature_that_another_call_has_just_used_says_so() -> None:
    copied = dataclasses.replace(STRANGER, reused=True)

    assert attestation(make_call(attestation=Attestation.FAILED), copied, POLICY, 0) == (
        3,
        "the caller ID is signed, but with a signature that another call has just used",
    )


@pytest.mark.parametrize("level", [Attestation.NONE, Attestation.FAILED, Attestation.A])
def test_why_it_is_that_level_is_said_if_it_is_known(level: Attestation) -> None:
    call = dataclasses.replace(make_call(attestation=level), attestation_why="the trunk says so")

    found = attestation(call, STRANGER, POLICY, 0)

    assert found == (3 if level is Attestation.FAILED else 0, "the trunk says so")
