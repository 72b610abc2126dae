"""What numbering plans tell of a number: whether anybody can own it, what it costs, whose neighbour it is."""

import functools
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

KEPT: Final = 65_536
"""Numbers whose plan is kept at hand: looking one up costs some 30 µs, and regular callers come again."""
SUBSCRIBER: Final = 4
"""Digits of a number behind its block: the ten thousand numbers of a North American NPA-NXX, and of most European
exchanges."""
NORTH_AMERICAN: Final = 12
"""Characters of a North American number: `+1`, area code, exchange and four digits."""
NPA: Final = 5
"""Characters of `+1` and an area code."""
THOUSAND: Final = 3
"""Digits behind a thousand block: since number pooling (FCC 00-104) the unit in which carriers are given numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One number in its numbering plan."""

    region: str
    """ISO 3166 country; empty where the number belongs to none (satellites, or nobody)."""
    assigned: bool
    """False if the number lies in no range that the plan gives to anybody."""
    premium: bool
    """True if calling it back costs extra: premium rate and shared cost."""
    area: str
    """The beginning that it shares with the numbers of its area, or of its mobile network."""
    block: str
    """The beginning that it shares with the ten thousand numbers around it (NPA-NXX in North America)."""
    thousand: str
    """The beginning that it shares with the thousand numbers around it."""


@functools.lru_cache(maxsize=KEPT)
def plan(number: str) -> Plan:
    """Return what the numbering plan knows of a number in E.164 (`+` and digits).

    The ranges are those of Google's libphonenumber, which follows the national regulators. What only begins like a
    number (`+999123`, a DID as some trunk writes it) is nobody's, and its own block.
    """
    if number.startswith("+1") and len(number) == NORTH_AMERICAN and number[1:].isdigit():
        block = number[:-SUBSCRIBER]
        region = _north_american(block)
        if region in ("", "US", "CA"):  # the plans of the islands look at the last four digits too
            return Plan(
                region=region,
                assigned=bool(region),
                premium=bool(region) and number.startswith("+1900"),
                area=number[:NPA],
                block=block,
                thousand=number[:-THOUSAND],
            )
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        # A called number is whatever the caller's INVITE and the dialplan let through: +1*7# too.
        return Plan(region="", assigned=False, premium=False, area=number, block=number, thousand=number)
    region = phonenumbers.region_code_for_number(parsed) or ""
    kind = phonenumbers.number_type(parsed)
    # A block never reaches into the area code: a short national number has fewer digits behind it.
    country = len(str(parsed.country_code)) + 1
    area = phonenumbers.length_of_national_destination_code(parsed) or 2
    return Plan(
        region="" if region == "001" or kind == PhoneNumberType.UNKNOWN else region,
        assigned=kind != PhoneNumberType.UNKNOWN,
        premium=kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST),
        area=number[: country + area],
        block=number[: max(len(number) - SUBSCRIBER, country + area)],
        thousand=number[: max(len(number) - THOUSAND, country + area)],
    )


@functools.lru_cache(maxsize=KEPT)
def _north_american(block: str) -> str:
    """Return the country of an NPA-NXX, empty if it is nobody's.

    By the block, because there each question walks through the plans of 25 countries.
    """
    return phonenumbers.region_code_for_number(phonenumbers.parse(f"{block}2368")) or ""
