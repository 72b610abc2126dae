"""What we ask of Asterisk for one call."""

import urllib.parse
from typing import Final

from screener.asterisk.rest import Request, channel_path
from screener.policy.verdict import Treatment

BRIDGES: Final = Request(method="GET", path="bridges")
"""Ask who talks with whom."""


def subscribe(application: str, channel_id: str) -> Request:
    """Keep this channel's events coming after it has left Stasis."""
    query = {"eventSource": f"channel:{channel_id}"}
    return Request(method="POST", path=f"applications/{application}/subscription", query=query)


def set_global(name: str, value: str) -> Request:
    """Set a global variable of the dialplan."""
    # In the body, because a request line of Asterisk's HTTP server ends at 4,096 bytes.
    return Request(method="POST", path="asterisk/variable", body={"variable": name, "value": value})


def treat(channel_id: str, treatment: Treatment, extension: str = "s") -> Request:
    """Send the call on to the context of its treatment; at `extension` it finds its variables (see `Carrier`)."""
    query = {"context": f"screener-{treatment}", "extension": extension, "priority": "1"}
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
