"""The FastAGI server over real sockets: a call is judged, and a connection that is none harms nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest

from screener.asterisk import fastagi
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import OutcomeReported
from screener.asterisk.fastagi import FastAgi
from screener.asterisk.fastagi_settings import FastAgiSettings
from screener.asterisk.rest import Answer, Request
from screener.policy.remembered import Result
from screener.policy.verdict import Treatment
from tests.asterisk.agi_peer import Peer
from tests.asterisk.test_gate import PASSED, Asterisk, Bench, ended, entered
from tests.pbx.said import Said
from tests.policy.builders import CALLER, make_policy

GONE = "not screened: the call had gone on, or was over, before its verdict came"
REFUSED = "not screened: Asterisk did not carry out the verdict"


class Desk(Bench):
    """A FastAGI server beside the gate, at the same desk."""

    def __init__(self, *, asterisk: Asterisk | None = None, policy: Any = None, **settings: Any) -> None:
        super().__init__(policy or make_policy(), asterisk)
        wished = {"enabled": True, "port": 1, "header_seconds": 30, "answer_seconds": 10, **settings}
        self.settings = FastAgiSettings.model_validate(wished).model_copy(update={"port": 0})
        self.server = FastAgi(self.settings, self.desk, self.asterisk, application="screener", pepper=b"x")
        self.port = 0

    async def call(self, **wished: Any) -> Peer:
        """Place a call, and return it when AGI() is over; the journal has it then."""
        return await Peer(**wished).call(self.port)


@asynccontextmanager
async def listening(**wished: Any) -> AsyncIterator[Desk]:
    desk = Desk(**wished)
    desk.port = await desk.server.listen()
    try:
        yield desk
    finally:
        await desk.server.drain()


def unavailable(_: Request) -> Answer:
    raise AriUnavailableError("not connected to Asterisk")


# ----------------------------------------------------------------------------------------------------- the ordinary way


async def test_a_call_gets_the_variables_that_stasis_would_set() -> None:
    async with listening(policy=make_policy(ladder=[{"score": 0, "treatment": "captcha"}])) as desk:
        peer = await desk.call(name="Bob")
    assert peer.variables["SCREENER_TREATMENT"] == "captcha"
    assert peer.variables["SCREENER_MODE"] == "live"
    assert peer.variables["SCREENER_POLICY"] == desk.policy.version
    assert len(peer.variables["SCREENER_HASH_1"]) == 40
    assert peer.variables["SCREENER_WHY"]
    (judged,) = desk.record.verdicts
    assert (judged.call.id, judged.call.caller.key, judged.call.did) == ("1.1", CALLER, "+14155550100")
    assert (judged.call.name, judged.call.trunk) == ("Bob", "trunk")
    assert desk.desk.judged["calls"] == 1


async def test_it_shares_memory_with_the_gate() -> None:
    bucket = {"capacity": 2, "refill_per_hour": 1}
    async with listening(policy=make_policy(bucket=bucket, ladder=[{"score": 5, "treatment": "reject"}])) as desk:
        first = await desk.call()
        await desk.take(entered("1.2"))
        third = await desk.call(uniqueid="1.3")
    assert [peer.variables["SCREENER_TREATMENT"] for peer in (first, third)] == ["pass", "reject"]
    assert desk.asterisk.continued == ["screener-pass"]


async def test_with_ari_what_becomes_of_the_call_is_learned() -> None:
    async with listening(policy=make_policy(ladder=[{"score": 0, "treatment": "captcha"}])) as desk:
        await desk.call()
        await desk.take(OutcomeReported(channel_id="1.1", outcome=PASSED), ended())
        again = await desk.call(uniqueid="1.2")
        await desk.take(ended("1.2"))
    assert [request.uri for request in desk.asterisk.asked] == [
        f"applications/screener/subscription?eventSource=channel%3A{id_}" for id_ in ("1.1", "1.2")
    ]
    assert desk.record.outcomes == [("1.1", PASSED)]
    assert [id_ for id_, _ in desk.record.ends] == ["1.1", "1.2"]
    assert again.variables["SCREENER_TREATMENT"] == "pass"


@pytest.mark.parametrize("answer", [unavailable, lambda _: Answer(status=404)])
async def test_without_ari_it_is_judged_all_the_same(answer: Callable[[Request], Answer]) -> None:
    async with listening(asterisk=Asterisk(answer)) as desk:
        peer = await desk.call()
        await desk.take(OutcomeReported(channel_id="1.1", outcome=PASSED), ended())
    assert peer.variables["SCREENER_TREATMENT"] == "pass"
    assert len(desk.record.verdicts) == 1
    assert (desk.record.outcomes, desk.record.ends, desk.desk.following()) == ([], [], set())


async def test_an_ari_that_keeps_silent_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastagi, "SUBSCRIBE_SECONDS", 0.01)

    class Silent(Asterisk):
        async def send(self, *requests: Request) -> list[Answer]:
            await asyncio.Event().wait()
            return []

    async with listening(asterisk=Silent()) as desk:
        peer = await desk.call()
        # It was asked, and may well have done it.
        assert desk.desk.following() == {"1.1"}
    assert peer.variables["SCREENER_TREATMENT"] == "pass"


async def test_a_policy_that_fails_lets_the_call_through(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as desk:
        desk.memory.observe = None  # type: ignore[assignment,method-assign]
        peer = await desk.call()
    assert peer.variables["SCREENER_TREATMENT"] == "pass"
    assert peer.variables["SCREENER_REASONS"] == "error"
    assert "the policy failed for call 1.1" in caplog.text


async def test_too_many_at_once_go_on_unjudged() -> None:
    async with listening() as desk:
        with ExitStack() as held:
            for id_ in ("7.1", "7.2", "7.3"):
                held.enter_context(desk.desk.hold(id_))
            peer = await desk.call()
    assert peer.variables["SCREENER_REASONS"] == "overloaded"


async def test_who_cannot_tell_the_facts_is_judged_by_what_it_sent() -> None:
    def plain(command: str) -> bytes:
        return b"200 result=1\n" if command.startswith("SET ") else b"200 result=0\n"

    async with listening(answer_seconds=0.05) as desk:
        peer = Peer()
        peer.answer = plain
        await peer.call(desk.port)
    assert [judged.call.caller.key for judged in desk.record.verdicts] == [CALLER]
    assert any("SCREENER_TREATMENT" in command for command in peer.commands)


# ------------------------------------------------------------------------------------------- what goes wrong on the way


async def broken(desk: Desk, at: str, answer: bytes | None) -> Peer:
    """A call that is answered so, at the first command that holds `at`."""
    peer = Peer()
    peer.answer = lambda command: answer if at in command else peer.carry_out(command)
    await peer.call(desk.port)
    return peer


@pytest.mark.parametrize("answer", [None, b"HANGUP\n"])
async def test_a_call_that_goes_before_its_verdict_is_recorded_as_that(answer: bytes | None) -> None:
    async with listening() as desk:
        peer = await broken(desk, "SCREENER_WHY", answer)
        await desk.take(ended())
    (judged,) = desk.record.verdicts
    assert (judged.verdict.acted, judged.verdict.decided_by) == (Treatment.PASS, GONE)
    assert "SCREENER_TREATMENT" not in peer.variables
    assert len(desk.record.ends) == 1


@pytest.mark.parametrize("answer", [b"510 Invalid or unknown command\n", b"520-Invalid\n", b"\x1b[2J\xff\n", b"\n"])
async def test_an_asterisk_that_refuses_is_told_of(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as desk:
        await broken(desk, "SCREENER_WHY", answer)
    assert [judged.verdict.decided_by for judged in desk.record.verdicts] == [REFUSED]
    assert "call 1.1 goes on unscreened: Asterisk answers" in caplog.text
    assert "\x1b" not in caplog.text


async def test_an_asterisk_that_stops_answering_loses_no_call(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(answer_seconds=0.05) as desk:
        peer = await broken(desk, "SCREENER_WHY", b"")
    assert [judged.verdict.decided_by for judged in desk.record.verdicts] == [REFUSED]
    assert "nothing came within 0.05 s" in caplog.text
    assert "SCREENER_TREATMENT" not in peer.variables


async def test_the_verdict_counts_when_only_its_last_answer_is_missing() -> None:
    async with listening(answer_seconds=0.05) as desk:
        await broken(desk, "SCREENER_TREATMENT", b"")
    assert [judged.verdict.decided_by == REFUSED for judged in desk.record.verdicts] == [False]


async def test_a_call_that_asterisk_left_while_we_were_stopped_is_not_judged() -> None:
    async with listening() as desk:
        peer = await Peer().connect(desk.port)
        peer.send(peer.environment + "\nHANGUP\nHANGUP\n")
        peer.writer.write_eof()
        await peer.closed()
    assert desk.record.verdicts == []


async def test_another_script_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as desk:
        peer = await desk.call(script="billing\x1b")
    assert peer.commands == []
    assert desk.record.verdicts == []
    assert "AGI() asks for 'billing\N{REPLACEMENT CHARACTER}'" in caplog.text


async def test_a_script_may_have_a_query() -> None:
    async with listening() as desk:
        await desk.call(script="screen/?x=1")
    assert len(desk.record.verdicts) == 1


async def test_a_fault_of_ours_costs_one_call_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening() as desk:
        with monkeypatch.context() as patched:
            patched.setattr(fastagi, "read_call", None)
            await desk.call()
        assert "a FastAGI connection failed: its call goes on unscreened" in caplog.text
        await desk.call()
    assert len(desk.record.verdicts) == 1


# ----------------------------------------------------------------------------------------- connections that are no call


HUGE = b"agi_channel: " + b"x" * 100_000
SENT = {
    "nothing": b"",
    "a part of a line": b"agi_netw",
    "a part of the environment": b"agi_network: yes\nagi_network_script: screen\n",
    "an end and nothing before it": b"\n\n",
    "a huge line": HUGE,
    "a huge environment": b"agi_channel: x\n" * 10_000,
    "HTTP": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:4573\r\n\r\n\n\n",
    "bytes": bytes(range(256)) * 4 + b"\n\n",
    "no channel": b"agi_network_script: screen\n\n200 result=1\n",
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
async def test_a_connection_that_is_no_call_harms_nothing(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as desk:
        for _ in range(3):
            peer = await Peer().connect(desk.port)
            peer.send(sent)
            peer.writer.write_eof()
            await peer.closed()
        await desk.call()
        assert not desk.server._open
    assert len(desk.record.verdicts) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def endless(peer: Peer) -> None:
    while True:
        peer.send(HUGE)
        await peer.writer.drain()


async def test_who_sends_without_end_is_closed() -> None:
    async with listening() as desk:
        peer = await Peer().connect(desk.port)
        with pytest.raises(ConnectionError):
            await endless(peer)
        peer.hang_up()


async def test_a_silent_connection_is_closed_when_its_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(header_seconds=0.05) as desk:
        peer = await Peer().connect(desk.port)
        peer.send("agi_network: yes\n")
        assert await peer.closed() == b""
    assert "it sent no environment within 0.05 s" in caplog.text


async def test_an_environment_without_answers_after_it_is_closed_and_not_judged() -> None:
    async with listening(answer_seconds=0.05) as desk:
        peer = await Peer().connect(desk.port)
        peer.send(peer.environment + "\n")
        assert (await peer.closed()).startswith(b"GET FULL VARIABLE")
    assert desk.record.verdicts == []


async def silent(desk: Desk, count: int) -> list[Peer]:
    return [await Peer().connect(desk.port) for _ in range(count)]


def hang_up(peers: list[Peer]) -> None:
    for peer in peers:
        peer.hang_up()


async def test_200_connections_that_say_nothing_keep_nobody_waiting() -> None:
    async with listening(connections=200) as desk:
        peers = await silent(desk, 200)
        peer = await desk.call()
        # One had to make room, the oldest.
        await peers[0].closed()
        assert len(desk.server._open) == 199
        hang_up(peers)
    assert peer.variables["SCREENER_TREATMENT"] == "pass"


async def test_a_connection_is_refused_where_all_others_are_calls(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(connections=2) as desk:
        calls = await silent(desk, 2)
        for peer in calls:
            peer.send(peer.environment + "\n")
            await peer.reader.readline()
        (third,) = await silent(desk, 1)
        assert await third.closed() == b""
        hang_up([*calls, third])
    assert "more than 2 FastAGI connections at once: one is refused" in caplog.text


async def test_connections_that_end_leave_room() -> None:
    async with listening(connections=3) as desk:
        for number in range(20):
            await desk.call(uniqueid=f"1.{number}")
    assert len(desk.record.verdicts) == 20


# -------------------------------------------------------------------------------------------------------- start and end


async def test_it_listens_only_where_it_is_wanted() -> None:
    desk = Desk(enabled=False)
    await desk.server.run()
    assert not desk.server.ready.is_set()


async def test_it_waits_for_an_older_screener_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastagi, "AGAIN_SECONDS", 0.01)
    with Said("screener.asterisk.fastagi") as said:
        await _replace_older(said)


async def _replace_older(said: Said) -> None:
    async with listening() as older:
        desk = Desk()
        desk.server._settings = desk.settings.model_copy(update={"port": older.port})
        running = asyncio.Task(desk.server.run())
        await said.line("no FastAGI at 127.0.0.1")
        assert desk.server.way == "FastAGI does not listen yet"
        await older.server.drain()
        await desk.server.ready.wait()
        assert desk.server.way == f"FastAGI at 127.0.0.1:{older.port}"
        desk.port = older.port
        await desk.call()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(desk.record.verdicts) == 1
    assert len([line for line in said.lines if "no FastAGI at 127.0.0.1" in line]) == 1


async def test_at_the_end_calls_are_finished_and_the_silent_are_closed() -> None:
    async with listening() as desk:
        (waiting,) = await silent(desk, 1)
        caller = await Peer().connect(desk.port)
        caller.send(caller.environment + "\n")
        await caller.reader.readline()
        draining = asyncio.Task(desk.server.drain())
        assert await waiting.closed() == b""
        with pytest.raises(ConnectionRefusedError):
            await silent(desk, 1)
        hang_up([waiting, caller])
        await draining
    assert not desk.server._open


async def test_who_abandons_the_captcha_is_learned_of_too() -> None:
    async with listening(policy=make_policy(ladder=[{"score": 0, "treatment": "captcha"}])) as desk:
        await desk.call()
        await desk.take(ended())
    assert [outcome.result for _, outcome in desk.record.outcomes] == [Result.ABANDONED]
