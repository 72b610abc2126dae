"""Requests to Asterisk's REST interface, whichever way they travel."""

import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

NOT_FOUND = 404
"""There is no such channel any more."""
GONE = frozenset({NOT_FOUND, 409, 412})
"""The channel has hung up, left Stasis, or is not in the state for it: an ordinary end of a call, no error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, its path below `/ari/`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def uri(self) -> str:
        """The path with its query."""
        return f"{self.path}?{urllib.parse.urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Asterisk said to a request."""

    status: int
    body: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the call it was about has moved on."""
        return self.status in GONE


class Rest(Protocol):
    """A way for requests to Asterisk."""

    async def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests that Asterisk carries out in this order, and return their answers.

        Raises AriUnavailableError if the connection is lost or the deadline passes; requests may have been
        carried out all the same.
        """


def channel_path(channel_id: str, *below: str) -> str:
    """Return the path of a channel; ids are quoted, because an id is data."""
    return "/".join(("channels", urllib.parse.quote(channel_id, safe=""), *below))
