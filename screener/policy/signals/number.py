"""Number: what is wrong with the caller ID itself, by its numbering plan and by our own numbers.

The ranges are those of libphonenumber, which follows the regulators. Of unwanted calls to a honeypot 3 % showed the
NPA-NXX of the line that they called (Prasad et al., USENIX Security 2020): few, and almost none of ours.
"""

from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from screener.policy.numbering import plan
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding


def withheld(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller hides the number."""
    if call.caller.kind is not CallerKind.WITHHELD:
        return None
    return policy.settings.signals.number.withheld, "the caller withholds the number"


def malformed(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller ID is no number: letters, control characters, an impossible length."""
    if call.caller.kind is not CallerKind.MALFORMED:
        return None
    text = f"the caller ID {call.caller.raw!r} is not a number of any numbering plan"
    return policy.settings.signals.number.malformed, text


def foreign_script(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller ID is written in another script than the digits 0 to 9."""
    if call.caller.kind is not CallerKind.FOREIGN_SCRIPT:
        return None
    text = f"the caller ID {call.caller.raw!r} holds characters that no telephone can dial"
    return policy.settings.signals.number.foreign_script, text


def unassigned(call: Call, _remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The number lies in a range that belongs to nobody."""
    if call.caller.kind is not CallerKind.NUMBER or plan(call.caller.key).assigned:
        return None
    text = f"{call.caller.key} lies in a range that the numbering plan gives to nobody"
    return policy.settings.signals.number.unassigned, text


def premium(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """Calling the number back costs extra (wangiri)."""
    if call.caller.kind is not CallerKind.NUMBER or not remembered.stranger or not plan(call.caller.key).premium:
        return None
    return policy.settings.signals.number.premium, f"{call.caller.key} is a premium number: calling it back costs extra"


def own_number(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The caller ID is one of our own: spoofed for certain."""
    if not (remembered.ours or policy.owns(call.caller.key)):
        return None
    text = f"{call.caller.key} is one of our own numbers, so it is spoofed"
    return policy.settings.signals.number.own_number, text


def neighbour(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """A stranger's number shares its block with the DID that it calls, to look like a neighbour's.

    An attestation A shows that it is a neighbour's: only the owner's carrier may give it (ATIS-1000074).
    """
    if call.caller.kind is not CallerKind.NUMBER or not remembered.stranger or call.attestation is Attestation.A:
        return None
    if not call.did.startswith("+") or remembered.near:
        return None
    block = plan(call.did).block
    if not call.caller.key.startswith(block) or len(call.caller.key) != len(call.did):
        return None
    text = f"the number begins with {block} like the one that it calls, and no attestation A shows that it is real"
    return policy.settings.signals.number.neighbour, text


def country(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The number belongs to a country from which nobody is expected."""
    settings = policy.settings.signals.number
    if not settings.countries or call.caller.kind is not CallerKind.NUMBER or not remembered.stranger:
        return None
    region = plan(call.caller.key).region
    if not region or region in settings.countries:
        return None
    return (
        settings.country,
        f"the number belongs to {region}, and calls are expected from {', '.join(settings.countries)}",
    )
