"""The connection to a real Asterisk: which way requests take, what breaks it, and what it survives."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from screener.asterisk.connection import PING, AriConnection
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import Event
from screener.asterisk.http import LARGEST_MESSAGE
from screener.asterisk.rest import Request
from screener.asterisk.settings import AriSettings
from tests.lab.lab import Lab
from tests.lab.pbx import Pbx, Settings
from tests.lab.ports import choose_ports, free_ports
from tests.lab.proxy import Proxy
from tests.pbx.said import Said

pytestmark = pytest.mark.pbx

UNKNOWN = Request(method="GET", path="channels/nobody")


class Listening:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.connections = 0
        self.drained = False
        self.news = asyncio.Event()

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    async def connected(self) -> None:
        self.connections += 1
        self.news.set()

    async def drain(self) -> None:
        self.drained = True

    async def until(self, connections: int) -> None:
        async with asyncio.timeout(15):
            while self.connections < connections:
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def connection(
    pbx: Pbx, password: str | None = None, **settings: Any
) -> AsyncIterator[tuple[AriConnection, Listening, asyncio.Task[None]]]:
    """A connection that runs, with an application of its own."""
    written = {"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user, "application": "conn", **settings}
    listening = Listening()
    opened = AriConnection(AriSettings.model_validate(written), password or pbx.ari_password)
    running = asyncio.Task(opened.run(listening))
    try:
        yield opened, listening, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def lost(opened: AriConnection) -> None:
    """Send requests until one fails for want of a connection."""
    async with asyncio.timeout(15):
        with contextlib.suppress(AriUnavailableError):
            while True:
                await opened.send(PING)


@pytest.fixture
def said() -> Iterator[Said]:
    with Said("screener.asterisk.connection") as handler:
        yield handler


# ------------------------------------------------------------------------------------------------- the way of requests


async def test_requests_take_the_socket_where_asterisk_answers_there(pbx: Pbx) -> None:
    async with Proxy(pbx) as proxy, connection(pbx, url=proxy.url) as (opened, listening, _):
        await listening.until(1)
        assert opened.over_socket
        assert [answer.status for answer in await opened.send(PING, UNKNOWN)] == [200, 404]
        assert proxy.requests == []


async def test_requests_take_http_where_asterisk_ignores_the_socket(pbx: Pbx) -> None:
    async with Proxy(pbx, swallow=True) as proxy, connection(pbx, url=proxy.url) as (opened, listening, _):
        await listening.until(1)
        assert not opened.over_socket
        assert [answer.status for answer in await opened.send(PING, UNKNOWN)] == [200, 404]
        assert proxy.requests == ["/ari/applications/conn/eventFilter", "/ari/asterisk/ping", "/ari/channels/nobody"]


@pytest.mark.parametrize(("rest", "over_socket"), [("http", False), ("websocket", True)])
async def test_the_settings_can_name_the_way(pbx: Pbx, rest: str, over_socket: bool) -> None:
    async with connection(pbx, rest=rest) as (opened, listening, _):
        await listening.until(1)
        assert opened.over_socket is over_socket
        assert (await opened.send(PING))[0].ok


async def test_many_requests_in_flight_get_each_its_own_answer(pbx: Pbx) -> None:
    async with connection(pbx, request_seconds=5) as (opened, listening, _):
        await listening.until(1)
        names = [f"COUNT_{number}" for number in range(200)]
        setting = [Request(method="POST", path="asterisk/variable", query={"variable": n, "value": n}) for n in names]
        await asyncio.gather(*(opened.send(request) for request in setting))
        asking = [Request(method="GET", path="asterisk/variable", query={"variable": name}) for name in names]
        answers = await asyncio.gather(*(opened.send(request) for request in asking))
    assert [json.loads(answer.body)["value"] for (answer,) in answers] == names


@pytest.mark.parametrize("rest", ["http", "websocket"])
async def test_an_answer_that_does_not_come_is_given_up_at_the_deadline(pbx: Pbx, rest: str) -> None:
    async with connection(pbx, rest=rest, request_seconds=0.3) as (opened, listening, _):
        await listening.until(1)
        pbx.signal(signal.SIGSTOP)
        try:
            with pytest.raises(AriUnavailableError, match=r"did not answer within 0\.3 s"):
                await opened.send(PING)
        finally:
            pbx.signal(signal.SIGCONT)


# ------------------------------------------------------------------------------------------------------- what breaks it


async def test_a_broken_connection_is_opened_again_and_requests_meanwhile_fail_at_once(pbx: Pbx) -> None:
    async with Proxy(pbx) as proxy, connection(pbx, url=proxy.url) as (opened, listening, _):
        for number in (1, 2, 3):
            await listening.until(number)
            assert (await opened.send(PING))[0].ok
            await proxy.cut()
            await lost(opened)
        await listening.until(4)
        assert proxy.sockets == 4


async def test_a_request_in_flight_when_the_connection_breaks_is_told_so(pbx: Pbx) -> None:
    async with Proxy(pbx, swallow=True) as proxy:
        at = {"url": proxy.url, "rest": "websocket", "request_seconds": 10}
        async with connection(pbx, None, **at) as (_, listening, running):
            await proxy.until(lambda p: len(p.frames) == 1)  # the event filter, which nobody will answer
            await proxy.cut()
            await proxy.until(lambda p: p.sockets == 2)
            assert not running.done()
            assert listening.connections == 0


async def test_an_asterisk_that_restarts_is_found_again(lab: Lab) -> None:
    async with lab.passing_pbx() as pbx, connection(pbx) as (opened, listening, _):
        await listening.until(1)
        await pbx.kill()
        await lost(opened)
        await pbx.start()
        await listening.until(2)
        assert (await opened.send(PING))[0].ok


async def test_who_registers_the_application_anew_gets_it_and_the_first_one_ends(pbx: Pbx) -> None:
    async with connection(pbx) as (_, first, running):
        await first.until(1)
        async with connection(pbx) as (_, second, _):
            await second.until(1)
            async with asyncio.timeout(5):
                await running
            assert [type(event).__name__ for event in first.events] == ["Replaced", "ConnectionLost"]


# ------------------------------------------------------------------------------------------------------ what refuses it


async def test_a_wrong_password_is_named_and_tried_again(pbx: Pbx, said: Said) -> None:
    async with connection(pbx, password="wrong") as (opened, _, running):
        assert "next try in" in await said.line("it refuses the user 'screener' or the password")
        assert not opened.connected
        assert not running.done()
    assert not any("wrong" in line for line in said.lines)


async def test_a_wrong_address_is_named(pbx: Pbx, said: Said) -> None:
    async with connection(pbx, url=f"http://127.0.0.1:{pbx.ports.http}/wrong"):
        await said.line("no ARI there: is it enabled in ari.conf")
    async with connection(pbx, url="http://127.0.0.1:1"):
        await said.line("Cannot connect to host 127.0.0.1:1")


# ----------------------------------------------------------------------------------------------------- what it survives

STRANGE = [
    "", "{", "[]", "null", "5", "{}", "1e999999", "[" * 100_000, '{"type": 5}', '{"type": "\\ud800"}',
    '{"type": "StasisStart"}', '{"type": "StasisStart", "channel": 1}',
    '{"type": "ChannelDestroyed", "channel": {"id": "x"}, "cause": "y"}',
    '{"type": "RESTResponse"}', '{"type": "RESTResponse", "request_id": "1", "status_code": "x"}',
]  # fmt: skip


async def test_strange_messages_are_counted_told_once_a_kind_and_end_nothing(pbx: Pbx, said: Said) -> None:
    async with Proxy(pbx) as proxy, connection(pbx, url=proxy.url) as (opened, listening, _):
        await listening.until(1)
        for _ in range(3):
            await proxy.say(*STRANGE, b"\x00\xff")
        assert (await opened.send(PING))[0].ok
        assert listening.connections == 1
        assert listening.events == []
        assert sum(opened.unreadable.values()) == 3 * (len(STRANGE) - 2 + 1)  # two are answers nobody waits for
        told = [line for line in said.lines if "cannot be read" in line]
        assert len(told) == len(opened.unreadable) == 5


async def test_a_message_that_is_too_long_costs_one_connection(pbx: Pbx) -> None:
    async with Proxy(pbx) as proxy, connection(pbx, url=proxy.url) as (opened, listening, _):
        await listening.until(1)
        with contextlib.suppress(ConnectionError):  # it may be cut off before it has said it all
            await proxy.say("x" * (LARGEST_MESSAGE + 1))
        await listening.until(2)
        assert (await opened.send(PING))[0].ok


async def test_events_of_other_types_are_filtered_at_asterisk(pbx: Pbx) -> None:
    async with connection(pbx) as (opened, listening, _):
        await listening.until(1)
        (answer,) = await opened.send(Request(method="GET", path="applications/conn"))
        allowed = [entry["type"] for entry in json.loads(answer.body)["events_allowed"]]
    assert "StasisStart" in allowed
    assert "RESTResponse" in allowed
    assert "ChannelVarset" not in allowed


# --------------------------------------------------------------------------------------------------------------- TLS

CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -addext subjectAltName=IP:127.0.0.1 "
    "-keyout /lab/tls.key -out /lab/tls.pem"
)
HTTP_CONF = """[general]
enabled = yes
bindaddr = 127.0.0.1
bindport = {plain}
tlsenable = yes
tlsbindaddr = 127.0.0.1:{tls}
tlscertfile = /lab/tls.pem
tlsprivatekey = /lab/tls.key
"""


async def test_tls_with_a_ca_file_and_not_without(lab: Lab, said: Said) -> None:
    ports, (tls,) = choose_ports(), free_ports(socket.SOCK_STREAM, 1)
    settings = Settings(files={"http.conf": HTTP_CONF.format(plain=ports.http, tls=tls)})
    async with Pbx(lab.root, "tls", settings, agent_port=lab.world.ports.agent, ports=ports) as pbx:
        printed = await pbx.run(*CERTIFICATE.split())
        assert (pbx.directory / "tls.pem").is_file(), printed
        await pbx.end()
        await pbx.start()
        url, authority = f"https://127.0.0.1:{tls}", pbx.directory / "tls.pem"
        for rest in ("http", "websocket"):
            async with connection(pbx, url=url, ca_file=authority, rest=rest) as (opened, listening, _):
                await listening.until(1)
                assert (await opened.send(PING))[0].ok
        async with connection(pbx, url=url) as (opened, _, _):
            await said.line("certificate verify failed")
            assert not opened.connected
