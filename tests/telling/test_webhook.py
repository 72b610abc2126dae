"""What a receiver of notices gets, and what one that does not receive costs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from screener.policy.remembered import Notice
from screener.telling import webhook as webhook_module
from screener.telling.settings import WebhookSettings
from screener.telling.webhook import QUEUED, Message, Webhook, sign, signing_key

NOTICE = Notice(code="surge-began", about="PBX", text="far more strangers than usual", at=0)


class Receiver:
    """A server that answers as told, and keeps what it got."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.news = asyncio.Event()
        self.url = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        self.news.set()
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(*answers)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?token=tell-nobody"
    yield receiver
    await runner.cleanup()


class Watched(Webhook):
    """Tells when it gives a notice up."""

    gave_up: asyncio.Event

    def _drop(self, message: Message, reason: str) -> None:
        super()._drop(message, reason)
        self.gave_up.set()


def hook(url: str, secret: str | None = None, clock: Callable[[], float] = lambda: 0.0, **changed: Any) -> Watched:
    webhook = Watched(WebhookSettings.model_validate({"url": url, **changed}), secret, clock)
    webhook.gave_up = asyncio.Event()
    return webhook


@asynccontextmanager
async def served(webhook: Webhook) -> AsyncIterator[None]:
    serving = asyncio.Task(webhook.serve())
    yield
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_module, "FIRST_WAIT", 0.001)


async def test_a_notice_arrives_signed() -> None:
    async with receiving() as receiver:
        webhook = hook(receiver.url, "a secret")
        webhook.put(NOTICE, 1795572793.25)
        async with served(webhook):
            await receiver.wait(1)
    ((headers, body),) = receiver.got
    assert json.loads(body) == {
        "type": "surge-began", "timestamp": "2026-11-25T02:13:13.250+00:00", "about": "PBX",
        "text": "far more strangers than usual",
    }  # fmt: skip
    expected = sign(b"a secret", headers["webhook-id"], headers["webhook-timestamp"], body)
    assert headers["webhook-signature"] == expected


def test_the_signature_is_the_one_of_the_standard() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks (libraries/python/tests)."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_without_a_secret_nothing_is_signed() -> None:
    async with receiving() as receiver:
        webhook = hook(receiver.url)
        webhook.put(NOTICE, 0)
        async with served(webhook):
            await receiver.wait(1)
    assert "webhook-signature" not in receiver.got[0][0]


async def test_a_receiver_in_trouble_is_tried_again_with_the_same_id_and_in_order() -> None:
    async with receiving(500, 429, 204) as receiver:
        webhook = hook(receiver.url)
        webhook.put(NOTICE, 0)
        webhook.put(Notice(code="surge-ended", about="PBX", text="", at=0), 0)
        async with served(webhook):
            await receiver.wait(4)
    kinds = [json.loads(body)["type"] for _, body in receiver.got]
    assert kinds == ["surge-began"] * 3 + ["surge-ended"]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2


@pytest.mark.parametrize("status", [400, 404, 302])
async def test_a_receiver_that_refuses_is_not_asked_again_nor_followed_elsewhere(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(status) as receiver:
        webhook = hook(receiver.url)
        webhook.put(NOTICE, 0)
        webhook.put(NOTICE, 0)
        async with served(webhook):
            await receiver.wait(2)
    assert webhook.dropped == 1
    assert f"it answered {status}" in caplog.text
    assert "tell-nobody" not in caplog.text


async def test_a_receiver_that_is_away_is_given_up_after_its_time(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 0.0, 10.0, 50.0, 61.0])
    webhook = hook("http://127.0.0.1:1/tell-nobody", clock=lambda: next(times), minutes=1)
    webhook.put(NOTICE, 0)
    with caplog.at_level("INFO"):
        async with served(webhook):
            await webhook.gave_up.wait()
    assert "127.0.0.1 did not take a notice (ClientConnectorError): again in 0.001 s" in caplog.text
    assert "did not get a notice" in caplog.text
    assert "tell-nobody" not in caplog.text


async def test_a_receiver_that_never_answers_holds_up_nobody() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    webhook = hook(f"http://127.0.0.1:{port}/", seconds=0.05, minutes=0)
    async with served(webhook):
        for _ in range(QUEUED + 3):
            webhook.put(NOTICE, 0)  # returns at once
        assert webhook.dropped == 3
        webhook.gave_up.clear()
        await webhook.gave_up.wait()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "file:///etc/passwd"])
def test_only_the_web_is_an_address(url: str) -> None:
    with pytest.raises(ValidationError, match="begins with https"):
        WebhookSettings.model_validate({"url": url})


def test_a_secret_that_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="is no base64"):
        signing_key("whsec_!!!")
    assert signing_key("plain") == b"plain"


def test_there_is_no_webhook_without_an_address() -> None:
    with pytest.raises(ValueError, match="no address"):
        Webhook(WebhookSettings(), None, lambda: 0.0)
