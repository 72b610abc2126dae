"""What we tell systemd: sd_notify(3), a datagram to the socket that it names. Without systemd nothing is told."""

import os
import socket
from collections.abc import Mapping

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


class Notifier:
    """Tells the service manager how we are."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ means an abstract socket: sd_notify(3).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        interval = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(interval) / 1_000_000 if interval.isdigit() else None
        """Within how many seconds systemd wants to hear ALIVE; None if it does not ask."""

    def tell(self, *lines: str) -> None:
        """Send lines such as READY; never waits and never fails, for a call matters more."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as told:
                told.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            pass

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self.tell(f"STATUS={text}")
