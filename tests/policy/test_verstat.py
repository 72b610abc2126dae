"""A provider's word: read from where it stands, and from nowhere that a caller can write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Attestation
from screener.policy.verstat import Told, level_told
from tests.policy.builders import thorough

PASSED = "TN-Validation-Passed-A"


@pytest.mark.parametrize(
    "header",
    [
        "<sip:+12015550123@example.com;verstat=TN-Validation-Passed-A>",  # Telnyx
        "<sip:+12015550123;verstat=TN-Validation-Passed-A@192.0.2.1:5060>",  # Bandwidth, Avaya
        "<tel:+12015550123;verstat=TN-Validation-Passed-A>",
        "<sip:+12015550123@192.0.2.1>;verstat=TN-Validation-Passed-A",
        "sip:+12015550123@example.com;user=phone; verstat = TN-Validation-Passed-A;tag=1",
        '"Ann \\" <sip:x@y>" <sip:+12015550123@a;VERSTAT=TN-Validation-Passed-A>;tag=b',
        "Ann <sip:+12015550123@a;verstat=TN-Validation-Passed-A>, <tel:+12015550123;verstat=TN-Validation-Passed-A>",
    ],
)
def test_verstat_is_found_in_the_user_the_uri_and_the_header(header: str) -> None:
    assert Told(asserted=[header]).verstat == PASSED
    assert Told(sender=header).verstat == PASSED


@pytest.mark.parametrize(
    "header",
    [
        '"<sip:a@b;verstat=TN-Validation-Passed-A>" <sip:+12015550123@example.com>',
        '";verstat=TN-Validation-Passed-A" <sip:+12015550123@example.com>',
        '"\\";verstat=TN-Validation-Passed-A" <sip:+12015550123@example.com>',
        ";verstat=TN-Validation-Passed-A <sip:+12015550123@example.com>",
        '";verstat=TN-Validation-Passed-A',
        "<sip:+12015550123@example.com;xverstat=TN-Validation-Passed-A>",
        "<sip:verstat=TN-Validation-Passed-A@example.com>",
        "",
    ],
)
def test_what_only_looks_like_one_is_none(header: str) -> None:
    assert Told(asserted=[header]).verstat == ""


def test_from_is_asked_only_where_no_identity_is_asserted() -> None:
    sender = "<sip:+12015550123@a;verstat=TN-Validation-Passed-A>"
    assert Told(sender=sender).verstat == PASSED
    assert Told(asserted=["<sip:+12015550123@a>"], sender=sender).verstat == ""
    assert Told(asserted=["<sip:+12015550123@a>", sender]).verstat == PASSED


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ([], None), ([""], None), (["Verified"], None), (["AA"], None),
        (["A"], "A"), (["b"], "B"), (["TN-Validation-Passed-C"], "C"), (["tn-validation-passed-a"], "A"),
        (["TN-Validation-Passed"], "B"), (["TN-Validation-Passed", "A"], "A"), (["TN-Validation-Passed", "C"], "C"),
        (["TN-Validation-Passed-A", "C"], "C"), (["A", "A"], "A"),
        (["No-TN-Validation"], "none"), (["No-TN-Validation", "A"], "none"),
        (["TN-Validation-Failed"], "failed"), (["A", "TN-Validation-Failed"], "failed"),
        (["TN-Validation-Failed-A", "No-TN-Validation"], "failed"), (["TN-Validation-Passed-D"], None),
    ],
)  # fmt: skip
def test_what_the_words_add_up_to(said: list[str], level: str | None) -> None:
    assert level_told(said, Attestation.B) == level


def test_the_administrator_says_what_a_bare_passed_means() -> None:
    assert level_told(["TN-Validation-Passed"], Attestation.A) is Attestation.A


@given(st.text(alphabet='<>";\\=sipvert:@ A-', max_size=60))
@thorough
def test_no_display_name_counts(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert Told(asserted=[f'"{quoted};verstat=TN-Validation-Passed-A" <sip:+12015550123@a>']).verstat == ""
