"""What our user of the manager interface sees and may do."""

from collections.abc import AsyncIterator
from typing import Final

from screener.asterisk.ami import Ami
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.errors import AmiError, AmiRefusedError
from screener.asterisk.inspect import Finding
from screener.asterisk.move import NOBODY, MoveError, may_redirect

READS: Final = "reads Asterisk's lists"
MOVES: Final = "moves calls"


async def inspect_ami(settings: AmiSettings, secret: str) -> list[Finding]:
    """Log in, and try everything that changes nothing."""
    ami = Ami(settings, secret)
    where = f"{settings.host}:{settings.port}"
    try:
        async with ami.once():
            found = [Finding(about="manager interface", says=f"{settings.user} is let in at {where}")]
            return found + [finding async for finding in _look(ami, settings)]
    except AmiError as error:
        return [Finding(about="manager interface", says=f"{where}: {error}", wrong=True)]


async def _look(ami: Ami, settings: AmiSettings) -> AsyncIterator[Finding]:
    try:
        await ami.listing("DBGetTree", Family=settings.block_family or NOBODY)
        yield Finding(about="its rights", says=READS)
    except AmiRefusedError as error:
        yield Finding(about="its rights", says=f"not enough: {error} (reporting in manager.conf)", wrong=True)
    try:
        await may_redirect(ami)
        yield Finding(about="its rights", says=MOVES)
    except MoveError as error:
        yield Finding(about="its rights", says=str(error), wrong=True)
    for trunk in settings.trunks:
        context = await _context(ami, trunk.endpoint)
        says = f"a PJSIP endpoint; its calls come in at {context}" if context else "no PJSIP endpoint is named so"
        yield Finding(about=f"trunk {trunk.endpoint}", says=says)
    if not settings.trunks:
        yield Finding(about="trunks", says="none is named (ami.trunks): whom your people call earns no trust")


async def _context(ami: Ami, endpoint: str) -> str:
    """Return where calls of an endpoint come in; empty if there is no such PJSIP endpoint."""
    variable = f"PJSIP_ENDPOINT({endpoint},context)"
    return (await ami.action("Getvar", Variable=variable))[0].get("Value", "")
