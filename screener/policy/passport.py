"""Who vouches for a caller ID: STIR/SHAKEN, judged from what Asterisk verified and what the trunk's provider says.

A PASSporT (RFC 8225) is a signed token in the Identity header (RFC 8224): it names the caller, who was called, and
when; SHAKEN (RFC 8588, ATIS-1000074) adds the level of attestation and the origid. Asterisk verifies the signature,
the certificate, the age and the calling number. It does not look at the called number, and a token dated ahead is fine
with it (measured on 22.10.1): a token that was caught on its way to somebody else would count here. So the token is
read once more, the very one that Asterisk verified, and counts only if it was made for this call.

Asterisk verifies the first Identity header alone; `STIR_SHAKEN(count)` allows for more, and so does this.
"""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from screener.policy.call import Attestation
from screener.policy.caller import e164
from screener.policy.phrase import duration
from screener.policy.text import printable
from screener.policy.trunks import AttestationSettings, Source
from screener.policy.verstat import Told, level_told

SIGNER_LIMIT: Final = 120
"""Characters of a signer. A host may be longer; then its beginning stands for it."""
RESULT_LIMIT: Final = 40
"""Characters of a `verify_result`."""
WHY_LIMIT: Final = 200
"""Characters of the sentence that says why."""
NUMBERS_READ: Final = 10
"""Called numbers that are read from one token."""
TOKEN_LIMIT: Final = 1200
"""Characters of a token that the dialplan hands over; twice what one has in practice."""

SUCCESS: Final = "success"
UNSIGNED: Final = frozenset({"missing_identity_hdr", "disabled", "invalid_or_no_callerid"})
"""Nobody signed, or Asterisk was not to verify, or there is no number that could be signed. These are names of
`verify_result` (res_stir_shaken/verification.c), as are the next."""
OTHER_KIND: Final = "invalid_or_no_ppt"
"""A PASSporT of another kind: `div` (RFC 8946) tells of a forwarding, `rph` of a priority, and none of the caller."""
OUT_OF_REACH: Final = frozenset(
    {
        "cert_cache_miss", "cert_cache_invalid", "cert_cache_expired", "cert_retrieval_failure",
        "internal_error", "invalid_arguments", "no_raw_key",
    }
)  # fmt: skip
"""The signature could not be verified for want of the certificate, or for a fault of our own: a server that is down
would make suspects of all callers whose numbers it vouches for."""
DATED: Final = frozenset({"missing_date_hdr", "date_hdr_parse_failure", "date_hdr_range_error"})
"""The SIP header Date is missing or wrong, which a proxy may have caused, as may two clocks a second apart. The token
has a date of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One result of Asterisk's: `STIR_SHAKEN(n,...)`."""

    result: str
    """Its `verify_result`; empty where it could not be asked for safely (see the dialplan)."""
    level: str
    """Its `attestation`: what the token claims, verified or not."""
    token: str
    """The token that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The call, as far as a signature has to fit it. Numbers in E.164, or None."""

    calling: str | None
    called: str
    """As in `Call.did`."""
    forwarded_by: str | None
    trunk: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who vouches for the caller ID, how far, and why it counts for that."""

    level: Attestation
    why: str
    """A sentence; empty where the call brought nothing that could vouch for it."""
    signer: str = ""
    """Host of the certificate's address, and origid. Only where the signature counts, or the provider told it: who
    replays another's token must not spoil that signer's name."""
    identity: str = ""
    """A hash of what was signed, where the signature counts. The signature itself is left out, because the same one
    can be written in two ways (s and n-s of ECDSA) and a replay would pass for new."""


def vouch(verified: Sequence[Verification], told: Told, leg: Leg, settings: AttestationSettings, now: float) -> Vouched:
    """Judge whether somebody vouches for the caller ID; `now` is in seconds since the epoch, as `iat` is.

    What proves most counts: a signature that was made for this very call is proof, whatever else stands beside it. A
    failure counts if nothing vouches.
    """
    believed = settings.believed(leg.trunk)
    signed = [one for one in verified if one.token and one.result not in UNSIGNED]
    found = [_verify(one, leg, settings, now) for one in signed] if Source.ASTERISK in believed else []
    word = _word(told, believed, leg.trunk, settings)
    found += [word] if word is not None else []
    if found:
        return max(found, key=lambda one: _WEIGHT[one.level])
    return Vouched(level=Attestation.NONE, why=_ignored(bool(signed), told, believed))


_WEIGHT: Final = {
    level: weight
    for weight, level in enumerate((Attestation.NONE, Attestation.FAILED, Attestation.C, Attestation.B, Attestation.A))
}


def _verify(one: Verification, leg: Leg, settings: AttestationSettings, now: float) -> Vouched:
    token = _read(one.token)
    if one.result == SUCCESS:
        return _check(one.level, token, leg, settings, now)
    if one.result == OTHER_KIND or (not one.result and token is not None and token.kind != "shaken"):
        return Vouched(level=Attestation.NONE, why="what is signed is not the caller ID (a PASSporT of another kind)")
    if one.result in OUT_OF_REACH:
        why = f"the caller ID is signed, but its certificate could not be had ({one.result})"
        return Vouched(level=Attestation.NONE, why=why)
    if one.result in DATED and token is not None and abs(token.at - now) <= settings.ahead_seconds:
        why = f"the caller ID is signed, but the call's Date is missing or wrong ({one.result})"
        return Vouched(level=Attestation.NONE, why=why)
    if one.result:
        why = f" ({printable(one.result, RESULT_LIMIT)})"
    elif token is not None and now - token.at > settings.ahead_seconds:
        why = f": it is dated {duration(now - token.at)} ago"
    else:
        why = ", and Asterisk cannot be asked why"
    return Vouched(level=Attestation.FAILED, why=f"the caller ID is signed, but the signature did not verify{why}")


def _check(level: str, token: "_Token | None", leg: Leg, settings: AttestationSettings, now: float) -> Vouched:
    """Judge a token whose signature is right: was it made for this call?"""
    if token is None:
        return Vouched(level=Attestation.NONE, why="the caller ID is signed, by a PASSporT too long to be read")
    failed = f"the caller ID is signed with attestation {printable(level, 3)}, but "
    calling = _number(token.calling, leg.region)
    called = {number for one in token.called if (number := _number(one, leg.region))}
    if level not in ("A", "B", "C") or token.level != level:
        fault, result = "the level is none of A, B and C", Attestation.FAILED
    elif calling is None or calling != leg.calling:
        fault, result = f"for the caller ID {calling or 'of nobody'}", Attestation.FAILED
    elif token.at - now > settings.ahead_seconds:
        fault, result = f"dated {duration(token.at - now)} ahead", Attestation.FAILED
    elif leg.called in called:
        return Vouched(
            level=Attestation(level),
            why=f"the caller ID is signed with attestation {level} by {token.signer or 'nobody named'}",
            signer=token.signer,
            identity=token.identity,
        )
    elif not leg.called.startswith("+"):
        fault, result = f"a signature cannot name {leg.called}, which is no telephone number", Attestation.NONE
    elif leg.forwarded_by in called:
        fault, result = f"for a call to {leg.forwarded_by}, which forwarded it", Attestation.NONE
    else:
        others = ", ".join(sorted(called)) or "nobody"
        fault, result = f"for a call to {others}", Attestation.FAILED
    return Vouched(level=result, why=printable(failed + fault, WHY_LIMIT))


def _word(told: Told, believed: Sequence[Source], trunk: str, settings: AttestationSettings) -> Vouched | None:
    """Judge what the provider says, where it is believed."""
    said = {"verstat": told.verstat} if Source.VERSTAT in believed else {}
    said |= told.indicators if Source.HEADERS in believed else {}
    said = {name: value for name, value in said.items() if value}
    level = level_told(list(said.values()), settings.passed_means)
    if level is None:
        return None
    origid = told.origid if Source.HEADERS in believed else ""
    words = ", ".join(f"{name} {value}" for name, value in said.items())
    return Vouched(
        level=level,
        why=printable(f"the trunk {trunk} says {words}", WHY_LIMIT),
        signer=printable(origid, SIGNER_LIMIT),
    )


def _ignored(signed: bool, told: Told, believed: Sequence[Source]) -> str:
    """Name what is there and not believed, for an administrator who wonders."""
    there = {
        Source.ASTERISK: signed,
        Source.VERSTAT: bool(told.verstat),
        Source.HEADERS: any(told.indicators.values()),
    }
    names = [str(source) for source, present in there.items() if present and source not in believed]
    return f"what the trunk says of the caller ID ({', '.join(names)}) is not believed" if names else ""


# ------------------------------------------------------------------------------------------------------ the token


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """What a PASSporT says, believed or not."""

    kind: str
    level: str
    calling: str
    called: Sequence[str]
    at: float
    """Its iat, in seconds since the epoch."""
    signer: str
    identity: str


def _read(identity: str) -> _Token | None:
    """Read the value of an Identity header as far as its token goes, or None if it is none."""
    token = identity.partition(";")[0]
    parts = token.split(".")
    if len(parts) != 3 or len(token) >= TOKEN_LIMIT:
        return None
    try:
        header, claims = _json(parts[0]), _json(parts[1])
        orig, dest, at = claims.get("orig"), claims.get("dest"), claims.get("iat")
        called = dest.get("tn") if isinstance(dest, Mapping) else ()
        host = urlsplit(_text(header.get("x5u"))).hostname or ""
        return _Token(
            kind=_text(header.get("ppt")),
            level=_text(claims.get("attest")),
            calling=_text(orig.get("tn")) if isinstance(orig, Mapping) else "",
            called=[_text(one) for one in ([called] if isinstance(called, str) else called or ())[:NUMBERS_READ]],
            at=_finite(at),
            signer=printable(f"{host} {_text(claims.get('origid'))}".strip(), SIGNER_LIMIT),
            identity=hashlib.blake2b(f"{parts[0]}.{parts[1]}".encode(), digest_size=12).hexdigest(),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _json(part: str) -> Mapping[str, Any]:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    read = json.loads(text)
    if not isinstance(read, dict):
        raise TypeError("not an object")
    return read


def _finite(value: object) -> float:
    at = float(value) if isinstance(value, int | float) else 0.0
    if not math.isfinite(at):
        raise ValueError("a date without end")
    return at


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(written: str, region: str) -> str | None:
    """Return a number of a token in E.164. RFC 8225 writes it with its country code and without the +; an Asterisk that
    signs writes what was dialled."""
    digits = "".join(one for one in written if one in "0123456789")
    return e164(f"+{digits}", region) or e164(digits, region)
