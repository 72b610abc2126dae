"""Moves a call in progress to another treatment: one that is in a treatment, one that rings, one that talks.

The caller's channel is moved, whatever it does. What rings for it stops ringing; who talks with it hears that it is
gone. A call that was in a treatment goes on from the new one to where it would have gone; one that had left us comes
back to the step of the dialplan that it was taken from, so that the same phones ring once more.

What is asked travels by ARI, whose answers nobody can forge; what is done by AMI, because ARI changes and moves only
what is in Stasis.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from screener.asterisk.ami import VALUE_LIMIT, Answer
from screener.asterisk.errors import AmiRefusedError, AriUnavailableError
from screener.asterisk.events import CallEntered, Channel
from screener.asterisk.facts import read_call
from screener.asterisk.prompts import PLAIN
from screener.asterisk.rest import Request, Rest, channel_path
from screener.asterisk.variables import channel_variables
from screener.policy.policy import Policy
from screener.policy.text import printable
from screener.policy.verdict import Mode, Reason, Treatment, Verdict

MOVABLE: Final = tuple(one for one in Treatment if one is not Treatment.ANNOUNCE)
"""Treatments that the dialplan alone can do. Announcing a caller needs the daemon from the beginning."""
WHY: Final = "moved by hand"
_REASON: Final = Reason(code="moved", points=0, text=WHY)
OURS: Final = "screener-"
"""How the contexts of treatments begin."""
BACK: Final = "screener-moved"
"""The context that brings a call back to where it was taken from."""
SHOWN: Final = 80
"""Characters of a channel's name in a message."""
NOBODY: Final = "screener/nobody"
"""A channel that there is not."""
_PLACE: Final = re.compile(r"[A-Za-z0-9_.-]+,[A-Za-z0-9_*#+-]+,[0-9]+")
"""A step of the dialplan that may stand in an argument of Goto()."""


class MoveError(Exception):
    """The call cannot be moved, and is where it was."""


class Actions(Protocol):
    """What is needed of the manager interface."""

    async def action(self, name: str, **headers: str) -> list[Answer]:
        """See `Ami.action`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was done."""

    channel: str
    caller: str
    """What to show of the caller."""
    was: str
    """The treatment before."""


async def move(rest: Rest, ami: Actions, named: str, to: Treatment, policy: Policy, *, now: float) -> Moved:
    """Move the call whose channel has this name or unique id.

    Raises MoveError, AriUnavailableError and AmiError; the call is then where it was.
    """
    channel = await _find(rest, named)
    name, channel_id = str(channel["name"]), str(channel["id"])
    was = await _variable(rest, channel_id, "SCREENER_TREATMENT")
    if not was:
        raise MoveError(await _not_ours(rest, name, channel_id))
    dialplan = channel["dialplan"]
    if dialplan.get("app_name") in ("Stasis", "StasisBroadcast"):
        raise MoveError(f"{_shown(name)} is in Stasis(): it is just being judged, or an announced caller waits there")
    did = await _variable(rest, channel_id, "SCREENER_DID")
    pres = await _variable(rest, channel_id, "SCREENER_PRES")
    entered = CallEntered(channel=_channel(channel), facts={"did": did, "pres": pres})
    settings = policy.settings
    # Nobody vouches for it any more: it is moved, not judged.
    call = read_call(entered, region=settings.region, pepper=b"", now=now, sources=settings.attestation)
    if to is Treatment.VOICEMAIL and policy.line(call.did, now).mailbox is None:
        raise MoveError(f"there is no mailbox for calls to {printable(call.did, SHOWN)} (policy.voicemail.mailbox)")
    await may_redirect(ami)
    verdict = Verdict(treatment=to, mode=Mode.LIVE, score=0, decided_by=WHY, reasons=(_REASON,))
    salt, below = secrets.token_hex(16), secrets.randbelow
    variables = {
        **channel_variables(call, verdict, policy, now=now, prompts=PLAIN, below=below, salt=salt),
        # What an earlier treatment left.
        "SCREENER_BY": "",
        "SCREENER_RESULT": "",
        "SCREENER_THEN": "",
        "SCREENER_DESTINATION": "",
    }
    away = not str(dialplan.get("context", "")).startswith(OURS)
    if away:
        variables |= {"SCREENER_BACK": _place(dialplan), "SCREENER_MOVE": f"{OURS}{to}"}
    if longest := [variable for variable, value in variables.items() if len(value) > VALUE_LIMIT]:
        raise MoveError(f"{longest[0]} would have more than {VALUE_LIMIT} characters: shorten the prompts")
    try:
        for variable, value in variables.items():
            await ami.action("Setvar", Channel=name, Variable=variable, Value=value)
        await ami.action("Redirect", Channel=name, Context=BACK if away else f"{OURS}{to}", Exten="s", Priority="1")
    except AmiRefusedError as error:
        raise MoveError(f"{_shown(name)} is not moved: {error}") from error
    return Moved(channel=name, caller=call.caller.label, was=printable(was, SHOWN))


async def may_redirect(ami: Actions) -> None:
    """Raise MoveError if our user may not move calls: before anything is changed about one."""
    try:
        await ami.action("Redirect", Channel=NOBODY, Context=BACK, Exten="s", Priority="1")
    except AmiRefusedError as error:
        if NOBODY not in str(error):
            raise MoveError(f"our user of the manager interface may not move calls (manager.conf): {error}") from error


async def _find(rest: Rest, named: str) -> Mapping[str, Any]:
    (answer,) = await rest.send((Request(method="GET", path="channels"),))
    try:
        listed = json.loads(answer.body) if answer.ok else None
        found: Sequence[Mapping[str, Any]] = [one for one in listed or () if named in (one["name"], one["id"])]
    except (ValueError, TypeError, KeyError) as error:
        raise AriUnavailableError(f"Asterisk's list of calls cannot be read: {error}") from error
    if listed is None:
        raise AriUnavailableError(f"Asterisk answered {answer.status} to the question which calls there are")
    if not found:
        raise MoveError(f"there is no channel {_shown(named)}: `core show channels` in Asterisk's CLI lists them")
    return found[0]


async def _not_ours(rest: Rest, name: str, channel_id: str) -> str:
    """Say why a channel is not one of a caller, and which one is if it is the other side of a call of ours."""
    first = await _variable(rest, channel_id, "CHANNEL(linkedid)")
    if first and first != channel_id and await _variable(rest, first, "SCREENER_TREATMENT"):
        return f"{_shown(name)} is the other side of a call: move its caller, {_shown(first)}"
    return f"{_shown(name)} did not come through the screener"


async def _variable(rest: Rest, channel_id: str, name: str) -> str:
    """Return a variable or a function of a channel; empty if there is none."""
    request = Request(method="GET", path=channel_path(channel_id, "variable"), query={"variable": name})
    (answer,) = await rest.send((request,))
    try:
        return str(json.loads(answer.body)["value"]) if answer.ok else ""
    except (ValueError, TypeError, KeyError):
        return ""


def _channel(channel: Mapping[str, Any]) -> Channel:
    caller, dialplan = channel["caller"], channel["dialplan"]
    return Channel(
        id=str(channel["id"]),
        name=str(channel["name"]),
        number=str(caller.get("number", "")),
        caller_name=str(caller.get("name", "")),
        exten=str(dialplan.get("exten", "")),
        language=str(channel.get("language") or "en"),
    )


def _place(dialplan: Mapping[str, Any]) -> str:
    """Return the step of the dialplan at which a call is. Raises MoveError for one that Goto() cannot name."""
    place = ",".join(str(dialplan.get(part, "")) for part in ("context", "exten", "priority"))
    if not _PLACE.fullmatch(place):
        raise MoveError(f"it is at {printable(place, SHOWN)!r} in the dialplan, to which no call can be sent back")
    return place


def _shown(name: str) -> str:
    return printable(name, SHOWN)
