"""From an event to the facts of a call, whatever a stranger has put into it."""

import base64
import json
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.events import CallEntered, Channel
from screener.asterisk.facts import NAME_LIMIT, read_call
from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from screener.policy.trunks import AttestationSettings
from tests.policy.builders import PEPPER, thorough

NOW = 1_795_571_672.0
SOURCES = AttestationSettings.model_validate({"trunks": {"believed": ["asterisk", "verstat", "headers"]}})


def call(channel: dict[str, str] | None = None, **facts: str) -> Call:
    known = {
        "id": "1.1", "name": "PJSIP/carrier-a-0000002a", "number": "+12015550123", "caller_name": "Ann", "exten": "s",
        "language": "en",
    }  # fmt: skip
    entered = CallEntered(channel=Channel(**{**known, **(channel or {})}), facts=facts)
    return read_call(entered, region="US", pepper=PEPPER, now=NOW, sources=SOURCES)


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


def test_what_asterisk_verified_is_judged_and_why_is_told() -> None:
    signed = call(did="4155550100", sig0=f"success/A/{signed_by_carrier()};info=x")
    assert (signed.attestation, signed.signer) == (Attestation.A, "cert.example.com 47")
    assert signed.identity
    assert "attestation A by cert.example.com" in signed.attestation_why
    failed = call(did="4155550100", sig0=f"cert_not_trusted//{signed_by_carrier()}", sig1="")
    assert (failed.attestation, failed.signer, failed.identity) == (Attestation.FAILED, "", "")


def test_all_that_asterisk_verified_is_looked_at() -> None:
    assert (
        call(did="4155550100", sig0="invalid_or_no_ppt//x.y.z", sig1=f"success/A/{signed_by_carrier()}").attestation
        == "A"
    )


def test_a_forwarded_call_says_who_forwarded_it() -> None:
    token = signed_by_carrier(dest="14155550199")
    assert call(did="4155550100", sig0=f"success/A/{token}").attestation == "failed"
    assert call(did="4155550100", sig0=f"success/A/{token}", diversion="+14155550199").attestation == "none"


def test_headers_come_encoded_and_count_on_a_trunk_that_is_believed() -> None:
    name = "PJSIP/believed-0000002a"
    header = encoded(' "Ann, \\"of\\" <x>" <sip:+12015550123;verstat=TN-Validation-Passed-A@example.com>')
    assert call({"name": name}, pai1=encoded(" "), pai2=header).attestation == "A"
    assert call({"name": name}, pai1=header[:-7], **{"from": encoded(" ")}).attestation == "A"  # cut short behind it
    assert call({"name": name}, pai1="%%%").attestation == "none"
    told = call({"name": name}, origid="47", **{"P-Attestation-Indicator": "B"})
    assert (told.attestation, told.signer) == (Attestation.B, "47")
    assert call(pai1=header).attestation == "none"


def test_who_hides_the_number_is_not_named_by_the_reason_either() -> None:
    token = signed_by_carrier(orig="12015550199")
    hidden = call(did="4155550100", pres="prohib", sig0=f"success/A/{token}")
    assert (hidden.attestation, hidden.attestation_why) == (Attestation.FAILED, "")


def encoded(header: str) -> str:
    return base64.b64encode(header.encode()).decode()


def signed_by_carrier(orig: str = "12015550123", dest: str = "14155550100") -> str:
    head = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "https://cert.example.com/a.pem"}
    claims = {"attest": "A", "dest": {"tn": [dest]}, "orig": {"tn": orig}, "iat": int(NOW), "origid": "47"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


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
