"""Notices to an address of the administrator's, signed as the Standard Webhooks say.

https://www.standardwebhooks.com: the headers webhook-id, webhook-timestamp and webhook-signature, the last one being
`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`. Receivers have libraries for it.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import aiohttp
from yarl import URL

from screener import __version__
from screener.policy.remembered import Notice
from screener.telling.settings import WebhookSettings

log = logging.getLogger(__name__)

QUEUED: Final = 100
"""Notices that wait; beyond it the oldest is dropped: the journal has them all."""
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
"""Seconds from one try to the next, twice as long each time."""
BUSY: Final = frozenset({408, 425, 429})
"""Answers that mean "later"; the others from 400 to 499 mean that no other try would go better."""
_KEY_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice on its way."""

    id: str
    body: bytes
    until: float
    """When it is given up, in seconds of the loop's clock."""


class Webhook:
    """Takes notices and never makes anybody wait; `serve` sends them."""

    def __init__(self, settings: WebhookSettings, secret: str | None, clock: Callable[[], float]) -> None:
        """`clock` is in seconds and never steps back. Raises ValueError for a secret that is no base64."""
        if settings.url is None:
            raise ValueError("there is no address to send to")
        self._settings = settings
        self._url = URL(settings.url.get_secret_value())
        self._key = None if secret is None else signing_key(secret)
        self._clock = clock
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()
        self.dropped = 0
        """Notices that were given up."""

    def put(self, notice: Notice, at: float) -> None:
        """Send a notice soon; `at` is in seconds since the epoch."""
        if len(self._waiting) >= QUEUED:
            self._drop(self._waiting.popleft(), f"more than {QUEUED} wait")
        told = {
            "type": notice.code,
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
            "about": notice.about,
            "text": notice.text,
        }
        until = self._clock() + self._settings.minutes * 60
        self._waiting.append(Message(id=f"msg_{secrets.token_hex(12)}", body=json.dumps(told).encode(), until=until))
        self._news.set()

    async def serve(self) -> None:
        """Send what comes, one after the other, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._settings.seconds)
        # trust_env: a proxy of the environment is the only way out of many networks.
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http:
            while True:
                self._news.clear()
                while self._waiting:
                    await self._deliver(http, self._waiting.popleft())
                await self._news.wait()

    async def _deliver(self, http: aiohttp.ClientSession, message: Message) -> None:
        wait = FIRST_WAIT
        while (failure := await self._post(http, message)) is not None:
            reason, again = failure
            if not again or self._clock() + wait >= message.until:
                self._drop(message, reason)
                return
            log.info("the webhook at %s did not take a notice (%s): again in %g s", self._url.host, reason, wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _post(self, http: aiohttp.ClientSession, message: Message) -> tuple[str, bool] | None:
        """Try once: None if it was taken, otherwise what was wrong and whether another try may go better."""
        headers = self._headers(message)
        try:
            # A redirect would take the notice, and an address with a token, to somebody else.
            async with http.post(self._url, data=message.body, headers=headers, allow_redirects=False) as answer:
                if answer.status < 300:
                    return None
                return f"it answered {answer.status}", answer.status >= 500 or answer.status in BUSY
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The text of an error may hold the address. The sandbox of the shipped unit drops what it sends elsewhere.
            hint = "; does IPAddressAllow= of the unit let it out?" if "INVOCATION_ID" in os.environ else ""
            return f"{type(error).__name__}{hint}", True

    def _headers(self, message: Message) -> Mapping[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"asterisk-screener/{__version__}",
            "webhook-id": message.id,
        }
        if self._key is not None:
            # Of each try: receivers refuse what is some minutes old.
            timestamp = str(int(datetime.now(UTC).timestamp()))
            headers["webhook-timestamp"] = timestamp
            headers["webhook-signature"] = sign(self._key, message.id, timestamp, message.body)
        return headers

    def _drop(self, message: Message, reason: str) -> None:
        self.dropped += 1
        log.warning(
            "the webhook at %s did not get a notice (%s): %.300s", self._url.host, reason, message.body.decode()
        )


def signing_key(secret: str) -> bytes:
    """Return the key of a secret: base64 after `whsec_`, as the standard writes it; any other text is one itself.

    Raises ValueError.
    """
    if not secret.startswith(_KEY_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"the webhook's secret begins with {_KEY_PREFIX} and is no base64") from None


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the value of webhook-signature."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
