"""The policy in force: the settings, made ready to be asked about a call."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.faults import UnusableSettingError
from screener.policy.line import Line
from screener.policy.line_settings import DEFAULT_LADDER, Rung
from screener.policy.lists import Entry, EntryKind
from screener.policy.policy import compile_policy
from screener.policy.verdict import Mode, Treatment
from tests.policy.builders import ANOTHER_DID, CALLER, DID, MAILBOX, brief, make_policy, make_settings


def faults_of(**written: object) -> list[tuple[tuple[str | int, ...], str]]:
    """Return where each fault of the settings stands, and what is said of it."""
    with pytest.raises(ExceptionGroup) as caught:
        compile_policy(make_settings(**written))
    assert caught.value.message == "settings that cannot be used"
    faults = [fault for fault in caught.value.exceptions if isinstance(fault, UnusableSettingError)]
    assert len(faults) == len(caught.value.exceptions)
    assert [str(fault) for fault in faults] == [fault.message for fault in faults]
    return [(fault.path, fault.message) for fault in faults]


def test_all_unreadable_numbers_are_reported_at_once_each_with_its_place() -> None:
    assert faults_of(
        lists={
            "allow": [CALLER, "hello", "1900*"],
            "block": ["+1900*", {"number": "+*", "note": "everybody"}, "911", "+\u0661\u0662*", "2015550123"],
        }
    ) == [
        (
            ("lists", "allow", 1),
            "expected a telephone number of US or one that begins with +, not 'hello'",
        ),
        (("lists", "allow", 2), "expected a prefix in E.164 such as +1900*, not '1900*'"),
        (("lists", "block", 1), "expected a prefix in E.164 such as +1900*, not '+*'"),
        (("lists", "block", 2), "expected a telephone number of US or one that begins with +, not '911'"),
        (("lists", "block", 3), "expected a prefix in E.164 such as +1900*, not '+\u0661\u0662*'"),
    ]


def test_a_did_that_stands_in_two_spellings_is_a_fault_because_one_would_hide_the_other() -> None:
    assert faults_of(dids={DID: {"mode": "live"}, "(415) 555-0100": {"mode": "shadow"}, "100": {}}) == [
        (("dids", "(415) 555-0100"), "+14155550100 stands here twice, in two spellings")
    ]


def test_lists_are_kept_in_the_form_in_which_calls_are_compared() -> None:
    policy = make_policy(
        lists={
            "allow": ["(201) 555-0123", {"number": "201-555-0199", "did": "415-555-0100", "note": "sales"}],
            "block": ["+1900*", {"number": "+44*", "did": "100"}],
        }
    )

    assert policy.allow.find("+12015550123", None, 0.0) == Entry(number="+12015550123")
    assert policy.allow.find("+12015550199", DID, 0.0) == Entry(number="+12015550199", did=DID, note="sales")
    assert policy.block.find("+19005550100", None, 0.0) == Entry(number="+1900", kind=EntryKind.PREFIX)
    assert policy.block.find("+442079460958", "100", 0.0) == Entry(number="+44", kind=EntryKind.PREFIX, did="100")
    assert (len(policy.allow), len(policy.block)) == (2, 2)


def test_exempt_numbers_are_kept_as_written_and_in_e164() -> None:
    assert make_policy(never_screen={"numbers": ["911", "(201) 555-0123"]}).exempt == {
        "911",
        "(201) 555-0123",
        "+12015550123",
    }


STRICT = (Rung(score=1, treatment=Treatment.REJECT),)


def test_what_a_did_leaves_out_is_as_for_the_whole_policy() -> None:
    policy = make_policy(
        dids={
            "(415) 555-0100": {"mode": "shadow"},
            ANOTHER_DID: {"ladder": [{"score": 1, "treatment": "reject"}], "mailbox": "601@default"},
            "100": {"ladder": []},
        }
    )

    default = Line(mode=Mode.LIVE, ladder=DEFAULT_LADDER, mailbox=MAILBOX)
    assert policy.line(DID, 0.0) == Line(mode=Mode.SHADOW, ladder=DEFAULT_LADDER, mailbox=MAILBOX)
    assert policy.line(ANOTHER_DID, 0.0) == Line(mode=Mode.LIVE, ladder=STRICT, mailbox="601@default")
    assert policy.line("100", 0.0) == Line(mode=Mode.LIVE, ladder=(), mailbox=MAILBOX)
    assert policy.line("+14155550199", 0.0) == default
    assert policy.line("(415) 555-0100", 0.0) == default  # a call always brings the normal form


def test_the_bucket_has_the_size_that_the_settings_say() -> None:
    bucket = make_policy(bucket={"capacity": 5, "refill_per_hour": 60}).bucket

    assert (bucket.capacity, bucket.refill_per_hour) == (5, 60)


def test_the_version_names_the_policy() -> None:
    assert re.fullmatch("[0-9a-f]{8}", make_policy().version)
    assert make_policy().version == make_policy(bucket={"capacity": 3}).version


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "shadow"},
        {"region": "CH"},
        {"bucket": {"capacity": 4}},
        {"lists": {"block": [CALLER]}},
        {"lists": {"block": [{"number": CALLER, "note": "why"}]}},
        {"dids": {DID: {}}},
        {"captcha": {"digits": 3}},
    ],
)
def test_any_change_gives_another_version(changed: dict[str, object]) -> None:
    assert make_policy(**changed).version != make_policy().version


GOOD = st.sampled_from([CALLER, "+1900*", "tel:+12015550123", "+44 20 7946 0958"])
BAD = st.sampled_from(["hello", "**", "911", "12", "+1\u0662*", "1900*"])


@given(st.lists(GOOD, max_size=5), BAD, st.lists(GOOD | BAD, max_size=5))
@brief
def test_wherever_an_unreadable_entry_stands_it_is_named(before: list[str], bad: str, after: list[str]) -> None:
    assert faults_of(lists={"block": [*before, bad, *after]})[0][0] == ("lists", "block", len(before))
