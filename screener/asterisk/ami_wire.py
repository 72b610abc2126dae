"""panoramisk's AMI protocol, where strangers' text may stand in any event.

A caller writes CR and LF into its number or into the digits it dials, and Asterisk (22.10) puts them into its events
as they come: a whole event of the caller's making may follow. panoramisk 1.4 alone would believe it; would close the
connection at a forged `Event: Shutdown`, and at a header that stands twice; would keep a message without an end in
memory for ever; and would send an action that got no answer again after it has reconnected, however late. None of that
here.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from screener.asterisk.errors import AmiError, AmiUnavailableError

LARGEST_MESSAGE: Final = 64 << 10
"""Bytes. An event is some 1 kB; what is longer is passed over to its end."""
LONGEST_LIST: Final = 100_000
"""Messages of one answer: the entries of a family of Asterisk's database, some 1 kB each while they are read."""
AT_A_TIME: Final = 200
"""Messages that are read before others get their turn: 4 ms."""
END: Final = b"\r\n\r\n"
ACTION_ID: Final = b"\r\nActionID: "
ENTRY: Final = b"Event: DBGetTreeResponse\r\n"
"""How an entry of Asterisk's database begins. Its key and value may be a stranger's, with line ends and all."""
DIAL_BEGIN: Final = b"Event: DialBegin\r\n"


class Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """One connection: reads answers to our own actions, and the one event that we listen to; passes over all else."""

    encoding = "utf-8"

    def __init__(self, dial_began: Callable[[str], None]) -> None:
        """`dial_began` is told the channel that is being dialled, of which nothing is proven: see `Outbound`."""
        self._dial_began = dial_began
        self._unread = bytearray()
        self._searched = 0
        """Bytes of these that hold no end of a message."""
        self._overlong = False
        """Whether the message that is coming in is passed over."""
        self._broken = False
        """Whether an entry of a list was cut by an empty line in it."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is."""
        self.passed_over = 0
        """Messages that were too long, or entries of a list that no Asterisk would write."""

    def data_received(self, data: bytes) -> None:
        """Take what has come, message by message."""
        self._unread += data
        self._read_some()

    def _read_some(self) -> None:
        """Read some messages; the calls that wait for the loop come before the rest."""
        for _ in range(AT_A_TIME):
            end = self._unread.find(END, self._searched)
            if end < 0:
                break
            message = bytes(self._unread[:end])
            del self._unread[: end + len(END)]
            self._searched = 0
            if self._overlong:
                self._overlong = False
                self.passed_over += 1
            else:
                self._take(message)
        else:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_some)
            return
        if len(self._unread) > LARGEST_MESSAGE:
            self._overlong = True
            del self._unread[: -len(END)]
        self._searched = max(0, len(self._unread) - len(END))
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        self.closed = True
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(AmiUnavailableError("the manager interface closed the connection"))
        self.responses.clear()
        if not self.lost.done():
            self.lost.set_result(None)

    def _take(self, raw: bytes) -> None:
        if ACTION_ID in raw and any(action_id.encode() in raw for action_id in self.responses):
            if self._broken:
                self._broken = False
                self.passed_over += 1
            else:
                self._answer(Message.from_line(raw.decode(errors="replace").strip()))
        elif raw.startswith(ENTRY):
            # An entry names its action at its end: the next that does is what stood behind an empty line in this one.
            # Unless it is of a list that is not awaited any more: those come before the first of the next.
            self._broken = any(action.responses for action in self.responses.values())
        elif DIAL_BEGIN in raw:
            began = Message.from_line(raw.decode(errors="replace").strip())
            if began is not None and isinstance(channel := began.get("DestChannel"), str):
                self._dial_began(channel)

    def _answer(self, message: Message | None) -> None:
        """Give an answer to the action that waits for it; nobody else knows the action's id."""
        action_id = None if message is None else message.get("ActionID")
        action = self.responses.get(action_id) if isinstance(action_id, str) else None
        if message is None or action is None:
            return
        if not all(isinstance(value, str) for value in message.values()):
            # A header that stands twice: a value with a line end in it.
            if "Event" in message:
                self.passed_over += 1
                return
            error: AmiError | None = AmiError("an answer of the manager interface cannot be read")
        elif len(action.responses) >= LONGEST_LIST:
            error = AmiError(f"an answer of the manager interface has more than {LONGEST_LIST} entries")
        else:
            error = None
        if error is None:
            self.handle_message(message)
            return
        del self.responses[action_id]
        if not action.future.done():
            action.future.set_exception(error)
