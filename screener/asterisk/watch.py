"""All that a daemon uses the manager interface for while it runs."""

import logging

from screener.asterisk.ami import Ami
from screener.asterisk.families import Families
from screener.asterisk.outbound import Outbound

log = logging.getLogger(__name__)


class Watch:
    """Listens at one connection for what needs it."""

    def __init__(self, ami: Ami, families: Families, outbound: Outbound) -> None:
        self._ami = ami
        self._families = families
        self._outbound = outbound

    @property
    def state(self) -> str:
        """Whether it is connected, in words."""
        return "connected" if self._ami.connected else "not connected"

    def ask(self) -> None:
        """Read soon what is read from time to time."""
        self._families.ask()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        try:
            await self._ami.run(self)
        except Exception:  # a fault of ours costs what the manager interface is used for, and no call
            log.exception("the manager interface is given up")
        finally:
            await self._outbound.tasks.finish(0)

    def dial_began(self, channel: str) -> None:
        """See `Listener`."""
        self._outbound.dial_began(channel)

    async def connected(self) -> None:
        """See `Listener`."""
        await self._families.keep()
