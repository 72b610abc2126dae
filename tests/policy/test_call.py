"""The facts of a call."""

import pytest

from screener.policy.call import Attestation, called_number


@pytest.mark.parametrize(
    ("attestation", "rank"),
    [
        (Attestation.A, 3),
        (Attestation.B, 2),
        (Attestation.C, 1),
        (Attestation.NONE, 0),
        (Attestation.FAILED, -1),
    ],
)
def test_a_level_ranks_by_how_much_it_proves(attestation: Attestation, rank: int) -> None:
    assert attestation.rank == rank


@pytest.mark.parametrize(
    ("dialled", "did"),
    [
        ("+14155550100", "+14155550100"),
        ("14155550100", "+14155550100"),
        ("4155550100", "+14155550100"),
        ("(415) 555-0100", "+14155550100"),
        ("100", "100"),
        ("s", "s"),
        ("", ""),
    ],
)
def test_the_called_number_is_e164_where_the_plan_knows_it_and_as_dialled_otherwise(dialled: str, did: str) -> None:
    assert called_number(dialled, "US") == did


def test_a_did_in_its_one_form_keeps_it() -> None:
    assert called_number(called_number("(415) 555-0100", "US"), "CH") == "+14155550100"
