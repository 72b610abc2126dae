"""Frees calls that wait in Stasis for a daemon that is gone: one-shot, plain HTTP, no daemon needed."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from screener.asterisk import commands
from screener.asterisk.carried import Carrier
from screener.asterisk.errors import AriRefusedError, AriUnavailableError
from screener.asterisk.http import open_http
from screener.asterisk.http_rest import HttpRest
from screener.asterisk.settings import AriSettings
from screener.policy.verdict import Treatment

RELEASED: Mapping[str, str] = {
    "SCREENER_TREATMENT": str(Treatment.PASS),
    "SCREENER_REASONS": "released",
    "SCREENER_WHY": "not screened: the screener stopped while it held the call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What became of one call that was held."""

    channel: str
    caller: str
    status: int
    """Asterisk's answer; 404 and 409 mean that the call has moved on by itself."""


async def release(settings: AriSettings, password: str) -> list[Released]:
    """Send every call that waits for our application on to where it would have gone without us.

    Raises AriUnavailableError, and AriRefusedError for a wrong user or password.
    """
    async with open_http(settings, password) as (http, base):
        rest = HttpRest(http, base, settings.request_seconds * 4)
        channels, application = await rest.send(commands.survey(settings.application))
        if not channels.ok:
            raise AriRefusedError(f"Asterisk answered {channels.status} to the question which calls there are")
        try:
            # Without the application no call is in it; one that waits for any application goes on by itself.
            ours = set(json.loads(application.body)["channel_ids"]) if application.ok else set()
            held = [one for one in json.loads(channels.body) if _waits_for(one, settings.application, ours)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise AriUnavailableError(f"Asterisk's list of calls cannot be read: {error}") from error
        carrier = Carrier(settings.application)
        return list(await asyncio.gather(*(_let_go(rest, carrier, channel) for channel in held)))


def _waits_for(channel: Mapping[str, Any], application: str, ours: set[str]) -> bool:
    """Whether a channel is in Stasis() for the application, or in StasisBroadcast() and claimed for it."""
    args = str(channel["dialplan"].get("app_data") or "").split(",")
    match channel["dialplan"].get("app_name"):
        case "Stasis":
            return args[0] == application
        case "StasisBroadcast":
            return channel["id"] in ours
    return False


async def _let_go(rest: HttpRest, carrier: Carrier, channel: Mapping[str, Any]) -> Released:
    channel_id = str(channel["id"])
    extension, carried = carrier.load(RELEASED)
    requests = (*carried, commands.treat(channel_id, Treatment.PASS, extension))
    try:
        status = (await rest.send(requests))[-1].status
    except AriUnavailableError:
        status = 0
    return Released(channel=channel_id, caller=str(channel["caller"].get("number", "")), status=status)
