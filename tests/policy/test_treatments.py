"""Settings of the treatments: whom to ring, what to say, which codes are none."""

from typing import Any

import pytest
from pydantic import ValidationError

from screener.policy.signals import SIGNALS
from screener.policy.treatments import GROUPS, BypassCode, ReasonSounds, reason_sounds
from tests.policy.builders import DID, make_policy, make_settings

SOUNDS = ReasonSounds(unknown=("u",), invalid=("i",), often=("o",))
ANNOUNCING: dict[str, Any] = {"ladder": [{"score": 5, "treatment": "announce"}]}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((), ("u",)), (("attestation", "rate"), ("u",)), (("rate", "malformed"), ("o",)), (("unassigned",), ("i",))],
)
def test_the_weightiest_reason_is_the_word_that_the_callee_hears(
    codes: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert reason_sounds(codes, SOUNDS) == expected


def test_every_signal_that_has_a_word_of_its_own_exists() -> None:
    assert set(GROUPS) <= {rule.code for rule in SIGNALS}


@pytest.mark.parametrize("code", ["123", "12345", "98765", "777777", "4805a6", "1234567890123", "٤٨٠٥", ""])
def test_a_code_that_is_short_or_easy_to_guess_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        BypassCode.model_validate({"code": code})


def test_a_code_is_a_secret() -> None:
    code = BypassCode.model_validate({"code": "480516", "note": "the laboratory"})
    assert "480516" not in repr(code) + code.model_dump_json() + make_settings(bypass=[code]).model_dump_json()


def test_codes_are_bounded() -> None:
    with pytest.raises(ValidationError):
        make_settings(bypass=[{"code": f"48{number:03}"} for number in range(11)])


@pytest.mark.parametrize("dial", ["PJSIP/a&PJSIP/b", "reception", "PJSIP/a,30", "Local/1@x;1", "PJSIP/${X}"])
def test_what_is_not_one_endpoint_is_not_rung(dial: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(announce={"dial": dial})


def test_whom_to_ring_is_as_for_all_dids_or_a_dids_own() -> None:
    policy = make_policy(announce={"dial": "PJSIP/reception"}, dids={DID: {"announce": "PJSIP/doctor"}})
    assert policy.line(DID, 0.0).announce == "PJSIP/doctor"
    assert policy.line("+14155550199", 0.0).announce == "PJSIP/reception"


def test_a_ladder_that_announces_needs_somebody_to_ring_unless_it_is_in_shadow_mode() -> None:
    with pytest.raises(ValidationError, match="nobody is named to ring"):
        make_settings(**ANNOUNCING)
    with pytest.raises(ValidationError, match="nobody is named to ring"):
        make_settings(mode="shadow", dids={DID: {"mode": "live", **ANNOUNCING}})
    make_settings(mode="shadow", **ANNOUNCING)
    make_settings(**ANNOUNCING, announce={"dial": "PJSIP/reception"})
    make_settings(dids={DID: {**ANNOUNCING, "announce": "PJSIP/doctor"}})
