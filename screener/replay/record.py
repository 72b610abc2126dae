"""One call as the PBX recorded it, whatever the record's format was."""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from screener.policy.call import Attestation

LONGEST_CALL: Final = 30 * 86_400.0
"""Seconds. A longer duration is a fault of the record."""

LOCAL: Final = "Local/"
"""The endpoint of a call's leg inside the PBX (chan_local): no endpoint has a slash in its name."""

_VOICEMAIL: Final = frozenset({"voicemail", "voicemailmain", "minivmrecord", "minivmgreet", "record"})
_CONNECTS: Final = frozenset({
    "", "dial", "appdial", "appdial2", "queue", "appqueue", "bridge", "bridgewait", "confbridge", "followme", "meetme",
    "page", "park", "parkedcall", "pickup", "pickupchan", "retrydial",
})  # fmt: skip
"""Applications behind which there is a person; the empty name is a record that does not tell."""
_LETTERS: Final = re.compile(r"(?:\A|[^a-z])([abc])\Z")
_PAIRS: Final = re.compile(r"([A-Za-z_-]+)=([^;,|&]*)")
_LEVELS: Final = frozenset({"attest", "attestation", "verstat", "stir"})
_RESULTS: Final = frozenset({"verify", "verify_result"})
_UNSIGNED: Final = frozenset({"missing_identity_hdr", "disabled", "none", "no-tn-validation", "not_signed", "unsigned"})
_VERIFIED: Final = frozenset({"success", "passed", "tn-validation-passed", "ok", "valid", "verified"})


class Label(StrEnum):
    """What somebody who knows says of a call."""

    WANTED = "wanted"
    SPAM = "spam"


class CallRecord(NamedTuple):
    """One row, or all rows of one call put together. (A tuple: a million of them go in and out of a table.)"""

    start: float
    """Seconds since the epoch."""
    written: str
    """The start as the record has it."""
    ended: float
    """Seconds since the epoch."""
    talked: float
    """Seconds that the caller was connected to a person; 0 for voicemail and for announcements."""
    busy: bool
    """The called people were busy."""
    src: str
    """The calling number, as it was recorded; empty if withheld."""
    dst: str
    """What was called, as it was recorded."""
    did: str
    """The number that the caller had dialled, where the record tells it apart from `dst`; otherwise empty."""
    name: str
    """The caller's name, as it was recorded."""
    context: str
    """The dialplan context in which the call was when it ended."""
    endpoint: str
    """Where the call came in: the `trunk` of PJSIP/trunk-00000001; empty if the record does not tell."""
    uniqueid: str
    linkedid: str
    attestation: str
    """A member of `Attestation`."""
    label: str
    """A member of `Label`, or empty."""
    caller: str = ""
    """The key under which memory knows a caller who hid the number, from our own journal; otherwise empty."""

    @property
    def called(self) -> str:
        """The number that the caller dialled."""
        return self.did or self.dst


def conversation(billsec: float, *, answered: bool, lastapp: str, connected: bool) -> float:
    """Return how many of the answered seconds were spent with a person.

    `connected` is whether the record names a second channel. A mailbox and a menu answer too, and are nobody.
    """
    app = lastapp.lower()
    if not answered or app in _VOICEMAIL:
        return 0.0
    return billsec if connected or app in _CONNECTS else 0.0


def endpoint_of(channel: str) -> str:
    """Return the `trunk` of `PJSIP/trunk-00000001`, `LOCAL` for a channel that leads nowhere outside, or nothing."""
    if channel.startswith("Local/"):
        return LOCAL
    return channel.partition(";")[0].rpartition("-")[0].partition("/")[2]


def name_of(clid: str) -> str:
    """Return the name in `"Ann Lee" <+15551234567>`; a number that stands there for a name is none."""
    quoted, _, number = clid.rpartition("<")
    name = quoted.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if "\\" in name:
        # Asterisk puts them before each quotation mark, and before each of them when it writes a CDR.
        name = name.replace("\\", "")
    return "" if name == number.rstrip("> ") else name


def attestation(level: str, result: str = "") -> str:
    """Return the attestation that a record tells of by its level (`A`, `TN-Validation-Passed-A`) and the result of
    the verification (`success`); a level whose verification failed is no level."""
    level, result = level.strip().lower(), result.strip().lower()
    if (not level and not result) or level in _UNSIGNED or result in _UNSIGNED:
        return Attestation.NONE.value
    if "fail" in level or (result and result not in _VERIFIED):
        return Attestation.FAILED.value
    letter = _LETTERS.search(level)
    if letter:
        return letter[1].upper()
    # Verified, and nobody said how well: not more than that the caller is a customer of somebody.
    return Attestation.B.value if level in _VERIFIED else Attestation.NONE.value


def attestation_in(userfield: str) -> str:
    """Return the attestation in a userfield such as `attest=A;verify=success`."""
    if "=" not in userfield:
        return Attestation.NONE.value
    level = result = ""
    for key, value in _PAIRS.findall(userfield):
        name = key.lower()
        if name in _LEVELS:
            level = value
        elif name in _RESULTS:
            result = value
    return attestation(level, result)
