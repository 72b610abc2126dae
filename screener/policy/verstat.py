"""What a trunk's provider says of a caller ID, in a parameter or a header of its own: no proof, but a word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from screener.policy.call import Attestation

INDICATORS: Final = (
    "P-Attestation-Indicator",
    "Attestation-Info",
    "X-Attestation-Info",
    "X-Twilio-VerStat",
    "SCREENER_ATTESTATION_HEADER",
)
"""The headers that are read, as the dialplan names them: of Bandwidth, Ribbon and others; of 3GPP TS 24.229 (7.2.18)
and Avaya's border controllers; of Verizon; of Twilio; and the one that the administrator
named in that global variable. Each holds A, B or C, or a verstat value."""

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"?')
_VERSTAT: Final = re.compile(r";\s*verstat\s*=\s*([A-Za-z-]{1,40})", re.IGNORECASE)
_PASSED: Final = re.compile(r"tn-validation-passed(?:-([abc]))?", re.IGNORECASE)
_FAILED: Final = re.compile(r"tn-validation-failed(?:-[abc])?", re.IGNORECASE)
_UNCHECKED: Final = "no-tn-validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the provider wrote, as it came."""

    asserted: Sequence[str] = ()
    """The P-Asserted-Identity headers."""
    sender: str = ""
    """The From header."""
    indicators: Mapping[str, str] = field(default_factory=dict)
    """Those of `INDICATORS` that came, by name."""
    origid: str = ""
    """P-Origination-ID or Origination-Id: the PASSporT's origid."""

    @property
    def verstat(self) -> str:
        """The first verstat of P-Asserted-Identity; From is asked only where there is none of these headers, because a
        provider that asserts an identity may hand on its caller's From as it is."""
        senders = self.asserted or (self.sender,)
        return next((found for sender in senders if (found := _verstat_of(sender))), "")


def level_told(said: Sequence[str], passed_means: Attestation) -> Attestation | None:
    """Return the level that values of verstat and of indicators add up to, or None if they say nothing that is known.

    A failure outweighs all else: an indicator beside it only repeats what the failed signature claimed. Then comes "not
    validated", for the same reason. Of two levels the lower counts, and a bare TN-Validation-Passed gets its level from
    an indicator if there is one.
    """
    levels: list[Attestation] = []
    bare = unchecked = False
    for value in said:
        if _FAILED.fullmatch(value):
            return Attestation.FAILED
        passed = _PASSED.fullmatch(value)
        if value.lower() == _UNCHECKED:
            unchecked = True
        elif value.upper() in ("A", "B", "C"):
            levels.append(Attestation(value.upper()))
        elif passed is not None:
            bare = bare or passed[1] is None
            levels += [Attestation(passed[1].upper())] if passed[1] else []
    if unchecked:
        return Attestation.NONE
    if levels:
        return min(levels, key=lambda level: level.rank)
    return passed_means if bare else None


def _verstat_of(header: str) -> str:
    """Return the verstat of a name-addr or addr-spec (RFC 3261, 20.10): a parameter of the user, the URI or the header.

    The display name is the caller's own text and may look like a parameter, so it goes first: quoted strings, and then
    whatever stands before the address.
    """
    _, bracket, address = _QUOTED.sub("", header).rpartition("<")
    found = _VERSTAT.search(address if bracket else _QUOTED.sub("", header))
    return found[1] if found else ""
