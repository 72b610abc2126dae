"""REST over the WebSocket that delivers the events (Asterisk 20.14, 22.4 and later).

Requests are written one behind the other without waiting; answers carry the `request_id` of their request and come
between events. https://docs.asterisk.org/Configuration/Interfaces/Asterisk-REST-Interface-ARI/ARI-REST-over-WebSocket/
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.rest import Answer, Request


class SocketRest:
    """Matches requests and answers on one WebSocket."""

    def __init__(self, write: Callable[[str], Awaitable[None]], deadline: float) -> None:
        """`write` sends one text frame; `deadline` is the seconds that answers may take."""
        self._write = write
        self._deadline = deadline
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send the requests in one go; see `Rest.send`."""
        loop = asyncio.get_running_loop()
        asked = {str(next(self._ids)): request for request in requests}
        answers = {request_id: loop.create_future() for request_id in asked}
        self._waiting.update(answers)
        try:
            async with asyncio.timeout(self._deadline):
                for request_id, request in asked.items():
                    await self._write(_frame(request_id, request))
                return list(await asyncio.gather(*answers.values()))
        except TimeoutError as error:
            raise AriUnavailableError(f"Asterisk did not answer within {self._deadline:g} s") from error
        except ConnectionError as error:
            raise AriUnavailableError(f"the connection to Asterisk was lost: {error}") from error
        finally:
            for request_id in answers:
                self._waiting.pop(request_id, None)

    def answered(self, message: Mapping[str, Any]) -> None:
        """Take a RESTResponse message. One that nobody waits for any more is dropped."""
        waiting = self._waiting.get(str(message.get("request_id")))
        status = message.get("status_code")
        if waiting is not None and not waiting.done() and isinstance(status, int):
            waiting.set_result(Answer(status=status, body=str(message.get("message_body") or "")))

    def lost(self) -> None:
        """Tell everyone who waits that no answer will come."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AriUnavailableError("the connection to Asterisk was lost"))


def _frame(request_id: str, request: Request) -> str:
    frame: dict[str, Any] = {
        "type": "RESTRequest",
        "transaction_id": request_id,
        "request_id": request_id,
        "method": request.method,
        "uri": request.uri,
    }
    if request.body is not None:
        frame |= {"content_type": "application/json", "message_body": json.dumps(request.body)}
    return json.dumps(frame)
