"""A connection to an Asterisk's manager interface: panoramisk, with types, deadlines and no reconnecting on its own."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from tests.lab.places import LabError

log = logging.getLogger(__name__)


ANSWER_SECONDS: Final = 10.0
"""How long an Asterisk may take for the answer to an action."""


class Event(dict[str, str]):
    """An event or a response, with the names as Asterisk writes them; what is not there is empty."""

    def __missing__(self, key: str) -> str:
        """Asterisk leaves out, or panoramisk drops, what is empty."""
        return ""


class _OneConnection(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Ends when its connection ends: panoramisk would connect again for ever, also after the test.

    And not before: a caller whose number holds line ends writes events of its own, and panoramisk closes the connection
    at an `Event: Shutdown` and at headers that stand twice.
    """

    def handle_message(self, message: Mapping[str, Any]) -> None:
        told = [message.get(header, "") for header in ("Event", "ActionID", "CommandID")]
        if all(isinstance(one, str) for one in told) and told[0] != "Shutdown":
            super().handle_message(message)

    def connection_lost(self, exc: object) -> None:
        self.close()
        if self.factory is not None and self.factory.pinger is not None:
            self.factory.pinger.cancel()


class Ami:
    """One logged-in connection."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        """The panoramisk manager, for what is not wrapped here."""

    def on(self, pattern: str, callback: Callable[[Event], None]) -> None:
        """Call `callback` with each event whose name matches `pattern` (a glob)."""

        def without_manager(_: Manager, event: Mapping[str, Any]) -> None:
            try:
                callback(_plain(event))
            except Exception:
                # Let out, it would end the connection, and the test would wait for events that never come.
                log.exception("the callback for %s failed", event["Event"])

        self.manager.register_event(pattern, without_manager)

    async def action(self, name: str, **fields: str | Sequence[str]) -> Event:
        """Send one action and return its response; LabError if Asterisk refuses it."""
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self.manager.send_action({"Action": name, **fields}, as_list=False)
        response = _plain(answer[0] if isinstance(answer, list) else answer)
        if response["Response"] != "Success":
            raise LabError(f"Asterisk refused {name}: {response['Message']}")
        return response

    def close(self) -> None:
        """Log off, if still connected."""
        self.manager.close()


async def connect(port: int, user: str, secret: str, *, events: bool = True) -> Ami:
    """Log in at 127.0.0.1:`port`, and ask for all events or for none."""
    manager = Manager(
        host="127.0.0.1",
        port=port,
        username=user,
        secret=secret,
        events="on" if events else "off",
        protocol_factory=_OneConnection,
        ping_interval=60,
    )
    async with asyncio.timeout(ANSWER_SECONDS):
        await manager.connect()
        # The manager's own callback, which logs in, was registered before ours and has run.
        await manager.authenticated_future
    if not manager.authenticated:
        manager.close()
        raise LabError("Asterisk did not let the lab log in at its manager interface.")
    return Ami(manager)


def _plain(message: Mapping[str, Any]) -> Event:
    """Copy a panoramisk message; of a header that is repeated, the lines are joined by line ends."""
    return Event((key, value if isinstance(value, str) else "\n".join(value)) for key, value in message.items())
