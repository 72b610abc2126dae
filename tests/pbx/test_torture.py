"""Calls as nobody should place them: hostile names and numbers byte by byte, and the torture of RFC 4475.

SIPp cannot form most of these, so they are written by hand, after what the RFC says of each and not in its words.
"""

import asyncio
import itertools
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

import pytest

from screener.memory.reader import JournalReader
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx
from tests.lab.quitters import callers

pytestmark = pytest.mark.pbx

MARK: Final = "screener-was-here"
SHELL: Final = f"$\x7bSHELL(touch /tmp/{MARK})\x7d"

# What is in From: the name and the address.
SENDERS: Final[dict[str, bytes]] = {
    "quotes in the name": rb'"a \"quoted\" \\ name" <sip:+16465557001@{us}>',
    "line ends, escaped": rb'"a\r\ncall=1 verdict=pass" <sip:1%0d%0acall%3d2@{us}>',
    "a line end of the log": rb'"INFO screener.asterisk.desk: call=3" <sip:+16465557002%0aINFO@{us}>',
    "a dialplan expression": f'"{SHELL}" <sip:$%7BSHELL(touch%20%2Ftmp%2F{MARK})%7D@{{us}}>'.encode(),
    "an expression in an expression": f'"$\x7bEVAL({SHELL})\x7d$[1+1]" <sip:%24%5B1%2B1%5D@{{us}}>'.encode(),
    "separators of the dialplan": b'"a|b,c&PJSIP/agent^d" <sip:1%7C2%2C3%263%5E@{us}>',
    "a command of the manager interface": rb'"x\r\n\r\nAction: Command\r\nCommand: core" <sip:+16465557003@{us}>',
    "HTML": b'"<script>alert(1)</script>" <sip:%3Cimg%20src%3Dx%3E@{us}>',
    "a formula": b"\"=cmd|'/C calc'!A0\" <sip:%3D1%2B1@{us}>",
    "another formula": b'"@SUM(1+1)" <sip:-1%2B1@{us}>',
    "emoji": '"\U0001f4de\U0001f600" <sip:%F0%9F%93%9E@{us}>'.encode(),
    "right to left": '"\u202e3332121\u202c" <sip:\u202e3332121@{us}>'.encode(),
    "no UTF-8": b'"\xff\xfe\xc3(\xed\xa0\x80" <sip:%ff%fe%c3(@{us}>',
    "control characters": b'"\x1b[2J\x07\x08" <sip:%1b%5b2J@{us}>',
    "a null": b'"null-%00-null" <sip:null-%00-null@{us}>',
    "a name of 8 kB": b'"' + b"n" * 8192 + b'" <sip:+16465557004@{us}>',
    "a number of 8 kB": b"<sip:" + b"9" * 8192 + b"@{us}>",
    "no name": b'"" <sip:+16465557005@{us}>',
    "no user": b"<sip:{us}>",
    "a tel address": b'"tel" <tel:+1-212-555-7006>',
    "parameters in the user": b"<sip:user;par=u%40example.net@{us}>",
    "an address of no known kind": b"<name:John_Smith>",
    "a name that is no token": b"Bell, Alexander <sip:+16465557007@{us}>",
}

HOPS: Final = b"Max-Forwards: 70"
FIRST: Final = b"INVITE sip:{did}@{them} SIP"
LENGTH: Final = b"Content-Length: "


def header(line: bytes) -> tuple[bytes, bytes]:
    """Add a header line."""
    return HOPS, HOPS + b"\r\n" + line


# RFC 4475, by its names: a change of the request.
TORTURE: Final[dict[str, tuple[bytes, bytes]]] = {
    "wsinv: folded lines and odd spaces": (HOPS, b"mAX-fORWARDS   :\r\n   0068\r\nNewFangled:   one\r\n two ;; three"),
    "intmeth: every character of a token": header(b"!interesting-Header0123456789_*+`.%indeed'~: b\xc3\xa9"),
    "esc01: escapes of digits": (b"INVITE sip:{did}", b"INVITE sip:%32{did1}"),
    "escnull: a null in Contact": (b"Contact: <sip:", b"Contact: <sip:%00@{us}>, <sip:"),
    "longreq: long values": header(b"Unknown-" + b"Long" * 20 + b": " + b"value " * 300),
    "semiuri: a semicolon in the user": (b"Contact: <sip:", b"Contact: <sip:user;par=u%40x@{us}>, <sip:"),
    "transports: unknown ones in Via": header(b"Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bKd"),
    "badinv01: separators too many": header(b"Via: SIP/2.0/UDP 192.0.2.15;;,;,,"),
    "clerr: a body shorter than it says": (LENGTH, b"Content-Length: 9"),
    "ncl: a negative length": (LENGTH, b"Content-Length: -"),
    "scalar02: numbers too large": (b"CSeq: 1 INVITE", b"CSeq: 36893488147419103232 INVITE"),
    "quotbal: a quote that does not end": (b"To: <", b'To: "Mr. J. User <'),
    "ltgtruri: brackets about the request's address": (FIRST, b"INVITE <sip:{did}@{them}> SIP"),
    "lwsruri: spaces in it": (FIRST, b"INVITE sip:{did}@{them}; lr SIP"),
    "lwsstart: two spaces in the first line": (b"INVITE sip:", b"INVITE  sip:"),
    "trws: a space at its end": (b" SIP/2.0\r\n", b" SIP/2.0 \r\n"),
    "escruri: escaped headers in it": (b"{them} SIP", b"{them}?Route=%3Csip:example.com%3E SIP"),
    "baddate: a time zone that is none": header(b"Date: Fri, 01 Jan 2010 16:00:00 EST"),
    "badvers: another version": (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"),
    "mismatch01: two methods": (b"CSeq: 1 INVITE", b"CSeq: 1 OPTIONS"),
    "mismatch02: an unknown method": (b"INVITE sip:", b"NEWMETHOD sip:"),
    "insuf: From is missing": (b"From: ", b"X-From: "),
    "unkscm: an unknown scheme": (b"INVITE sip:", b"INVITE nobodyKnowsThisScheme:"),
    "bext01: an unknown extension is needed": header(b"Require: nothingSupportsThis"),
    "invut: an unknown kind of body": (b"application/sdp", b"application/unknownformat"),
    "multi01: values twice": header(b"CSeq: 8 INVITE\r\nMax-Forwards: 5\r\nFrom: <sip:x@y>;tag=3"),
    "mcl01: two lengths": (LENGTH, b"Content-Length: 0\r\nContent-Length: "),
    "zeromf: no hop left": (HOPS, b"Max-Forwards: 0"),
}

_dids = itertools.count(2125557000)


class Wire(asyncio.DatagramProtocol):
    """Sends requests as they are, and takes leave of whoever answers one."""

    def __init__(self, to: int) -> None:
        self._to = to

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._us = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"

    def datagram_received(self, data: bytes, _: object) -> None:
        text = data.decode(errors="replace")
        status = re.match(r"SIP/2.0 (\d+)", text)
        if status is not None and 200 <= int(status[1]) < 300 and "INVITE" in text:
            for number, method in ((1, "ACK"), (2, "BYE")):
                self._transport.sendto(self._after(text, number, method), ("127.0.0.1", self._to))

    def send(self, sender: bytes, did: str, change: tuple[bytes, bytes] = (b"", b"")) -> None:
        """Send an INVITE."""
        known = secrets.token_hex(6)
        body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        body += f"m=audio {self._us[10:]} RTP/AVP 0\r\n"
        lines = [
            b"INVITE sip:{did}@{them} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._us};branch=z9hG4bK{known};rport".encode(),
            b"From: " + sender + b";tag=" + known.encode(),
            b"To: <sip:{did}@{them}>",
            f"Call-ID: torture-{known}".encode(),
            b"CSeq: 1 INVITE",
            b"Contact: <sip:{us}>",
            b"Max-Forwards: 70",
            b"Content-Type: application/sdp",
            f"Content-Length: {len(body)}".encode(),
        ]
        message = b"\r\n".join([*lines, b"", body.encode()])
        if change[0]:
            assert change[0] in message
            message = message.replace(*change, 1)
        for name, value in (("us", self._us), ("them", f"127.0.0.1:{self._to}"), ("did1", did[1:]), ("did", did)):
            message = message.replace(f"{{{name}}}".encode(), value.encode())
        self._transport.sendto(message, ("127.0.0.1", self._to))

    def _after(self, text: str, number: int, method: str) -> bytes:
        kept = [line for line in text.split("\r\n") if re.match(r"(From|To|Call-ID):", line, re.IGNORECASE)]
        first = [
            f"{method} sip:x@127.0.0.1:{self._to} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._us};branch=z9hG4bK{secrets.token_hex(6)}",
        ]
        lines = [*first, *kept, f"CSeq: {number} {method}", "Max-Forwards: 70", "Content-Length: 0", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")


@asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    transport, opened = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Wire(to), local_addr=("127.0.0.1", 0)
    )
    try:
        yield opened
    finally:
        transport.close()


async def ordinary(pbx: Pbx, observer: Observer) -> Journey:
    """Place a call as people do."""
    did = str(next(_dids))
    async with callers(pbx.ports.sip) as people:
        assert await people.call("+16465550133", did, patience=10, talk=0.1) == 200
    return await observer.journey(did=did)


def reached_somebody(journeys: Iterable[Journey]) -> None:
    """Every call that the PBX took was judged, and rang."""
    for one in journeys:
        if one.caller or one.variables:  # of a number with a line end the PBX reports nothing more
            assert one.dialled == ["agent"], one
            assert one.variables["SCREENER_REASONS"] not in ("unscreened", "lease"), one


def marks(pbx: Pbx) -> list[Path]:
    """Return what a command that was executed would have left behind."""
    roots = (Path("/"), Path(f"/proc/{pbx.pid}/root"))
    return [path for root in roots if (path := root / "tmp" / MARK).exists()]


async def shown(daemon: Daemon, *options: str) -> bytes:
    argv = [sys.executable, "-m", "screener", "calls", *options, "--limit", "1000", "--config", str(daemon.config)]
    return await asyncio.to_thread(subprocess.check_output, argv)


async def test_hostile_names_and_numbers_are_text_and_nothing_else(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    begun = len(observer.journeys)
    async with Daemon(pbx, {"ladder": []}) as daemon, wire(pbx.ports.sip) as opened:
        for sender in SENDERS.values():
            opened.send(sender, str(next(_dids)))
        last = await ordinary(pbx, observer)
        while "0 active channels" not in await pbx.cli("core show channels count"):
            pass
        await daemon.stop()
        journeys = observer.journeys[begun:]
        with JournalReader(daemon.journal) as reader:
            recorded = reader.calls(limit=1000)
        printed = await shown(daemon) + await shown(daemon, "--json")
        assert marks(pbx) == []
    assert last.variables["SCREENER_REASONS"] == "none"
    assert len(journeys) > 15
    reached_somebody(journeys)
    assert len(recorded) == len(journeys)
    # One line for each verdict, and each line is one of the daemon's own.
    verdicts = [line for line in daemon.log if " screener.asterisk.desk: call=" in line and " verdict=" in line]
    assert len(verdicts) == len(recorded)
    assert all(re.match(r"(INFO|WARNING|ERROR) screener\.", line) for line in daemon.log)
    assert not any(line.startswith("ERROR") for line in daemon.log)
    assert all(character.isprintable() for line in daemon.log for character in line)
    assert not set(range(32)) & set(printed) - {10}
    # Nothing that a caller sent stands in a variable that a dialplan expands.
    for journey in journeys:
        for name, value in journey.variables.items():
            assert not re.search(r"\$[{\[]", value), (name, value)
            assert value.isprintable(), (name, value)


async def test_torture_ends_neither_the_pbx_nor_the_daemon(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    begun = len(observer.journeys)
    async with Daemon(pbx, {"ladder": []}) as daemon, wire(pbx.ports.sip) as opened:
        for change in TORTURE.values():
            opened.send(b'"torture" <sip:+16465557999@{us}>', str(next(_dids)), change)
        last = await ordinary(pbx, observer)
        while "0 active channels" not in await pbx.cli("core show channels count"):
            pass
        await daemon.stop()
        journeys = observer.journeys[begun:]
        with JournalReader(daemon.journal) as reader:
            recorded = reader.calls(limit=1000)
    assert last.dialled == ["agent"]
    reached_somebody(journeys)
    assert len(recorded) == len(journeys)
    assert len(journeys) > 8  # what is only odd is a call
    assert not any(line.startswith("ERROR") for line in daemon.log)
