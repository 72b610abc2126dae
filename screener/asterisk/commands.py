"""What we ask of Asterisk for one call."""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Final

from screener.asterisk.rest import Request, channel_path
from screener.policy.verdict import Treatment

BRIDGES: Final = Request(method="GET", path="bridges")
"""Ask who talks with whom."""

PLAIN = re.compile(r"[A-Za-z0-9_./&+:@-]*")
"""Values that mean nothing to the parser of ARRAY()'s arguments."""


def subscribe(application: str, channel_id: str) -> Request:
    """Keep this channel's events coming after it has left Stasis."""
    query = {"eventSource": f"channel:{channel_id}"}
    return Request(method="POST", path=f"applications/{application}/subscription", query=query)


def set_variables(channel_id: str, variables: Mapping[str, str]) -> Iterator[Request]:
    """Set variables, those with plain values all in one request by the dialplan function ARRAY()."""
    plain = {name: value for name, value in variables.items() if PLAIN.fullmatch(value)}
    if plain:
        yield _set(channel_id, f"ARRAY({','.join(plain)})", ",".join(plain.values()))
    for name in variables.keys() - plain.keys():
        yield _set(channel_id, name, variables[name])


def treat(channel_id: str, treatment: Treatment) -> Request:
    """Send the call on to the context of its treatment."""
    query = {"context": f"screener-{treatment}", "extension": "s", "priority": "1"}
    return Request(method="POST", path=channel_path(channel_id, "continue"), query=query)


def resume(channel_id: str, extension: str) -> Request:
    """Send a call that waits to be announced on, within the context of that treatment."""
    query = {"context": "screener-announce", "extension": extension, "priority": "1"}
    return Request(method="POST", path=channel_path(channel_id, "continue"), query=query)


def ring(endpoint: str, *, channel_id: str, caller_id: str, caller_name: str, number: str, seconds: float) -> Request:
    """Ring a phone for a caller and ask there, in the dialplan, whether the call is taken.

    `channel_id` is the id of the channel to be made; `caller_id` and `caller_name` are those of the caller's channel.
    """
    body = {
        "endpoint": endpoint,
        "context": "screener-ask",
        "extension": "s",
        "priority": 1,
        "channelId": channel_id,
        "originator": caller_id,
        "callerId": number,
        "timeout": max(1, round(seconds)),
        "variables": {"SCREENER_CALLER": caller_name},
    }
    return Request(method="POST", path="channels", body=body)


def hang_up(channel_id: str) -> Request:
    """End a channel."""
    return Request(method="DELETE", path=channel_path(channel_id))


def set_lease(channel_id: str, seconds: float) -> Request:
    """Let a call stay in Stasis for so many seconds from now; after them the dialplan takes it back."""
    return _set(channel_id, "TIMEOUT(absolute)", f"{seconds:g}")


def leftovers() -> tuple[Request, Request]:
    """Ask which channels there are, and which recordings."""
    return Request(method="GET", path="channels"), Request(method="GET", path="recordings/stored")


def remove_recording(name: str) -> Request:
    """Remove a stored recording."""
    return Request(method="DELETE", path=f"recordings/stored/{urllib.parse.quote(name, safe='')}")


def survey(application: str) -> tuple[Request, Request]:
    """Ask which channels there are, and which of them belong to the application."""
    return Request(method="GET", path="channels"), Request(method="GET", path=f"applications/{application}")


def claim(application: str, channel_id: str) -> Request:
    """Take a call that StasisBroadcast() offers; whoever comes first gets it, the others get 409."""
    return Request(method="POST", path="events/claim", query={"channelId": channel_id, "application": application})


def _set(channel_id: str, variable: str, value: str) -> Request:
    body = {"variable": variable, "value": value}
    # In the body, because a request line of Asterisk's HTTP server ends at 4,096 bytes.
    return Request(method="POST", path=channel_path(channel_id, "variable"), body=body)
