"""One call, as far as it is known when somebody must decide: the facts, and nothing that was concluded."""

from dataclasses import dataclass
from enum import StrEnum

from screener.policy.caller import Caller, e164


class Attestation(StrEnum):
    """What STIR/SHAKEN says of the caller ID (ATIS-1000074: full, partial, gateway), after verification."""

    A = "A"
    B = "B"
    C = "C"
    NONE = "none"
    """The call was not signed, or nothing on its way told us."""
    FAILED = "failed"
    """It was signed and the signature did not verify. Asterisk still reports the level then, so a level counts
    only beside a `verify_result` of success."""

    @property
    def rank(self) -> int:
        """How much it proves, for comparing: 3 the caller ID is the caller's own, 0 nothing, -1 worse than that."""
        return {"A": 3, "B": 2, "C": 1, "none": 0}.get(self.value, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The facts of one call."""

    id: str
    """Asterisk's unique id of the channel."""
    caller: Caller
    did: str
    """The number that was called: E.164 where the numbering plan knows it, the dialled digits otherwise."""
    name: str = ""
    """The caller's name, made printable. It is a stranger's text: shown, never believed."""
    trunk: str = ""
    """The endpoint that the call came in by (`trunk` of the channel PJSIP/trunk-00000001)."""
    attestation: Attestation = Attestation.NONE
    attestation_why: str = ""
    """Why it is that, in a sentence; empty where the call brought nothing that could vouch for it."""
    language: str = "en"
    """The channel's language, which chooses the prompts."""
    diversion: str = ""
    """The number that forwarded the call to us, where one did; digits only."""
    signer: str = ""
    """Who signed the caller ID: the host of the certificate's address (`x5u`) and the `origid` of the PASSporT
    (RFC 8588), made printable; empty if unsigned."""
    identity: str = ""
    """A hash of the PASSporT, by which one that is used a second time is recognised; empty if unsigned."""


def called_number(dialled: str, region: str) -> str:
    """Return the DID in the one form in which configuration and calls are compared."""
    return e164(dialled, region) or dialled
