"""What numbering plans tell of a number."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.numbering import plan
from tests.policy.builders import thorough


@pytest.mark.parametrize(
    ("number", "block", "thousand"),
    [
        ("+12125550123", "+1212555", "+12125550"),
        ("+41446681800", "+4144668", "+41446681"),
        ("+442079460958", "+44207946", "+442079460"),
    ],
)
def test_blocks_are_cut_as_numbers_are_given_out(number: str, block: str, thousand: str) -> None:
    assert (plan(number).block, plan(number).thousand) == (block, thousand)


@pytest.mark.parametrize("called", ["+", "+*7#", "+1+cmd", "+abc", "+1" + "2" * 40, "+0", "+999"])
def test_what_a_caller_dials_may_be_no_number_and_belongs_to_nobody(called: str) -> None:
    found = plan(called)

    assert not found.assigned
    assert not found.region


def test_a_block_never_reaches_into_the_area_code() -> None:
    short = plan("+49891234")

    assert (short.block, short.thousand) == ("+4989", "+49891")


@pytest.mark.parametrize(
    ("number", "region", "assigned", "premium"),
    [
        ("+12125550123", "US", True, False),
        ("+14165550123", "CA", True, False),
        ("+12644611234", "AI", True, False),
        ("+12642210000", "", False, False),
        ("+15551234567", "", False, False),
        ("+19002345678", "US", True, True),
        ("+41900123456", "CH", True, True),
        ("+870773110600", "", True, False),
    ],
)
def test_whose_number_it_is_and_what_it_costs(number: str, region: str, assigned: bool, premium: bool) -> None:
    found = plan(number)

    assert (found.region, found.assigned, found.premium) == (region, assigned, premium)


@pytest.mark.parametrize(
    "written", ["+", "+1", "+12", "+abc", "+999123", "+0301234567", "+1abcdefghij", "+99999999999999"]
)
def test_what_only_begins_like_a_number_is_nobody_s(written: str) -> None:
    found = plan(written)

    assert (found.region, found.premium) == ("", False)
    assert written.startswith(found.block)
    assert written.startswith(found.area)


@given(st.integers(2 * 10**9, 10**10 - 1))
@thorough
def test_the_short_way_for_north_america_agrees_with_the_long_one(digits: int) -> None:
    number = f"+1{digits}"
    kind = phonenumbers.number_type(phonenumbers.parse(number))

    assert plan(number).assigned is (kind != phonenumbers.PhoneNumberType.UNKNOWN)
    assert plan(number).premium is (kind == phonenumbers.PhoneNumberType.PREMIUM_RATE)
