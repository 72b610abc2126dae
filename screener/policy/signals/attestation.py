"""Attestation: what STIR/SHAKEN says of the caller ID (RFC 8224, RFC 8225, RFC 8588, ATIS-1000074)."""

from typing import Final

from screener.policy.call import Attestation, Call
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding

_SAID: Final = {
    Attestation.NONE: "the caller ID is not signed",
    Attestation.FAILED: "the caller ID is signed, but the signature did not verify",
}


def attestation(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Points by level; a signature that another call has just used proves nothing. Why nobody vouches for a call that
    brought something is said without points."""
    level = call.attestation
    points = policy.settings.signals.attestation.points.get(level, 0)
    if level is Attestation.NONE and not points and not call.attestation_why:
        return None
    if remembered.reused:
        return points, "the caller ID is signed, but with a signature that another call has just used"
    said = call.attestation_why or _SAID.get(level, f"the caller ID is signed with attestation {level}")
    return points, said
