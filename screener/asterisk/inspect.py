"""What is in force on a PBX: asked of a channel of our own that calls nobody, so that the dialplan itself answers."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from screener.asterisk.errors import AriRefusedError
from screener.asterisk.fastagi_settings import FastAgiSettings
from screener.asterisk.http import open_http, open_socket
from screener.asterisk.http_rest import HttpRest
from screener.asterisk.rest import Request, Rest, channel_path
from screener.asterisk.settings import AriSettings

DEFAULT_APPLICATION: Final = "screener"
DEFAULT_LEASE: Final = "0.7"
DEFAULT_AGI_PORT: Final = 4573
DEFAULT_AGI: Final = f"127.0.0.1:{DEFAULT_AGI_PORT}"
"""As in dialplan/screener.conf."""
LISTENING_SECONDS: Final = 1.0
"""How long a daemon gets to take a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    about: str
    says: str
    wrong: bool = False
    """Whether calls would not be screened as the administrator wants because of it."""


async def inspect(
    settings: AriSettings, password: str, mailboxes: Iterable[str], fastagi: FastAgiSettings | None = None
) -> list[Finding]:
    """Ask Asterisk what is in force there. Raises AriUnavailableError, and AriRefusedError if it lets us not in.

    The channel lives for some milliseconds, in an application whose name no StasisBroadcast() of ours offers calls to.
    """
    own = settings.model_copy(update={"application": f"check-{secrets.token_hex(4)}"})
    async with open_http(own, password) as (http, base), open_socket(http, own):
        rest = HttpRest(http, base, own.request_seconds * 4)
        channel = f"screener-{own.application}"
        query = {"endpoint": "Local/s@screener-pass/n", "app": own.application, "channelId": channel}
        try:
            await _ask(rest, Request(method="POST", path="channels/create", query=query))
            return [
                finding
                async for finding in _look(_Pbx(rest, channel), settings, fastagi or FastAgiSettings(), mailboxes)
            ]
        finally:
            await rest.send((Request(method="DELETE", path=channel_path(channel)),))


class _Pbx:
    """Answers what a dialplan expression would be."""

    def __init__(self, rest: Rest, channel: str) -> None:
        self.rest = rest
        self._path = channel_path(channel, "variable")

    async def value(self, expression: str) -> str:
        """Return the value of a variable or a function; empty if there is none."""
        (answer,) = await self.rest.send((Request(method="GET", path=self._path, query={"variable": expression}),))
        return str(json.loads(answer.body).get("value", "")) if answer.ok else ""


async def _look(
    pbx: _Pbx, settings: AriSettings, fastagi: FastAgiSettings, mailboxes: Iterable[str]
) -> AsyncIterator[Finding]:
    info = json.loads(await _ask(pbx.rest, Request(method="GET", path="asterisk/info")))
    yield Finding(about="asterisk", says=f"{info['system']['version']} at {settings.url}")
    # The second tells it from a context that somebody else gave the name.
    wanted = ("DIALPLAN_EXISTS(screener,s,1)", "DIALPLAN_EXISTS(screener-pass,s,1)")
    if [await pbx.value(one) for one in wanted] != ["1", "1"]:
        says = "screener.conf is not there: #tryinclude it in extensions.conf, then `dialplan reload`"
        yield Finding(about="dialplan", says=says, wrong=True)
        return
    # Where a verdict continues a call, see `Carrier`: at an extension that is not there a call would end.
    if await pbx.value("DIALPLAN_EXISTS(screener-pass,v.screener_1.000000,1)") != "1":
        says = "screener.conf is older than this program: copy the new one, then `dialplan reload`"
        yield Finding(about="dialplan", says=says, wrong=True)
        return
    yield Finding(about="dialplan", says="screener.conf is loaded")
    agi = await pbx.value("SCREENER_ENTRY") == "agi"
    yield await (_agi(pbx, fastagi) if agi else _entry(pbx, settings))
    yield await _lease(pbx)
    (answer,) = await pbx.rest.send((Request(method="GET", path=f"applications/{settings.application}"),))
    connected = f"a daemon is connected as {settings.application}"
    if agi:
        yield await _listening(fastagi)
        without = "no daemon is connected over ARI: nothing is learned from what becomes of a call"
        yield Finding(about="learning", says=connected if answer.ok else without)
    else:
        yield Finding(about="daemon", says=connected if answer.ok else "none is connected: calls pass unscreened")
    for mailbox in mailboxes:
        exists = await pbx.value(f"VM_INFO({mailbox},exists)") == "1"
        says = "exists" if exists else "there is none (voicemail.conf): calls for it pass"
        yield Finding(about=f"mailbox {mailbox}", says=says, wrong=not exists)


async def _entry(pbx: _Pbx, settings: AriSettings) -> Finding:
    named = await pbx.value("SCREENER_APPLICATION") or DEFAULT_APPLICATION
    if await pbx.value("SCREENER_ENTRY") == "broadcast":
        says = f"StasisBroadcast(), to applications whose name begins with {named}"
        fits = settings.application.startswith(named)
    else:
        says, fits = f"Stasis({named})", settings.application == named
    if not fits:
        says += f"; but asterisk.application is {settings.application}: its daemon gets no calls"
    return Finding(about="entry", says=says, wrong=not fits)


async def _agi(pbx: _Pbx, fastagi: FastAgiSettings) -> Finding:
    """Look at SCREENER_ENTRY=agi: does the dialplan ask where the daemon listens?"""
    address = await pbx.value("SCREENER_AGI") or DEFAULT_AGI
    says = f"AGI(agi://{address}/screen)"
    if not fastagi.enabled:
        return Finding(
            about="entry", says=f"{says}; but fastagi.enabled is false: its daemon gets no calls", wrong=True
        )
    if await pbx.value("IFMODULE(res_agi.so)") != "1":
        return Finding(about="entry", says=f"{says}; but res_agi.so is not loaded: calls pass unscreened", wrong=True)
    port = address.rpartition(":")[2] if ":" in address else str(DEFAULT_AGI_PORT)
    if port != str(fastagi.port):
        return Finding(about="entry", says=f"{says}; but fastagi.port is {fastagi.port}", wrong=True)
    return Finding(about="entry", says=says)


async def _listening(fastagi: FastAgiSettings) -> Finding:
    """Look whether anybody listens for FastAGI, as seen from here."""
    try:
        async with asyncio.timeout(LISTENING_SECONDS):
            _, writer = await asyncio.open_connection(fastagi.listen, fastagi.port)
    except (OSError, TimeoutError):
        says = f"none listens at {fastagi.listen}:{fastagi.port}: calls pass unscreened"
        return Finding(about="daemon", says=says)
    writer.close()
    return Finding(about="daemon", says=f"one listens at {fastagi.listen}:{fastagi.port}")


async def _lease(pbx: _Pbx) -> Finding:
    written = await pbx.value("SCREENER_LEASE")
    try:
        right = float(written or DEFAULT_LEASE) > 0
    except ValueError:
        right = False
    if not right:
        return Finding(about="lease", says=f"SCREENER_LEASE is {written!r}: expected seconds, such as 0.7", wrong=True)
    where = "SCREENER_LEASE" if written else "as shipped"
    return Finding(about="lease", says=f"{float(written or DEFAULT_LEASE):g} s ({where})")


async def _ask(rest: Rest, request: Request) -> str:
    (answer,) = await rest.send((request,))
    if not answer.ok:
        raise AriRefusedError(f"it answered {answer.status} to {request.path}: {answer.body[:200]!r}")
    return answer.body
