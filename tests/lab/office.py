"""An office whose people call out: phones of their own, and a carrier that calls leave by."""

import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from screener.asterisk.ami_settings import AmiSettings
from tests.lab.daemon import DIALPLAN
from tests.lab.lab import Lab
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import REPO, SCENARIOS
from tests.lab.ports import free_ports
from tests.lab.sipp import SippRun, run_sipp, sipp_agent

TRUNKS: Final = ("trunk", "carrier", {"endpoint": "oldpbx", "strip": "9"})
"""What `ami.trunks` says here. Calls come in by the first, and leave by the others."""
PHONE: Final = "<sip:phone@127.0.0.1>"
"""From of a call of the office's own phone."""

_ENDPOINT: Final = """
[{name}]
type = endpoint
transport = loopback
context = {context}
disallow = all
allow = ulaw
direct_media = no
aors = {name}

[{name}]
type = aor
contact = sip:127.0.0.1:{port}
"""
# By the user in From first: all come from one address.
_GLOBAL: Final = "[global]\ntype = global\nendpoint_identifier_order = username,ip,anonymous\n"
CONTEXTS: Final = """
[from-agent](+)
exten => _9X!,1,Dial(PJSIP/${{EXTEN:1}}@carrier,5)
exten => _8X!,1,Dial(PJSIP/carrier/sip:${{EXTEN:1}}@127.0.0.1:{port},5)
exten => _7X!,1,Dial(Local/9${{EXTEN:1}}@from-agent,5)
exten => _6X!,1,Dial(PJSIP/9${{EXTEN:1}}@oldpbx,5)
exten => _5X!,1,Dial(PJSIP/${{EXTEN:1}}@oldpbx,5)
exten => _1NXXNXXXXXX,1,Dial(PJSIP/${{EXTEN}}@carrier,5)
exten => 400,1,Dial(PJSIP/moved,5)

[from-trunk](+)
exten => 7001,1,Dial(PJSIP/13105550101@carrier,5)
exten => 7002,1,Dial(Local/913105550102@from-agent,5)
exten => 7003,1,Dial(PJSIP/phone&PJSIP/13105550103@carrier,5)
exten => 7005,1,Dial(PJSIP/moved,5)
exten => 7006,1,Gosub(screener,s,1(7006))
 same => n,Dial(PJSIP/13105550106@carrier,5)
exten => _61XX,1,Gosub(screener,s,1(${{EXTEN}}))
 same => n,Dial(PJSIP/phone,2)
exten => 7911,1,Dial(PJSIP/911@carrier,5)
exten => _8!,1,Dial(PJSIP/phone,2)
"""
"""How the office's people dial: 9 and a number by the carrier, 8 the same by its address, 7 through a Local channel, 6
by the old PBX with its 9 for an outside line and 5 without, and the number alone where a phone forwards to it. Inbound,
7001 to 7006 are forwarded outside, each in another way, and what begins with 8 rings the
phone; 6100 to 6199 do after they were screened."""


def shipped_account(user: str, secret: str) -> str:
    """Return the account of the shipped manager.conf, as an administrator would uncomment it."""
    shipped = (REPO / "config" / "asterisk" / "manager.conf").read_text()
    account = shipped[shipped.index(";[screener]") :]
    lines = [line.removeprefix(";") for line in account.splitlines() if not line.startswith("; ")]
    return "\n".join(lines).replace("[screener]", f"[{user}]").replace("secret =", f"secret = {secret}")


@dataclass(slots=True, kw_only=True)
class Office:
    """A PBX with phones and carriers."""

    lab: Lab
    pbx: Pbx
    carrier: int
    """The SIP port at which the carrier, the old PBX and the phone answer."""
    secret: str = field(default_factory=lambda: secrets.token_hex(16))

    def settings(self, **changed: Any) -> AmiSettings:
        """Return how to reach its manager interface with the shipped rights."""
        written = {"port": self.pbx.ports.ami, "user": "screener", "trunks": TRUNKS, **changed}
        return AmiSettings.model_validate(written)

    async def call(self, sender: str, to: str, *, header: str = "X-Nothing: here", hold: float = 0.5) -> SippRun:
        """Call `to` with `sender` as the whole of From; return when the call is over."""
        scenario = SCENARIOS / "uac_hostile.xml"
        calls: Sequence[Sequence[str]] = [(sender, to, header)]
        return await run_sipp(self.lab.root, self.pbx.ports.sip, calls, rate=5, count=1, hold=hold, scenario=scenario)


@asynccontextmanager
async def open_office(lab: Lab, *, contexts: str = "", others: bool = False, **changed: Any) -> AsyncIterator[Office]:
    """Start a PBX with phones and carriers; with `others`, the AMI user `writer` may also write
    Asterisk's lists, and `poor` may do next to nothing."""
    carrier, moved = free_ports(socket.SOCK_DGRAM, 2)
    secret = secrets.token_hex(16)
    endpoints = [
        ("carrier", "from-trunk", carrier),
        ("oldpbx", "from-trunk", carrier),
        ("phone", "from-agent", carrier),
    ]
    written = [*endpoints, ("moved", "from-agent", moved)]
    accounts = [shipped_account("screener", secret)]
    if others:
        accounts.append(shipped_account("writer", secret).replace("call,reporting", "call,reporting,system"))
        accounts.append(shipped_account("poor", secret).replace("call,reporting", "user"))
    settings = Settings(
        dialplan=[DIALPLAN],
        contexts=CONTEXTS.format(port=carrier) + contexts,
        pjsip=_GLOBAL + "".join(_ENDPOINT.format(name=n, context=c, port=p) for n, c, p in written),
        ami="\n".join(accounts),
        variables={"FORWARD_CONTEXT": "from-agent"},
        **changed,
    )
    async with (
        lab.passing_pbx(settings) as pbx,
        sipp_agent(lab.root, carrier),
        sipp_agent(lab.root, moved, SCENARIOS / "uas_moved.xml"),
    ):
        yield Office(lab=lab, pbx=pbx, carrier=carrier, secret=secret)
