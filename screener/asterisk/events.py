"""Asterisk's events as values: the only place that reads their JSON.

Everything in an event may be missing or of the wrong type, and a stranger chose some of its strings. What cannot be
read is a `MalformedEventError`; what we do not handle is None. Reference: rest-api/api-docs/events.json in Asterisk.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment

OUTCOME_EVENT: Final = "ScreenerOutcome"
"""The name of the UserEvent by which the dialplan reports what a treatment showed."""
ANSWERED_EVENT: Final = "ScreenerAnswered"
"""The name of the UserEvent by which it reports that a callee who is rung for an announced call has answered."""


class MalformedEventError(ValueError):
    """An event that is not what Asterisk's documentation says."""


class UnknownEventError(MalformedEventError):
    """An event of a type that the event filter does not let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as events describe it. All strings are as they came."""

    id: str
    name: str
    number: str
    caller_name: str
    exten: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntered:
    """StasisStart: the dialplan hands us a call."""

    channel: Channel
    facts: Mapping[str, str] = field(default_factory=dict)
    """The arguments `name=value` that the dialplan gave to Stasis()."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffered:
    """CallBroadcast: the dialplan offers a call to whoever claims it first."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReported:
    """ChannelUserevent `ScreenerOutcome`: a treatment showed something."""

    channel_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CalleeAnswered:
    """ChannelUserevent `ScreenerAnswered`: whom we rang for an announced call is being asked."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDialled:
    """Dial: what became of somebody whom Dial() or Queue() rings for the call."""

    channel_id: str
    """The caller's."""
    status: str
    """As in DIALSTATUS, and RINGING; empty when it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred:
    """BridgeBlindTransfer: who talked with the caller sent the call elsewhere, and has left it."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """ChannelDestroyed: the call is over."""

    channel_id: str
    cause: int
    """ITU-T Q.850."""
    cause_text: str
    seconds: float
    """From the channel's creation to its end; 0 if the event does not tell."""
    busy: bool = False
    """The dialplan itself said busy: by Busy() or Congestion()."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """ApplicationReplaced: another screener has registered the same application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost:
    """No event of Asterisk's: from now on none is heard, until the next connection."""


Event = (
    CallEntered
    | CallOffered
    | OutcomeReported
    | CalleeAnswered
    | CallDialled
    | CallTransferred
    | CallEnded
    | Replaced
    | ConnectionLost
)


def read(message: Mapping[str, Any]) -> Event | None:
    """Return the event of a message, or None for one that is not ours. Raises MalformedEventError."""
    reader = READERS.get(_text(message, "type"))
    if reader is None:
        raise UnknownEventError(_text(message, "type"))
    return reader(message)


def survey(channels: str, application: str) -> tuple[set[str], list[CallEntered]]:
    """Read the answers to `commands.survey`: the ids of all channels, and the calls that wait in Stasis for us.

    An application also lists channels that it is only subscribed to; those that wait are in the dialplan application
    Stasis() or StasisBroadcast(), whose arguments hold the facts. Raises MalformedEventError.
    """
    try:
        listed, ours = json.loads(channels), set(json.loads(application)["channel_ids"])
        present = {_text(channel, "id") for channel in listed}
        return present, [_waiting(channel) for channel in listed if channel["id"] in ours and _in_stasis(channel)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedEventError(f"a list of channels cannot be read: {error}") from error


def bridged(bridges: str) -> dict[str, float]:
    """Read the answer to `commands.BRIDGES`: for each channel that is in conversation, since when (epoch seconds).

    Raises MalformedEventError.
    """
    try:
        return {
            _id(channel): datetime.fromisoformat(bridge["creationtime"]).timestamp()
            for bridge in json.loads(bridges)
            if bridge["bridge_type"] == "mixing" and len(bridge["channels"]) > 1
            for channel in bridge["channels"]
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedEventError(f"a list of bridges cannot be read: {error}") from error


def _id(channel: Any) -> str:
    if not isinstance(channel, str):
        raise TypeError("a channel's id is no text")
    return channel


def _in_stasis(channel: Mapping[str, Any]) -> bool:
    return _part(channel, "dialplan").get("app_name") in ("Stasis", "StasisBroadcast")


def _waiting(channel: Mapping[str, Any]) -> CallEntered:
    args = str(_part(channel, "dialplan").get("app_data") or "").split(",")
    if _part(channel, "dialplan").get("app_name") == "StasisBroadcast":
        args = args[-1].split(":")
    return CallEntered(channel=_channel({"channel": channel}), facts=read_facts(args))


def read_facts(args: Iterable[Any]) -> dict[str, str]:
    """Read arguments `name=value`, as the dialplan gives them."""
    pairs = (arg.partition("=") for arg in args if isinstance(arg, str))
    # The dialplan writes a bar for each colon where colons divide the facts, which is in StasisBroadcast().
    return {name: value.replace("|", ":") for name, _, value in pairs}


def _entered(message: Mapping[str, Any]) -> Event:
    args = message.get("args")
    return CallEntered(channel=_channel(message), facts=read_facts(args if isinstance(args, list) else ()))


def _offered(message: Mapping[str, Any]) -> Event:
    return CallOffered(channel_id=_text(_part(message, "channel"), "id"))


def _reported(message: Mapping[str, Any]) -> Event | None:
    if message.get("eventname") == ANSWERED_EVENT:
        return CalleeAnswered(channel_id=_text(_part(message, "channel"), "id"))
    if message.get("eventname") != OUTCOME_EVENT:
        return None
    told = _part(message, "userevent")
    try:
        outcome = Outcome(
            treatment=Treatment(_text(told, "Treatment")),
            result=Result(_text(told, "Result")),
            tries=int(told.get("Tries") or 0),
        )
    except (ValueError, TypeError) as error:
        raise MalformedEventError(f"{OUTCOME_EVENT}: {error}") from error
    return OutcomeReported(channel_id=_text(_part(message, "channel"), "id"), outcome=outcome)


def _dialled(message: Mapping[str, Any]) -> Event | None:
    # A leg that a program began has no caller.
    if "caller" not in message:
        return None
    return CallDialled(channel_id=_text(_part(message, "caller"), "id"), status=_text(message, "dialstatus"))


def _transferred(message: Mapping[str, Any]) -> Event | None:
    # In a conference there is nobody in particular who was transferred.
    if "transferee" not in message or message.get("result") != "Success":
        return None
    return CallTransferred(channel_id=_text(_part(message, "transferee"), "id"))


def _ended(message: Mapping[str, Any]) -> Event:
    channel, cause = _part(message, "channel"), message.get("cause")
    if not isinstance(cause, int):
        raise MalformedEventError("ChannelDestroyed: cause is not a number")
    return CallEnded(
        channel_id=_text(channel, "id"),
        cause=cause,
        cause_text=str(message.get("cause_txt") or ""),
        seconds=_between(channel.get("creationtime"), message.get("timestamp")),
        busy=channel.get("state") == "Busy",
    )


READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Event | None]]] = {
    "StasisStart": _entered,
    "CallBroadcast": _offered,
    "ChannelUserevent": _reported,
    "Dial": _dialled,
    "BridgeBlindTransfer": _transferred,
    "ChannelDestroyed": _ended,
    "ApplicationReplaced": lambda _message: Replaced(),
}

FILTER: Final = {"allowed": [{"type": name} for name in (*READERS, "RESTResponse")]}
"""The event filter: a subscribed channel would send every variable and every dialplan step otherwise. RESTResponse must
be named, or Asterisk filters the answers to requests over the socket too (measured on 22.10.1)."""


def _channel(message: Mapping[str, Any]) -> Channel:
    channel = _part(message, "channel")
    caller, dialplan = _part(channel, "caller"), _part(channel, "dialplan")
    return Channel(
        id=_text(channel, "id"),
        name=_text(channel, "name"),
        number=_text(caller, "number"),
        caller_name=_text(caller, "name"),
        exten=_text(dialplan, "exten"),
        language=str(channel.get("language") or "en"),
    )


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = of.get(name)
    if not isinstance(part, Mapping):
        raise MalformedEventError(f"{name} is missing")
    return part


def _text(of: Mapping[str, Any], name: str) -> str:
    text = of.get(name)
    if not isinstance(text, str):
        raise MalformedEventError(f"{name} is missing")
    return text


def _between(start: Any, end: Any) -> float:
    """Asterisk writes 2026-11-24T01:18:29.006+0000."""
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
