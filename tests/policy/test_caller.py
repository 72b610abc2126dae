"""Who calls: one key for each number, however it is spelled, and none for who brings no number."""

import re
import unicodedata

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screener.policy.caller import Caller, CallerKind, e164, identify
from tests.policy.builders import PEPPER, brief, make_caller, thorough

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
FORMATS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
]
TYPES = [
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.VOIP,
]
E164 = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=100) | st.text(
    st.sampled_from("0123456789+-;: ()\0\r\n\x1b\u202e\ud800\u0661\u06f1\uff11aA"), max_size=100
)
DIALLED = st.from_regex(r"\+?(00|011|0|1)?[0-9]{1,15}", fullmatch=True)


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    """Return the library's example numbers of a region, of several types."""
    found = [phonenumbers.example_number_for_type(region, of_type) for of_type in TYPES]
    return [number for number in found if number is not None]


@pytest.mark.parametrize("region", REGIONS)
def test_every_spelling_of_a_number_at_home_has_one_key(region: str) -> None:
    for number in examples(region):
        spellings = {phonenumbers.format_number(number, written) for written in FORMATS}
        keys = {make_caller(spelling, region=region).key for spelling in spellings}
        assert keys == {f"+{number.country_code}{phonenumbers.national_significant_number(number)}"}


@pytest.mark.parametrize("home", ["US", "GB", "CH", "AU", "JP", "SG"])  # 011, 00, 00, 0011, 010, 001 ...
def test_a_foreign_number_dialled_through_the_international_prefix_has_the_key_of_its_plus_form(home: str) -> None:
    for region in REGIONS:
        for number in examples(region)[:1]:
            dialled = phonenumbers.format_out_of_country_calling_number(number, home)
            plus = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert (region, make_caller(dialled, region=home).key) == (region, plus)


@pytest.mark.parametrize(
    "raw",
    [
        "+12015550123",
        "12015550123",
        "2015550123",
        "(201) 555-0123",
        "+1 201.555.0123",
        "+1 (201) 555/0123",
        "  +12015550123 ",
        "+12015550123\r\n",
        "tel:+1-201-555-0123",
        "TEL:+12015550123",
        "tel:2015550123;phone-context=+1",
        "+12015550123;ext=5",
        "+12015550123;verstat=TN-Validation-Passed",
        "01112015550123",
    ],
)
def test_an_american_number_has_one_key_in_every_spelling_that_trunks_send(raw: str) -> None:
    assert make_caller(raw).key == "+12015550123"


@pytest.mark.parametrize(
    ("region", "raw", "key"),
    [
        ("CH", "044 668 18 00", "+41446681800"),
        ("CH", "0041446681800", "+41446681800"),
        ("CH", "41446681800", "+41446681800"),
        ("US", "01141446681800", "+41446681800"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("AR", "011 15-2345-6789", "+5491123456789"),
        ("DE", "+49 (0)30 123456", "+4930123456"),
    ],
)
def test_each_plan_has_its_own_zeros(region: str, raw: str, key: str) -> None:
    assert make_caller(raw, region=region).key == key


@pytest.mark.parametrize(
    "raw",
    [
        "hello",
        "1-800-FLOWERS",
        "sip:2015550123@example.com",
        "2015550123@example.com",
        "(201) 555-0123 ext 5",
        "201555x0123",
        "+",
        "++12015550123",
        "+1+2015550123",
        "tel:",
        ";ext=5",
        "-",
        "*67",
        "#",
        "1",
        "100",
        "911",
        "000",
        "+999123456789",
        "0041446681800",  # 00 is not how the United States dial abroad
        "123456789012345678901",
        "2015550123" * 9,
        "201555\x000123",
        "\x00",
        "\x1b[2J",
        "2015550123\r\nX-Injected: 1",
        "' OR 1=1 --",
        "<script>",
    ],
)
def test_what_no_plan_knows_is_malformed_and_nobody_s_key(raw: str) -> None:
    caller = make_caller(raw)

    assert (caller.kind, caller.key, caller.personal) == (CallerKind.MALFORMED, "malformed", False)


@pytest.mark.parametrize(
    "raw", ["\u0662\u0660\u0661\u0665\u0665\u0665", "\uff0b\uff11", "+1201555012\u0663", "M\u00fcller", "\u202e321"]
)
def test_arabic_and_full_width_digits_are_not_dialled(raw: str) -> None:
    caller = make_caller(raw)

    assert (caller.kind, caller.key, caller.personal) == (CallerKind.FOREIGN_SCRIPT, "foreign-script", False)


@pytest.mark.parametrize("raw", ["", " ", "anonymous", "Anonymous", "UNKNOWN", "private", "asterisk", "Restricted "])
def test_who_sends_no_number_is_withheld_and_nobody_s_key(raw: str) -> None:
    assert make_caller(raw) == Caller(kind=CallerKind.WITHHELD, key="withheld", personal=False, raw="")


def test_a_local_number_without_its_area_code_is_a_caller_of_its_own() -> None:
    # Analogue trunks send them. The key has too few digits to be another caller's.
    assert make_caller("555-0123") == Caller(kind=CallerKind.NUMBER, key="+15550123", personal=True, raw="555-0123")


@pytest.mark.parametrize(
    ("region", "raw", "key"),
    [
        ("AU", "0029731698", "+6129731698"),  # three readings: +61029731698 is none of its own
        ("AE", "00030123456", "+97130123456"),  # four readings, the most there are
        ("AE", "000030123456", None),
        ("JP", "813183445946523", None),  # possible in Japan, too long for E.164
    ],
)
def test_a_normal_form_reads_as_itself_or_there_is_none(region: str, raw: str, key: str | None) -> None:
    assert e164(raw, region) == key


@given(DIALLED, st.sampled_from(REGIONS), st.sampled_from(REGIONS))
@example("0029731698", "AU", "US")
@thorough
def test_a_key_copied_from_the_journal_to_a_list_names_the_same_caller_anywhere(
    dialled: str, region: str, other: str
) -> None:
    key = e164(dialled, region)

    if key is not None:
        assert E164.fullmatch(key)
        assert e164(key, region) == key
        assert e164(key, other) == key


@given(
    st.lists(st.sampled_from(["", " ", "-", ".", "(", ")", "/", " - "]), min_size=13, max_size=13),
    st.sampled_from(["", "tel:", "Tel:"]),
    st.sampled_from(["", ";ext=12", ";phone-context=example.com", ";isub=1;x=y", ";"]),
)
@brief
def test_punctuation_and_parameters_do_not_make_another_caller(between: list[str], scheme: str, rest: str) -> None:
    spelled = "".join(a + b for a, b in zip(between, "+12015550123", strict=False))

    assert make_caller(f"{scheme}{spelled.lstrip()}{rest}").key == "+12015550123"


@given(ANY_TEXT, st.booleans(), st.sampled_from(["US", "CH", "JP", "AR"]))
@example("\x1b[2J\r\n\x00", False, "US")
@example("\ud800", True, "US")
@example("\u0661" * 12, False, "US")
@example("\u3164\u200b\u202e", False, "US")
@thorough
def test_any_text_is_some_caller_with_something_printable_to_show(raw: str, prohibited: bool, region: str) -> None:
    caller = identify(raw, prohibited=prohibited, region=region, pepper=PEPPER)

    assert len(caller.raw) <= 80
    assert not any(unicodedata.category(c) in HIDDEN for c in caller.raw)
    assert caller.label
    assert (caller.kind is CallerKind.NUMBER) == bool(E164.fullmatch(caller.key))
    # Personal is who sent a number that some plan knows, shown or hidden; nobody else earns anything.
    assert caller.personal == (e164(raw, region) is not None)
    if not caller.personal:
        assert caller.key == str(caller.kind)


@given(st.sampled_from(["CH", "US"]), st.from_regex(r"(\+1|\+41|0|1)?[2-9][0-9]{8,9}", fullmatch=True))
@brief
def test_a_prohibited_number_is_nowhere_in_what_is_kept(region: str, raw: str) -> None:
    caller = make_caller(raw, prohibited=True, region=region)
    plus = e164(raw, region)

    assert caller.kind is CallerKind.WITHHELD
    assert raw.lstrip("+01")[:8] not in repr(caller)
    if plus is not None:
        assert plus[-8:] not in f"{caller!r} {caller.label}"


def test_a_prohibited_number_is_one_caller_in_every_spelling_and_is_not_who_shows_that_number() -> None:
    hidden = {make_caller(raw, prohibited=True).key for raw in ("+12015550123", "(201) 555-0123", "tel:12015550123")}

    assert hidden == {"withheld:2009494f51e3128173ae4783"}


def test_a_prohibited_number_is_another_key_at_another_installation() -> None:
    here, there = make_caller(prohibited=True), make_caller(prohibited=True, pepper=b"another secret" * 9)

    assert here.personal
    assert here.key != there.key


@pytest.mark.parametrize("raw", ["", "anonymous", "hello", "\u0661\u0662\u0663", "sip:a@b"])
def test_a_prohibited_text_is_dropped_altogether(raw: str) -> None:
    assert make_caller(raw, prohibited=True) == Caller(kind=CallerKind.WITHHELD, key="withheld", personal=False, raw="")


@pytest.mark.parametrize(
    ("raw", "prohibited", "label"),
    [
        ("(201) 555-0123", False, "+12015550123"),
        ("+12015550123", True, "withheld"),
        ("", False, "withheld"),
        ("hello\x1b", False, "malformed 'hello\ufffd'"),
        ("\u0661\u0662", False, "foreign-script '\u0661\u0662'"),
    ],
)
def test_a_person_is_shown_the_number_or_what_was_sent_instead(raw: str, prohibited: bool, label: str) -> None:
    assert make_caller(raw, prohibited=prohibited).label == label


def test_of_an_endless_caller_id_eighty_characters_are_kept() -> None:
    assert make_caller("x" * 10_000).raw == "x" * 80
