"""A verdict explains itself."""

import pytest

from screener.policy.verdict import Mode, Treatment, Verdict


@pytest.mark.parametrize("treatment", Treatment)
def test_in_shadow_mode_every_call_passes(treatment: Treatment) -> None:
    verdict = Verdict(treatment=treatment, mode=Mode.SHADOW, score=9, decided_by="a test")

    assert verdict.acted is Treatment.PASS
    assert verdict.treatment is treatment


@pytest.mark.parametrize("treatment", Treatment)
def test_in_live_mode_a_call_gets_its_treatment(treatment: Treatment) -> None:
    assert Verdict(treatment=treatment, mode=Mode.LIVE, score=9, decided_by="a test").acted is treatment


def test_a_treatment_is_the_suffix_of_its_dialplan_context() -> None:
    assert [f"screener-{treatment}" for treatment in Treatment] == [
        "screener-pass",
        "screener-announce",
        "screener-menu",
        "screener-captcha",
        "screener-voicemail",
        "screener-busy",
        "screener-tarpit",
        "screener-reject",
    ]
