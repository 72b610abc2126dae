"""From an event to the facts of a call, whatever a stranger has put into it."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.events import CallEntered, Channel
from screener.asterisk.facts import NAME_LIMIT, read_call
from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from tests.policy.builders import PEPPER, thorough


def call(channel: dict[str, str] | None = None, **facts: str) -> Call:
    known = {
        "id": "1.1", "name": "PJSIP/carrier-a-0000002a", "number": "+12015550123", "caller_name": "Ann", "exten": "s",
        "language": "en",
    }  # fmt: skip
    entered = CallEntered(channel=Channel(**{**known, **(channel or {})}), facts=facts)
    return read_call(entered, region="US", pepper=PEPPER)


def test_an_ordinary_call() -> None:
    read = call(did="4155550100", pres="allowed_not_screened", diversion="+14155550199")
    assert (read.caller.key, read.caller.kind) == ("+12015550123", CallerKind.NUMBER)
    assert (read.did, read.trunk, read.name, read.language) == ("+14155550100", "carrier-a", "Ann", "en")
    assert (read.attestation, read.diversion) == (Attestation.NONE, "+14155550199")


@pytest.mark.parametrize("presentation", ["prohib", "prohib_not_screened", "prohib_passed_screen", "unavailable"])
def test_a_hidden_number_is_withheld_although_it_is_there(presentation: str) -> None:
    assert call(pres=presentation).caller.kind is CallerKind.WITHHELD


def test_without_a_did_what_was_dialled_counts() -> None:
    assert call({"exten": "4155550100"}).did == "+14155550100"
    assert call({"exten": "s"}, did="").did == "s"


@pytest.mark.parametrize(
    ("name", "trunk"),
    [("PJSIP/a-b-0000002a", "a-b"), ("Local/1@x-0000002a;2", "1@x"), ("SIP/+1-0000002a", "+1"), ("odd", ""), ("", "")],
)
def test_the_trunk_is_the_endpoint_in_the_channels_name(name: str, trunk: str) -> None:
    assert call({"name": name}).trunk == trunk


@pytest.mark.parametrize(
    ("level", "result", "attestation"),
    [("", "", "none"), ("A", "success", "A"), ("B", "success", "B"), ("C", "success", "C"),
     ("A", "tn_mismatch", "failed"), ("A", "", "failed"), ("", "signature_failed", "failed"),
     ("X", "success", "failed")],
)  # fmt: skip
def test_a_level_counts_only_with_a_verified_signature(level: str, result: str, attestation: str) -> None:
    assert call(attest=level, verify=result).attestation == attestation


@given(st.text(), st.text(), st.text(), st.text(), st.text())
@thorough
def test_nothing_that_a_stranger_sends_gets_past_unprintable_or_long(
    number: str, name: str, exten: str, did: str, diversion: str
) -> None:
    read = call({"number": number, "caller_name": name, "exten": exten, "language": name}, did=did, diversion=diversion)
    for text in (read.name, read.did, read.diversion, read.caller.raw, read.language, read.trunk):
        assert all(character.isprintable() or category(character) == "Zs" for character in text)
        assert len(text) <= NAME_LIMIT
        assert not any(ord(character) < 32 for character in text)
