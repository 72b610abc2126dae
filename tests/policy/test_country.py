"""The country of a number, also where countries share a calling code."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.country import country_of, is_country
from tests.policy.builders import brief


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+2348031234567", "NG"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),  # wangiri's favourite looks like any American number
        ("+442079460958", "GB"),
        ("+441534123456", "JE"),
        ("+390669812345", "VA"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        ("+15550000000", "US"),  # nobody's number, which claims to be American
        ("+80012345678", ""),  # toll-free, the world over
        ("+870773111632", ""),  # a satellite
        ("+9990000000", ""),
        ("+", ""),
        ("+1", "US"),
        ("withheld", ""),
        ("", ""),
        ("+\u0661\u0662", ""),
    ],
)
def test_a_number_belongs_to_the_country_of_its_range(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize("code", ["UK", "ng", "001", "", "N", "ZZ"])
def test_what_is_no_country_is_none(code: str) -> None:
    assert not is_country(code)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_short_way_by_the_calling_code_finds_what_the_numbering_plans_say(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    assert is_country(region)
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert country_of(number) == phonenumbers.region_code_for_number(example)


@given(st.text("0123456789", max_size=15))
@brief
def test_any_digits_have_a_country_or_none(digits: str) -> None:
    country = country_of(f"+{digits}")

    assert not country or is_country(country)
