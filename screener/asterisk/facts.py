"""From Asterisk's event to the facts of a call: the edge at which a stranger's text is cleaned."""

import re
from typing import Final

from screener.asterisk.events import CallEntered
from screener.policy.call import Attestation, Call, called_number
from screener.policy.caller import identify
from screener.policy.text import printable

NAME_LIMIT: Final = 80
"""Characters kept of a caller's name; Asterisk itself cuts it at 79."""

_TRUNK = re.compile(r"[^/]+/(?P<endpoint>.+)-[0-9a-f]{8}(;[12])?")
_NOT_DIALLED = re.compile(r"[^0-9A-Za-z+*#]")
_UNSIGNED = frozenset({"missing_identity_hdr", "disabled"})
"""Results of a call that nobody signed, or that Asterisk was told not to verify (res_stir_shaken/verification.c)."""
_LANGUAGE = re.compile(r"[A-Za-z]{2}([_-][A-Za-z]{2})?")


def read_call(entered: CallEntered, *, region: str, pepper: bytes) -> Call:
    """Return the facts of the call that entered; `region` and `pepper` are as for `identify`."""
    channel, facts = entered.channel, entered.facts
    # Presentation as CALLERID(num-pres) names it: prohib_not_screened, unavailable, ...
    prohibited = facts.get("pres", "").startswith(("prohib", "unavailable"))
    trunk = _TRUNK.fullmatch(channel.name)
    dialled = _NOT_DIALLED.sub("", facts.get("did") or channel.exten)[:NAME_LIMIT]
    return Call(
        id=channel.id,
        caller=identify(channel.number, prohibited=prohibited, region=region, pepper=pepper),
        did=called_number(dialled, region),
        # Who hides the number does not want to be named either.
        name="" if prohibited else printable(channel.caller_name, NAME_LIMIT),
        trunk=printable(trunk["endpoint"], NAME_LIMIT) if trunk else "",
        attestation=_attestation(facts.get("attest", ""), facts.get("verify", "")),
        language=channel.language if _LANGUAGE.fullmatch(channel.language) else "en",
        diversion=_NOT_DIALLED.sub("", facts.get("diversion", ""))[:NAME_LIMIT],
    )


def _attestation(level: str, verify_result: str) -> Attestation:
    """With a wrong originating number Asterisk still reports level A: only `verify_result` makes it count."""
    if (not level and not verify_result) or verify_result in _UNSIGNED:
        return Attestation.NONE
    if verify_result != "success":
        return Attestation.FAILED
    return {"A": Attestation.A, "B": Attestation.B, "C": Attestation.C}.get(level, Attestation.FAILED)
