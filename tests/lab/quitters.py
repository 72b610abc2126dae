"""Callers who hang up when it suits them. SIP by hand: SIPp's scenarios cannot take back a call at any moment."""

import asyncio
import itertools
import re
import secrets
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, cast

RETRY_SECONDS: Final = 0.5
"""T1 of RFC 3261, section 17.1.1.1."""
GIVE_UP_SECONDS: Final = 32.0
"""Its timer B."""
EVENT_MS: Final = 60
"""How long a key is pressed."""


@dataclass(slots=True)
class Dialogue:
    """One call as its caller knows it."""

    caller: str
    did: str
    call_id: str = field(default_factory=lambda: secrets.token_hex(8))
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    branch: str = field(default_factory=lambda: f"z9hG4bK{secrets.token_hex(6)}")
    to_tag: str = ""
    media: int = 0
    """The PBX's port for audio."""
    answers: "asyncio.Queue[tuple[int, str]]" = field(default_factory=asyncio.Queue)
    """Status and method of each response."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the other side has answered anything at all."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the other side ended the call."""


class Quitters(asyncio.DatagramProtocol):
    """Callers behind one socket; `callers()` opens it."""

    def __init__(self, to: int, media: socket.socket) -> None:
        self._to = to
        self._media = media
        self._calls: dict[str, Dialogue] = {}
        self._transport: asyncio.DatagramTransport
        self._stamps = itertools.count(1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, _: object) -> None:
        text = data.decode(errors="replace")
        call = self._calls.get(_header(text, "Call-ID"))
        if call is None:
            return
        if not text.startswith("SIP/2.0 "):
            self._asked(call, text)
            return
        if (to := re.search(r"^To:.*;tag=([^;\s]+)", text, re.MULTILINE | re.IGNORECASE)) is not None:
            call.to_tag = to[1]
        if (media := re.search(r"^m=audio (\d+)", text, re.MULTILINE)) is not None:
            call.media = int(media[1])
        call.heard.set()
        call.answers.put_nowait((int(text[8:11]), _header(text, "CSeq").split()[-1]))

    async def call(self, caller: str, did: str, *, patience: float, talk: float = 0.0, press: str = "") -> int:
        """Call and return the final status: 200 if it was answered, 487 if it was taken back in time.

        The call is taken back after `patience` seconds without an answer. An answered one goes on for `talk` seconds,
        then `press` is pressed, and the caller hangs up at once.
        """
        call = Dialogue(caller, did)
        self._calls[call.call_id] = call
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS + patience + talk):
                return await self._whole(call, patience, talk, press)
        finally:
            del self._calls[call.call_id]

    async def _whole(self, call: Dialogue, patience: float, talk: float, press: str) -> int:
        inviting = asyncio.Task(self._final(call, "INVITE", _SDP.format(port=self._media.getsockname()[1])))
        await asyncio.wait({inviting}, timeout=patience)
        # Not before anything was heard: RFC 3261, section 9.1.
        await asyncio.wait({inviting, heard := asyncio.Task(call.heard.wait())}, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()
        if not inviting.done():
            self._send(call, "CANCEL")
        status = await inviting
        self._send(call, "ACK", branch=None if status >= 300 else f"z9hG4bK{secrets.token_hex(6)}")
        if status < 300:
            await self._wait(call, talk)
            for key in press:
                self._press(call, key)
            if not call.hung_up.is_set():
                call.branch = f"z9hG4bK{secrets.token_hex(6)}"
                await self._final(call, "BYE", sequence=2)
        return status

    async def _wait(self, call: Dialogue, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await call.hung_up.wait()
        except TimeoutError:
            pass

    async def _final(self, call: Dialogue, method: str, body: str = "", sequence: int = 1) -> int:
        """Send a request until something is answered, and return the final answer to it."""
        heard = False
        while True:
            if not heard:
                self._send(call, method, body, sequence=sequence)
            try:
                async with asyncio.timeout(None if heard else RETRY_SECONDS):
                    status, of = await call.answers.get()
            except TimeoutError:
                continue
            heard = heard or of == method
            if of == method and status >= 200:
                return status

    def _asked(self, call: Dialogue, text: str) -> None:
        """Agree to whatever the PBX asks; only a BYE matters."""
        if text.startswith("ACK "):
            return
        kept = [line for line in text.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line, re.IGNORECASE)]
        self._write("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]))
        if text.startswith("BYE "):
            call.hung_up.set()

    def _send(
        self, call: Dialogue, method: str, body: str = "", *, sequence: int = 1, branch: str | None = None
    ) -> None:
        tagged = call.to_tag and method in ("ACK", "BYE")
        lines = [
            f"{method} sip:{call.did}@127.0.0.1:{self._to} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch={branch or call.branch};rport",
            f"From: <sip:{call.caller}@127.0.0.1:{self._port}>;tag={call.tag}",
            f"To: <sip:{call.did}@127.0.0.1:{self._to}>{f';tag={call.to_tag}' if tagged else ''}",
            f"Call-ID: {call.call_id}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:127.0.0.1:{self._port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._write("\r\n".join([*lines, "", body]))

    def _press(self, call: Dialogue, key: str) -> None:
        """Press a key as RFC 4733 says: a beginning, and the end three times."""
        stamp = next(self._stamps) * 8000
        for number, (end, duration) in enumerate(((0, 20), (1, EVENT_MS), (1, EVENT_MS), (1, EVENT_MS))):
            header = struct.pack("!BBHII", 0x80, 101 | (0x80 if not number else 0), number + 1, stamp & 0xFFFFFFFF, 77)
            event = struct.pack("!BBH", "0123456789*#".index(key), (end << 7) | 10, duration * 8)
            self._media.sendto(header + event, ("127.0.0.1", call.media))

    def _write(self, message: str) -> None:
        self._transport.sendto(message.encode(), ("127.0.0.1", self._to))


@asynccontextmanager
async def callers(to: int) -> AsyncIterator[Quitters]:
    """Open a socket for callers of the PBX at 127.0.0.1:`to` (UDP)."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as signalling,
    ):
        media.bind(("127.0.0.1", 0))
        signalling.bind(("127.0.0.1", 0))
        signalling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        transport, quitters = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Quitters(to, media), sock=signalling
        )
        try:
            yield quitters
        finally:
            transport.close()


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


_SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11\r\n"
)
