"""What memory tells the core."""

import pytest

from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER, Trust


@pytest.mark.parametrize(("now", "holds"), [(0.0, True), (99.9, True), (100.0, False), (1e9, False)])
def test_trust_has_an_end(now: float, holds: bool) -> None:
    assert Trust(until=100.0, earned_with=Attestation.NONE).holds(Attestation.NONE, now) is holds


@pytest.mark.parametrize(
    ("earned_with", "spenders"),
    [
        (Attestation.A, {Attestation.A}),
        (Attestation.B, {Attestation.A, Attestation.B}),
        (Attestation.C, {Attestation.A, Attestation.B, Attestation.C}),
        (Attestation.NONE, set(Attestation) - {Attestation.FAILED}),
        (Attestation.FAILED, set(Attestation)),
    ],
)
def test_trust_is_spent_only_by_a_call_that_proves_no_less_than_the_one_that_earned_it(
    earned_with: Attestation, spenders: set[Attestation]
) -> None:
    trust = Trust(until=100.0, earned_with=earned_with)

    assert {attestation for attestation in Attestation if trust.holds(attestation, 0.0)} == spenders


def test_a_stranger_is_under_the_rate_and_has_no_past() -> None:
    assert STRANGER.rate.admitted
    assert (STRANGER.trust, STRANGER.failures, STRANGER.rejected_at) == ((), None, None)
