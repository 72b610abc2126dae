"""A signature counts for the call that it was made for, and for no other."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Attestation
from screener.policy.passport import (
    DATED,
    OUT_OF_REACH,
    SIGNER_LIMIT,
    TOKEN_LIMIT,
    UNSIGNED,
    WHY_LIMIT,
    Leg,
    Verification,
    Vouched,
    vouch,
)
from screener.policy.text import printable
from screener.policy.trunks import AttestationSettings
from screener.policy.verstat import Told
from tests.policy.builders import ANOTHER_CALLER, CALLER, DID, thorough

NOW = 1_795_571_672.0
OURS = AttestationSettings()
BELIEVED = AttestationSettings.model_validate({"trunks": {"trunk": ["asterisk", "verstat", "headers"]}})


def leg(**changed: Any) -> Leg:
    known = {"calling": CALLER, "called": DID, "forwarded_by": None, "trunk": "trunk", "region": "US"}
    return Leg(**{**known, **changed})


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def token(header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    head = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "https://cert.example.com/a.pem"}
    known = {"attest": "A", "dest": {"tn": [DID[1:]]}, "orig": {"tn": CALLER[1:]}, "iat": int(NOW), "origid": "47"}
    return f"{encoded({**head, **(header or {})})}.{encoded({**known, **claims})}.c2ln;info=<https://cert.example.com>"


def success(token: str, level: str = "A") -> Verification:
    return Verification(result="success", level=level, token=token)


def judged(*verified: Verification, told: Told | None = None, by: AttestationSettings = OURS, **call: Any) -> Vouched:
    return vouch(verified, told or Told(), leg(**call), by, NOW)


def test_a_signature_for_this_very_call_counts_and_names_its_signer() -> None:
    vouched = judged(success(token()))
    assert (vouched.level, vouched.signer) == (Attestation.A, "cert.example.com 47")
    assert vouched.why == "the caller ID is signed with attestation A by cert.example.com 47"
    assert len(vouched.identity) == 24


@pytest.mark.parametrize("level", ["A", "B", "C"])
def test_each_level_counts_as_what_it_is(level: str) -> None:
    assert judged(success(token(attest=level), level)).level == level


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"dest": {"tn": ["14155550199"]}}, "for a call to +14155550199"),
        ({"dest": {"tn": []}}, "for a call to nobody"),
        ({"dest": {"uri": ["sip:4155550100@example.com"]}}, "for a call to nobody"),
        ({"dest": "14155550100"}, "for a call to nobody"),
        ({"dest": {"tn": [None, {}, "x"]}}, "for a call to nobody"),
        ({"orig": {"tn": ANOTHER_CALLER[1:]}}, f"for the caller ID {ANOTHER_CALLER}"),
        ({"orig": {"uri": "sip:a@b"}}, "for the caller ID of nobody"),
        ({"orig": None}, "for the caller ID of nobody"),
        ({"iat": int(NOW) + 61}, "dated 1 minute 1 second ahead"),
        ({"iat": NOW + 3600.5}, "dated 1 hour ahead"),
        ({"attest": "AAA"}, "the level is none of A, B and C"),
        ({"attest": "B"}, "the level is none of A, B and C"),  # Asterisk said A
        ({"attest": ["A"]}, "the level is none of A, B and C"),
    ],
)
def test_a_signature_that_was_made_for_something_else_is_a_failed_one(claims: Mapping[str, Any], why: str) -> None:
    vouched = judged(success(token(**claims)))
    assert vouched.level is Attestation.FAILED
    assert why in vouched.why
    assert (vouched.signer, vouched.identity) == ("", "")  # a replay does not spoil its signer's name


@pytest.mark.parametrize("level", ["", "AAA", "D", "a"])
def test_a_level_of_asterisks_that_is_none_fails(level: str) -> None:
    assert judged(success(token(attest=level), level)).level is Attestation.FAILED


@pytest.mark.parametrize(
    "claims",
    [
        {"dest": {"tn": ["14155550199", DID[1:]]}},
        {"dest": {"tn": DID[1:]}},
        {"dest": {"tn": [DID]}},
        {"dest": {"tn": [DID[2:]]}},  # as an Asterisk signs what was dialled without the country code
        {"orig": {"tn": CALLER}},
        {"iat": int(NOW) + 60},
        {"iat": int(NOW) - 3600},  # how old it may be is Asterisk's to say: max_iat_age
        {"origid": 47},
    ],
)
def test_other_spellings_of_this_call_count(claims: Mapping[str, Any]) -> None:
    assert judged(success(token(**claims))).level is Attestation.A


def test_how_far_ahead_a_date_may_be_is_a_setting() -> None:
    settings = AttestationSettings(ahead_seconds=5)
    assert judged(success(token(iat=int(NOW) + 5)), by=settings).level is Attestation.A
    assert judged(success(token(iat=int(NOW) + 6)), by=settings).level is Attestation.FAILED


def test_a_forwarded_call_is_neither_attested_nor_a_fraud() -> None:
    elsewhere = success(token(dest={"tn": ["14155550199"]}))
    assert judged(elsewhere, forwarded_by="+14155550199").level is Attestation.NONE
    assert judged(elsewhere, forwarded_by="+14155550198").level is Attestation.FAILED
    assert judged(success(token(dest={})), forwarded_by=None).level is Attestation.FAILED


def test_an_extension_as_did_can_be_in_no_token() -> None:
    vouched = judged(success(token()), called="s")
    assert vouched.level is Attestation.NONE
    assert "no telephone number" in vouched.why


def test_a_caller_id_that_is_no_number_is_attested_by_nobody() -> None:
    assert judged(success(token()), calling=None).level is Attestation.FAILED


def parts(head: object, claims: object) -> str:
    return f"{encoded(head)}.{encoded(claims)}.c2ln"


@pytest.mark.parametrize(
    "broken",
    [
        "", "garbage", "a.b", "a.b.c.d", "!!!.???.x", "a" * TOKEN_LIMIT, "\u0661.\u0662.\u0663",
        parts([], {}), parts({}, []), parts({}, b"{"), parts({}, b'{"iat": NaN}'), parts({}, b'{"iat": 1e999}'),
        parts({}, b'{"iat": 1' + b"0" * 400 + b"}"), parts({"x5u": "https://[::1"}, {}), parts({}, b"[" * 900),
        f"{token()[:40]}{'A' * TOKEN_LIMIT}{token()[40:]}",
    ],
)  # fmt: skip
def test_what_cannot_be_read_attests_nothing(broken: str) -> None:
    assert judged(success(broken)).level is Attestation.NONE
    assert judged(Verification(result="signature_validation", level="", token=broken)).level in ("none", "failed")


@pytest.mark.parametrize("result", ["signature_validation", "cert_not_trusted", "iat_range_error", "anything_new", ""])
def test_a_signature_that_asterisk_refuses_is_a_failed_one(result: str) -> None:
    vouched = judged(Verification(result=result, level="A", token=token()))
    assert vouched.level is Attestation.FAILED
    assert result in vouched.why
    assert not vouched.signer


@pytest.mark.parametrize("result", sorted(UNSIGNED | OUT_OF_REACH | DATED))
def test_what_is_no_fault_of_the_caller_is_held_against_nobody(result: str) -> None:
    assert judged(Verification(result=result, level="", token=token())).level is Attestation.NONE


def test_where_asterisk_cannot_be_asked_the_token_may_tell() -> None:
    """See the dialplan."""
    stale, fresh = (
        Verification(result="", level="", token=token(iat=int(NOW) - 120)),
        Verification(result="", level="", token=token()),
    )
    assert judged(stale).why.endswith("it is dated 2 minutes ago")
    assert judged(fresh).why.endswith("Asterisk cannot be asked why")


@pytest.mark.parametrize("age", [120, -120])
def test_an_old_date_is_no_excuse_for_an_old_token(age: int) -> None:
    stale = token(iat=int(NOW) - age)
    assert judged(Verification(result="date_hdr_range_error", level="", token=stale)).level is Attestation.FAILED


@pytest.mark.parametrize("result", ["invalid_or_no_ppt", ""])
def test_a_token_of_another_kind_says_nothing_of_the_caller(result: str) -> None:
    assert judged(Verification(result=result, level="", token=token({"ppt": "div"}))).level is Attestation.NONE


def test_of_several_signatures_the_one_that_proves_most_counts() -> None:
    a, c = success(token()), success(token(attest="C"), "C")
    failed = Verification(result="signature_validation", level="", token=token())
    div = Verification(result="invalid_or_no_ppt", level="", token=token({"ppt": "div"}))
    for others in ((c, a), (a, c), (failed, a), (a, failed), (div, a)):
        assert judged(*others).level is Attestation.A
    assert judged(failed, c).level is Attestation.C
    assert judged(div, failed).level is Attestation.FAILED


def test_the_same_token_has_the_same_identity_however_its_signature_is_written() -> None:
    first, second = token(), token().replace("c2ln", "AAAA").replace("info=", "alg=ES256;info=")
    assert first != second
    assert judged(success(first)).identity == judged(success(second)).identity
    assert judged(success(token(iat=int(NOW) - 1))).identity != judged(success(first)).identity


def test_nothing_is_believed_of_a_trunk_that_is_not_named_and_the_reason_says_what_was_there() -> None:
    told = Told(asserted=["<sip:a@b;verstat=TN-Validation-Passed-A>"], indicators={"P-Attestation-Indicator": "A"})
    vouched = judged(told=told)
    assert vouched.level is Attestation.NONE
    assert "(verstat, headers) is not believed" in vouched.why
    nothing = AttestationSettings.model_validate({"trunks": {"*": []}})
    assert "(asterisk) is not believed" in judged(success(token()), by=nothing).why


def test_a_word_counts_where_it_is_believed_and_a_proof_beside_it_counts_more() -> None:
    told = Told(indicators={"P-Attestation-Indicator": "B"}, origid="47")
    word = judged(told=told, by=BELIEVED)
    assert (word.level, word.signer, word.identity) == (Attestation.B, "47", "")
    assert word.why == "the trunk trunk says P-Attestation-Indicator B"
    assert judged(success(token()), told=told, by=BELIEVED).level is Attestation.A
    refused = Verification(result="cid_orig_tn_mismatch", level="A", token=token())
    assert judged(refused, told=told, by=BELIEVED).level is Attestation.B


def test_of_a_word_only_the_part_that_is_believed_counts() -> None:
    told = Told(sender="<sip:a@b;verstat=TN-Validation-Failed>", indicators={"X-Twilio-VerStat": "A"}, origid="47")
    headers = AttestationSettings.model_validate({"trunks": {"trunk": ["headers"]}})
    verstat = AttestationSettings.model_validate({"trunks": {"trunk": ["verstat"]}})
    assert judged(told=told, by=headers).level is Attestation.A
    assert (judged(told=told, by=verstat).level, judged(told=told, by=verstat).signer) == (Attestation.FAILED, "")
    assert judged(told=told, by=BELIEVED).level is Attestation.FAILED


@given(st.text(), st.text(), st.text(), st.text(), st.text())
@thorough
def test_strangers_text_ends_in_no_error_and_comes_out_short(
    result: str, level: str, written: str, sender: str, origid: str
) -> None:
    hostile = token({"x5u": f"https://{sender}/", "ppt": level}, origid=origid, attest=level, dest={"tn": [written]})
    told = Told(asserted=[sender], sender=written, indicators={"P-Attestation-Indicator": level}, origid=origid)
    for verified in (
        Verification(result=result, level=level, token=written),
        success(hostile, level),
        success(hostile),
    ):
        vouched = judged(verified, told=told, by=BELIEVED)
        assert len(vouched.signer) <= SIGNER_LIMIT
        assert len(vouched.why) <= WHY_LIMIT
        shown = vouched.why + vouched.signer
        assert shown == printable(shown, len(shown))
