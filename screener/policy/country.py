"""The country that a number belongs to, as far as the numbering plan tells."""

import functools
from typing import Final

import phonenumbers

KEPT: Final = 4096
"""Numbers whose country is kept at hand: where a calling code is shared, finding it costs some 30 µs."""
LONGEST_CODE: Final = 3
"""Digits of a calling code at most. None is the beginning of another (ITU-T E.164)."""


def is_country(code: str) -> bool:
    """Return whether these are a country's two letters (ISO 3166) that has a numbering plan."""
    return code in phonenumbers.SUPPORTED_REGIONS


@functools.lru_cache(maxsize=KEPT)
def country_of(number: str) -> str:
    """Return the country (ISO 3166, two letters) of a number in E.164, or an empty string if it has none.

    Where countries share a calling code (+1, +7, +44 ...), the number's own range tells which; one that lies in no
    range that was given out counts for the largest of them, since that is what it claims to be.
    """
    if not (number.startswith("+") and number[1:].isascii() and number[1:].isdigit()):
        return ""
    sharing = next(
        (regions for length in range(1, LONGEST_CODE + 1) if (regions := _regions(number[1 : 1 + length]))), ()
    )
    if len(sharing) > 1:
        try:
            own = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException:
            own = None
        return own or sharing[0]
    # "001" stands for codes that no country has: satellites, toll-free numbers of the whole world.
    return sharing[0] if sharing and sharing[0] != "001" else ""


def _regions(code: str) -> tuple[str, ...]:
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code else ()
