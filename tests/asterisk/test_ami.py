"""What the connection to the manager interface survives, against a server that says what a test wants.

For the ordinary way, and for what callers really can write into events, see tests/pbx/test_ami.py.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk import ami_wire
from screener.asterisk.ami import IN_FLIGHT, Ami
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.ami_wire import LARGEST_MESSAGE, Wire
from screener.asterisk.errors import AmiError, AmiUnavailableError
from tests.policy.builders import brief

Say = Callable[[bytes], Awaitable[None]]
Headers = dict[str, str]
Script = Callable[[Headers, Say], Awaitable[None]]


async def obliging(asked: Headers, say: Say) -> None:
    """Answer as Asterisk does."""
    value = "Value: " + asked["Variable"] if "Variable" in asked else "Ping: Pong"
    await say(f"Response: Success\r\nActionID: {asked['ActionID']}\r\n{value}\r\n\r\n".encode())


class Hearing:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.connections = 0
        self.news = asyncio.Event()

    def dial_began(self, channel: str) -> None:
        self.began.append(channel)
        self.news.set()

    async def connected(self) -> None:
        self.connections += 1
        self.news.set()

    async def until(self, *, connections: int = 0, began: int = 0) -> None:
        async with asyncio.timeout(15):
            while self.connections < connections or len(self.began) < began:
                self.news.clear()
                await self.news.wait()


class Server:
    """Lets everybody log in, then follows its script."""

    def __init__(self) -> None:
        self.script: Script = obliging
        self.asked: list[Headers] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.news = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)

        async def say(text: bytes) -> None:
            writer.write(text)
            await writer.drain()

        await say(b"Asterisk Call Manager/11.0.0\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                asked = dict(line.split(": ", 1) for line in lines if line)
                self.asked.append(asked)
                self.news.set()
                if asked["Action"] in ("Challenge", "Login"):
                    told = f"Response: Success\r\nActionID: {asked['ActionID']}\r\nChallenge: 123\r\n\r\n"
                    await say(told.encode())
                else:
                    await self.script(asked, say)

    async def was_asked(self, action: str) -> None:
        async with asyncio.timeout(15):
            while not any(one["Action"] == action for one in self.asked):
                self.news.clear()
                await self.news.wait()

    async def say(self, text: bytes) -> None:
        self.writers[-1].write(text)
        await self.writers[-1].drain()


@contextlib.asynccontextmanager
async def connected(script: Script = obliging, **changed: Any) -> AsyncIterator[tuple[Ami, Server, Hearing]]:
    server, hearing = Server(), Hearing()
    server.script = script
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    ami = Ami(AmiSettings.model_validate({"port": port, "user": "screener", "action_seconds": 5, **changed}), "s")
    running = asyncio.Task(ami.run(hearing))
    try:
        await hearing.until(connections=1)
        yield ami, server, hearing
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for writer in server.writers:
            writer.close()
        listening.close()


async def value(ami: Ami, name: str) -> str:
    return (await ami.action("Getvar", Variable=name))[0]["Value"]


# ------------------------------------------------------------------------------------------------------ what it reads


async def test_messages_may_come_in_any_pieces() -> None:
    async def in_pieces(asked: Headers, say: Say) -> None:
        text = f"Response: Success\r\nActionID: {asked['ActionID']}\r\nValue: \u00e4\u4e2d\r\n\r\n".encode()
        for place in range(len(text)):
            await say(text[place : place + 1])
            await asyncio.sleep(0)

    async with connected(in_pieces) as (ami, _, _hearing):
        assert await value(ami, "X") == "\u00e4\u4e2d"


async def test_answers_in_another_order_find_their_actions() -> None:
    held: list[Headers] = []

    async def in_reverse(asked: Headers, say: Say) -> None:
        held.append(asked)
        if len(held) == 20:
            for one in reversed(held):
                await obliging(one, say)

    async with connected(in_reverse) as (ami, _, _hearing):
        names = [f"V{number}" for number in range(20)]
        assert await asyncio.gather(*(value(ami, name) for name in names)) == names


async def test_a_message_that_never_ends_takes_no_memory_and_what_comes_after_it_is_read() -> None:
    async with connected() as (ami, server, hearing):
        await server.say(b"Event: DialBegin\r\nX: ")
        for _ in range(64):
            await server.say(b"x" * LARGEST_MESSAGE)
            assert await asyncio.wait_for(_unread(ami), 5) <= 2 * LARGEST_MESSAGE + 300_000
        await server.say(b"\r\nDestChannel: PJSIP/forged-00000001\r\n\r\nEvent: DialBegin\r\nDestChannel: A\r\n\r\n")
        await hearing.until(began=1)
        assert hearing.began == ["A"]
        assert await value(ami, "X") == "X"
        assert hearing.connections == 1


async def _unread(ami: Ami) -> int:
    await asyncio.sleep(0)
    assert ami._wire is not None
    return len(ami._wire._unread)


STRANGE = [
    b"Event: Shutdown",
    b"Event: DialBegin\r\nEvent: DialBegin",
    b"Event: DialBegin\r\nDestChannel: A\r\nDestChannel: B",
    b"Event: DialBegin",
    b"Event: FullyBooted\r\nEvent: FullyBooted",
    b"Event: X\r\nActionID: a\r\nActionID: b",
    b"Response: Success",
    b"Response: Fail",
    b"Response: Follows\r\nActionID: 7",
    b"ActionID: x",
    b"\r\nActionID: action/1\r\nResponse: Success",
    b": : :",
    b"\xff\xfe\x00",
    b"",
]


async def test_strange_messages_end_nothing() -> None:
    async with connected() as (ami, server, hearing):
        for _ in range(3):
            for message in STRANGE:
                await server.say(message + b"\r\n\r\n")
        assert await value(ami, "X") == "X"
        assert hearing.connections == 1
        assert hearing.began == []


async def test_a_value_with_a_line_end_in_an_answer_is_an_error_and_not_another_answer() -> None:
    async def doubled(asked: Headers, say: Say) -> None:
        await say(f"Response: Success\r\nActionID: {asked['ActionID']}\r\nValue: a\r\nValue: b\r\n\r\n".encode())

    async with connected(doubled) as (ami, server, _):
        with pytest.raises(AmiError, match="cannot be read"):
            await value(ami, "X")
        server.script = obliging
        assert await value(ami, "X") == "X"


class Deaf:
    """A transport for a wire that is fed by hand."""

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


PIECES = st.lists(
    st.sampled_from([*STRANGE, b"\r\n", b"\r\n\r\n", b"\r", b"Event: DBGetTreeResponse\r\nKey: x", b"ActionID: \xff"])
    | st.just(b"Event: DialBegin\r\nDestChannel: PJSIP/a-00000001\r\n\r\n")
    | st.binary(max_size=40),
    max_size=30,
)


@brief
@given(PIECES, st.integers(1, 50))
async def test_whatever_comes_is_read_alike_in_any_pieces(pieces: list[bytes], size: int) -> None:
    text, heard = b"".join(pieces), []
    for length in (len(text) or 1, size):
        began: list[str] = []
        wire = Wire(began.append)
        wire.connection_made(Deaf())
        for place in range(0, len(text), length):
            wire.data_received(text[place : place + length])
        heard.append(began)
    assert heard[0] == heard[1]


def listing(rows: int) -> Script:
    async def listed(asked: Headers, say: Say) -> None:
        tail = f"ActionID: {asked['ActionID']}\r\n\r\n"
        await say(f"Response: Success\r\nEventList: start\r\nMessage: Result will follow\r\n{tail}".encode())
        await say("".join(f"Event: Row\r\nKey: {row}\r\n{tail}" for row in range(rows)).encode())
        await say(f"Event: ListComplete\r\n{tail}".encode())

    return listed


async def test_a_list_is_read_whole_and_others_get_their_turn() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with connected(listing(10_000)) as (ami, _, _hearing):
        counting = asyncio.Task(count())
        rows = await ami.listing("DBGetTree", Family="blacklist")
        counting.cancel()
    assert [row["Key"] for row in rows[1:-1]] == [str(row) for row in range(10_000)]
    assert turns > 10_000 / ami_wire.AT_A_TIME


async def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_wire, "LONGEST_LIST", 100)
    async with connected(listing(1000)) as (ami, server, _):
        with pytest.raises(AmiError, match="more than 100 entries"):
            await ami.listing("DBGetTree", Family="blacklist")
        server.script = obliging
        assert await value(ami, "X") == "X"


# ---------------------------------------------------------------------------------------------------------- deadlines


async def silent(asked: Headers, say: Say) -> None:
    """Never answer."""


async def test_an_action_without_an_answer_fails_at_its_deadline_and_is_forgotten() -> None:
    async with connected(silent, action_seconds=0.1) as (ami, server, hearing):
        for _ in range(3):
            with pytest.raises(AmiUnavailableError, match=r"did not answer Getvar within 0\.1 s"):
                await value(ami, "X")
        assert ami._wire is not None
        assert not ami._wire.responses
        server.script = obliging
        server.writers[-1].close()
        await hearing.until(connections=2)
        assert await value(ami, "Y") == "Y"
    # An action of before is not sent again: by now the call it was about is another.
    assert [one.get("Variable") for one in server.asked if one["Action"] == "Getvar"] == ["X", "X", "X", "Y"]


async def test_too_many_actions_at_once_fail_at_once() -> None:
    async with connected(silent) as (ami, _, _hearing):
        waiting = [asyncio.Task(value(ami, "X")) for _ in range(IN_FLIGHT)]
        await asyncio.sleep(0)
        with pytest.raises(AmiUnavailableError, match=f"{IN_FLIGHT} actions wait"):
            await value(ami, "X")
        for one in waiting:
            one.cancel()


async def test_a_connection_that_closes_fails_what_is_under_way() -> None:
    async with connected(silent) as (ami, server, hearing):
        waiting = asyncio.Task(value(ami, "X"))
        await server.was_asked("Getvar")
        server.writers[-1].close()
        with pytest.raises(AmiUnavailableError, match="closed the connection"):
            await waiting
        await hearing.until(connections=2)


async def test_the_secret_does_not_travel() -> None:
    async with connected() as (_, server, _hearing):
        login = next(one for one in server.asked if one["Action"] == "Login")
    assert login["AuthType"] == "MD5"
    assert login["Events"] == "call"
    assert "Secret" not in login


async def test_what_a_value_holds_begins_no_header() -> None:
    async with connected() as (ami, server, _):
        await ami.action("Getvar", Variable="a\r\nAction: Logoff\r\n\r\nAction: Logoff\x00\ud800" + "y" * 5000)
    (asked,) = [one for one in server.asked if one["Action"] == "Getvar"]
    assert len(asked["Variable"].encode()) < 1024
    assert not any(one["Action"] == "Logoff" for one in server.asked)
