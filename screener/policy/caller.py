"""Who calls: one normalised number, or the named class of a call that brings none."""

import functools
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

from screener.policy.text import printable

RAW_LIMIT = 80
"""Characters kept of the number as it came. Asterisk itself cuts a caller number at 79 (measured on 22.10)."""

NORMALISED_CACHE = 4096
"""Numbers whose normal form is kept at hand: a parse costs some 30 µs, a burst repeats one number."""

READINGS = 4
"""How often a number is read until its normal form reads as itself; one that never does is malformed. Numbering
plans drop one leading zero at each reading, so `0029731698` (Australia) needs three: without them an entry copied
from the journal to a list would name another number than the one it was copied from."""

SHORTEST_INTERNATIONAL = 9
"""Digits, the country code among them, below which a number without `+` is taken for an extension or a mistake."""

LONGEST = 15
"""Digits of an E.164 number at most. The library knows plans with longer ones; no such number crosses a border."""

_DIGITS = re.compile(r"\+?[0-9]{1,20}", re.ASCII)
_SCHEME = re.compile(r"\Atel:", re.ASCII | re.IGNORECASE)
_PUNCTUATION = str.maketrans("", "", " -.()/")
_NO_NUMBER = frozenset({"", "anonymous", "unknown", "private", "restricted", "unavailable", "withheld", "asterisk"})


class CallerKind(StrEnum):
    """What the calling number is."""

    NUMBER = "number"
    """A possible number of some numbering plan, in E.164."""
    WITHHELD = "withheld"
    """No number was sent, or its presentation is prohibited."""
    MALFORMED = "malformed"
    """Something was sent that no numbering plan knows: letters, control characters, an impossible length."""
    FOREIGN_SCRIPT = "foreign-script"
    """Digits or letters outside ASCII. Python's `str.isdigit` takes Arabic digits for digits; a PBX must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller as the policy and the memory know it."""

    kind: CallerKind
    key: str
    """What memory is keyed by: E.164 for a number, the class's name (or a keyed hash) for the rest."""
    personal: bool
    """True where the key belongs to one caller. Only such a key can earn trust: all withheld callers share
    one key, and one passed captcha must not open the door for all of them."""
    raw: str
    """The number as it came, made printable; empty for a withheld one, which is neither shown nor stored."""

    @property
    def label(self) -> str:
        """What to show a person: the E.164 number, or the class and what was sent."""
        if self.kind is CallerKind.NUMBER:
            return self.key
        return f"{self.kind} {self.raw!r}" if self.raw else str(self.kind)


def identify(raw: str, *, prohibited: bool, region: str, pepper: bytes) -> Caller:
    """Name the caller behind the number `raw` that the PBX reports.

    `prohibited` says that the presentation of the number is prohibited; `region` is the ISO 3166 country whose
    numbering plan reads numbers without a country code; `pepper` is a secret that keys the hash under which a
    prohibited number is remembered without being stored.
    """
    if prohibited or raw.strip().lower() in _NO_NUMBER:
        return _withheld(raw, region, pepper)
    shown = printable(raw, RAW_LIMIT)
    if not raw.isascii():
        return _nameless(CallerKind.FOREIGN_SCRIPT, shown)
    number = e164(raw, region)
    if number is None:
        return _nameless(CallerKind.MALFORMED, shown)
    return Caller(kind=CallerKind.NUMBER, key=number, personal=True, raw=shown)


def e164(raw: str, region: str) -> str | None:
    """Return the number in E.164 (ITU-T E.164: `+`, country code, at most 15 digits), or None if it is none.

    Every spelling of one number gives the same answer: `tel:` and parameters (RFC 3966), punctuation, national
    form, international prefix (00, 011) or `+`.
    """
    if len(raw) > RAW_LIMIT or not raw.isascii():
        return None
    text = _SCHEME.sub("", raw.strip()).partition(";")[0].translate(_PUNCTUATION)
    if not _DIGITS.fullmatch(text):
        return None
    return _parse(text, region) or _without_plus(text)


@functools.lru_cache(maxsize=NORMALISED_CACHE)
def _without_plus(text: str) -> str | None:
    """Read what is no number of the region as an international one whose `+` the trunk left out, as many do.

    It must be a number that exists: nearly any digits are a possible one of some country.
    """
    if text.startswith(("+", "0")) or len(text) < SHORTEST_INTERNATIONAL:
        return None
    try:
        number = phonenumbers.parse(f"+{text}")
    except phonenumbers.NumberParseException:
        return None
    return _parse(f"+{text}", "ZZ") if phonenumbers.is_valid_number(number) else None


@functools.lru_cache(maxsize=NORMALISED_CACHE)
def _parse(text: str, region: str) -> str | None:
    for _ in range(READINGS):
        read = _read(text, region)
        if read is None or read == text:
            return read
        text = read
    return None


def _read(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if len(written) <= 1 + LONGEST else None


def _withheld(raw: str, region: str, pepper: bytes) -> Caller:
    number = e164(raw, region)
    if number is None:
        return _nameless(CallerKind.WITHHELD, "")
    # The trunk told the number although the caller asked to hide it (RFC 3325): rates need an identity, but
    # nothing may show or store the number, so the identity is a keyed hash.
    hashed = hashlib.blake2b(number.encode(), key=pepper[:64], digest_size=12).hexdigest()
    return Caller(kind=CallerKind.WITHHELD, key=f"withheld:{hashed}", personal=True, raw="")


def _nameless(kind: CallerKind, shown: str) -> Caller:
    return Caller(kind=kind, key=str(kind), personal=False, raw=shown)
