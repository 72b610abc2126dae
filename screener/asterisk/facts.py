"""From Asterisk's event to the facts of a call: the edge at which a stranger's text is cleaned."""

import base64
import re
from collections.abc import Mapping
from typing import Final

from screener.asterisk.events import CallEntered
from screener.policy.call import Call, called_number
from screener.policy.caller import e164, identify
from screener.policy.passport import Leg, Verification, vouch
from screener.policy.text import printable
from screener.policy.trunks import AttestationSettings
from screener.policy.verstat import INDICATORS, Told

NAME_LIMIT: Final = 80
"""Characters kept of a caller's name; Asterisk itself cuts it at 79."""
VERIFICATIONS: Final = 2
"""Results of Asterisk's that the dialplan hands over at the most; Asterisk has one, of the first Identity header."""

_TRUNK = re.compile(r"[^/]+/(?P<endpoint>.+)-[0-9a-f]{8}(;[12])?")
_NOT_DIALLED = re.compile(r"[^0-9A-Za-z+*#]")
_LANGUAGE = re.compile(r"[A-Za-z]{2}([_-][A-Za-z]{2})?")


def read_call(entered: CallEntered, *, region: str, pepper: bytes, now: float, sources: AttestationSettings) -> Call:
    """Return the facts of the call that entered; `region` and `pepper` are as for `identify`, `now` is in seconds since
    the epoch, and `sources` says whose word on the caller ID counts."""
    channel, facts = entered.channel, entered.facts
    # Presentation as CALLERID(num-pres) names it: prohib_not_screened, unavailable, ...
    prohibited = facts.get("pres", "").startswith(("prohib", "unavailable"))
    found = _TRUNK.fullmatch(channel.name)
    trunk = printable(found["endpoint"], NAME_LIMIT) if found else ""
    dialled = _NOT_DIALLED.sub("", facts.get("did") or channel.exten)[:NAME_LIMIT]
    did = called_number(dialled, region)
    diversion = _NOT_DIALLED.sub("", facts.get("diversion", ""))[:NAME_LIMIT]
    leg = Leg(
        calling=e164(channel.number, region),
        called=did,
        forwarded_by=e164(diversion, region),
        trunk=trunk,
        region=region,
    )
    vouched = vouch(_verified(facts), _told(facts), leg, sources, now)
    return Call(
        id=channel.id,
        caller=identify(channel.number, prohibited=prohibited, region=region, pepper=pepper),
        did=did,
        # Who hides the number does not want to be named either.
        name="" if prohibited else printable(channel.caller_name, NAME_LIMIT),
        trunk=trunk,
        attestation=vouched.level,
        attestation_why="" if prohibited else vouched.why,
        language=channel.language if _LANGUAGE.fullmatch(channel.language) else "en",
        diversion=diversion,
        signer=vouched.signer,
        identity=vouched.identity,
    )


def _verified(facts: Mapping[str, str]) -> list[Verification]:
    """Read the facts `sig0`, `sig1`: verify_result, level and token, with slashes between them."""
    found = []
    for number in range(VERIFICATIONS):
        if written := facts.get(f"sig{number}"):
            result, _, rest = written.partition("/")
            level, _, token = rest.partition("/")
            found.append(Verification(result=result, level=level, token=token))
    return found


def _told(facts: Mapping[str, str]) -> Told:
    headers = (_header(facts.get(name, "")) for name in ("pai1", "pai2"))
    return Told(
        asserted=[header for header in headers if header],
        sender=_header(facts.get("from", "")),
        indicators={name: value for name in INDICATORS if (value := facts.get(name, ""))},
        origid=facts.get("origid", ""),
    )


def _header(encoded: str) -> str:
    """Read a header that the dialplan encoded, because quotes and commas in it would mean something to the dialplan."""
    whole = encoded[: len(encoded) // 4 * 4]  # it may be cut short
    try:
        return base64.b64decode(whole, validate=True).decode(errors="replace").strip()
    except ValueError:
        return ""
