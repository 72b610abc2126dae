"""What is done for an announced call when Asterisk answers oddly or not at all: for the ordinary way see tests/pbx."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from screener.asterisk import announce
from screener.asterisk.announce import Announcer
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import CallEntered, Channel
from screener.asterisk.rest import Answer, Request
from screener.asterisk.tasks import Tasks

OK = Answer(status=204)
RUNG = Answer(status=200, body=json.dumps({"name": "PJSIP/reception-00000007"}))
NAME = "screener-name-1.1"
FACTS = {"announce": NAME, "dial": "PJSIP/reception", "ring": "20", "number": "+12015550123"}

Answers = Callable[[Request], Answer]


def usual(request: Request) -> Answer:
    return RUNG if request.path == "channels" else OK


class Bench:
    """An announcer before a scripted Asterisk."""

    def __init__(self, answer: Answers = usual) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.news = asyncio.Event()
        self.tasks = Tasks()
        self.announcer = Announcer(self, application="screener", tasks=self.tasks)

    async def send(self, *requests: Request) -> list[Answer]:
        self.asked += requests
        self.news.set()
        return [self.answer(request) for request in requests]

    async def announced(self) -> None:
        """Hand over a call, and wait until the phone rings and somebody listens to what becomes of it."""
        self.announcer.take(entered())
        await self.until(lambda: any(request.path.endswith("/subscription") for request in self.asked))

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not reached():
                self.news.clear()
                await self.news.wait()

    @property
    def leases(self) -> list[str]:
        rounds = (request.query.get("extension", "") for request in self.asked)
        return [extension.split(".")[2] for extension in rounds if extension.startswith("r.")]

    async def over(self) -> list[str]:
        await self.tasks.finish(5)
        assert len(self.announcer) == 0
        return [
            f"{request.method} {request.path} {request.query.get('extension', '')}".strip() for request in self.asked
        ]


def entered(id_: str = "1.1", **facts: str) -> CallEntered:
    channel = Channel(id=id_, name="PJSIP/t-00000001", number="", caller_name="", exten="s", language="en")
    return CallEntered(channel=channel, facts={**FACTS, **facts})


HUNG_UP = "DELETE channels/screener-callee-1.1"
REMOVED = f"DELETE recordings/stored/{NAME}"
UNANSWERED = "POST channels/1.1/continue unanswered"
LOST = "POST channels/1.1/continue lost"


async def test_the_phone_rings_under_an_id_of_ours_and_shows_the_number_and_no_name() -> None:
    bench = Bench()
    await bench.announced()
    (ring,) = [request for request in bench.asked if request.path == "channels"]
    assert ring.body == {
        "endpoint": "PJSIP/reception", "context": "screener-ask", "extension": "s", "priority": 1,
        "channelId": "screener-callee-1.1", "originator": "1.1", "callerId": "+12015550123", "timeout": 20,
        "variables": {"SCREENER_CALLER": "PJSIP/t-00000001"},
    }  # fmt: skip
    await bench.until(lambda: bench.asked[-1].query.get("extension") == "r.screener.3.PJSIP/reception-00000007")
    bench.announcer.ended("1.1")
    assert (await bench.over())[-2:] == [HUNG_UP, REMOVED]


async def test_a_callee_who_does_not_answer_leads_on_and_the_name_is_removed() -> None:
    bench = Bench()
    await bench.announced()
    bench.announcer.ended("screener-callee-1.1")
    assert (await bench.over())[-2:] == [UNANSWERED, REMOVED]


async def test_a_decision_is_the_dialplans_business() -> None:
    bench = Bench()
    await bench.announced()
    bench.announcer.answered("screener-callee-1.1")
    bench.announcer.decided("1.1")
    bench.announcer.ended("screener-callee-1.1")
    done = await bench.over()
    assert done[-1] == REMOVED
    assert HUNG_UP not in done
    assert not [one for one in done if "continue" in one and " r.screener." not in one]


async def test_once_the_callee_has_answered_the_lease_outlasts_us() -> None:
    bench = Bench()
    await bench.announced()
    bench.announcer.answered("screener-callee-1.1")
    await bench.until(lambda: bench.leases[-1] == f"{announce.ANSWERED_SECONDS:g}")
    bench.announcer.ended("1.1")
    await bench.over()


@pytest.mark.parametrize(
    ("facts", "seconds"), [({"ring": "30.4"}, 30), ({"ring": "x"}, 20), ({"ring": "1e9"}, 20), ({"ring": "nan"}, 20)]
)
async def test_a_phone_rings_for_a_while_whatever_the_dialplan_says(facts: dict[str, str], seconds: int) -> None:
    bench = Bench()
    bench.announcer.take(entered(**facts))
    await bench.until(lambda: bool(bench.asked))
    assert [request.body["timeout"] for request in bench.asked if request.body and "timeout" in request.body] == [
        seconds
    ]
    bench.announcer.ended("1.1")
    await bench.over()


async def test_an_endpoint_that_asterisk_cannot_ring_lets_the_call_pass(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Answer(status=500, body='{"message":"Allocation failed \x1b[2J"}')
    bench = Bench(lambda request: refusal if request.path == "channels" else OK)
    bench.announcer.take(entered())
    assert (await bench.over())[-2:] == [LOST, REMOVED]
    assert "cannot ring PJSIP/reception for call 1.1: 500" in caplog.text
    assert "\x1b" not in caplog.text


async def test_a_phone_that_was_over_before_we_could_listen_has_not_answered() -> None:
    bench = Bench(lambda request: Answer(status=422) if request.path.endswith("/subscription") else usual(request))
    bench.announcer.take(entered())
    assert (await bench.over())[-2:] == [UNANSWERED, REMOVED]


@pytest.mark.parametrize("status", [404, 409])
async def test_a_caller_who_is_gone_already_makes_no_phone_ring_on(status: int) -> None:
    bench = Bench(lambda request: Answer(status=status) if request.path.startswith("channels/1.1") else usual(request))
    bench.announcer.take(entered())
    assert HUNG_UP in await bench.over()


async def test_a_callee_of_whom_nothing_is_heard_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "GRACE_SECONDS", -1.0)
    bench = Bench()
    bench.announcer.take(entered(ring="1"))
    assert (await bench.over())[-3:] == [HUNG_UP, UNANSWERED, REMOVED]


async def test_a_connection_that_breaks_leaves_the_call_to_the_dialplan(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    await bench.announced()

    def lost(_: Request) -> Answer:
        raise AriUnavailableError("the connection to Asterisk was lost")

    bench.answer = lost
    bench.announcer.answered("screener-callee-1.1")
    await bench.over()
    await bench.announcer.connected([])
    assert "the announced call 1.1 is left to the dialplan: the connection to Asterisk was lost" in caplog.text
    assert "cannot look for what is left of announced calls" in caplog.text


async def test_who_stops_sends_on_whoever_waits_and_takes_nobody_more() -> None:
    bench = Bench()
    await bench.announced()
    bench.announcer.stop()
    bench.announcer.take(entered("2.2"))
    done = await bench.over()
    assert LOST in done
    assert "POST channels/2.2/continue lost" in done
    assert REMOVED not in done  # the callee may be listening to it


async def test_calls_beyond_the_limit_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "ANNOUNCED", 1)
    bench = Bench()
    await bench.announced()
    bench.announcer.take(entered("2.2"))
    bench.announcer.take(entered("1.1"))
    bench.announcer.ended("1.1")
    assert "POST channels/2.2/continue lost" in await bench.over()


async def test_what_is_heard_of_other_channels_changes_nothing() -> None:
    bench = Bench()
    bench.announcer.answered("9.9")
    bench.announcer.decided("9.9")
    bench.announcer.ended("9.9")
    assert await bench.over() == []


# ---------------------------------------------------------------------------------------------------- a new connection


def left(channels: dict[str, str], recordings: list[str]) -> Answers:
    def answer(request: Request) -> Answer:
        if request.method == "GET" and request.path == "channels":
            return Answer(status=200, body=json.dumps([{"id": id_, "state": state} for id_, state in channels.items()]))
        if request.method == "GET":
            return Answer(status=200, body=json.dumps([{"name": name, "format": "wav"} for name in recordings]))
        return usual(request)

    return answer


async def test_what_an_earlier_daemon_left_is_put_in_order() -> None:
    channels = {
        "1.1": "Up", "screener-callee-1.1": "Ringing",  # a phone that rings for nobody who could connect it
        "2.2": "Up", "screener-callee-2.2": "Up",  # the dialplan asks: not ours to disturb
        "another-callee-3.3": "Ringing", "3.3": "Up",
    }  # fmt: skip
    names = ["screener-name-1.1", "screener-name-9.9", "an-administrators-own", "screener-name-../x"]
    bench = Bench(left(channels, names))
    await bench.announcer.connected(["1.1", "2.2"])
    assert (await bench.over())[2:] == [HUNG_UP, LOST, "DELETE recordings/stored/screener-name-9.9"]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"1.1": "Up"}, UNANSWERED),
        ({"screener-callee-1.1": "Ringing"}, HUNG_UP),
    ],
)
async def test_an_end_that_nobody_told_us_of_is_noticed(channels: dict[str, str], expected: str) -> None:
    bench = Bench()
    await bench.announced()
    bench.answer = left(channels, [])
    await bench.announcer.connected([])
    assert expected in await bench.over()


async def test_an_answer_that_nobody_told_us_of_is_noticed() -> None:
    bench = Bench()
    await bench.announced()
    bench.answer = left({"1.1": "Up", "screener-callee-1.1": "Up"}, [])
    await bench.announcer.connected(["1.1"])
    await bench.until(lambda: bench.leases[-1] == f"{announce.ANSWERED_SECONDS:g}")
    bench.announcer.ended("screener-callee-1.1")
    assert UNANSWERED in await bench.over()


@pytest.mark.parametrize("body", ["", "[", "5", "[5]", "{}"])
async def test_lists_that_cannot_be_read_are_told_and_no_more(body: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(lambda _: Answer(status=200, body=body))
    await bench.announcer.connected(["1.1"])
    assert "cannot look for what is left of announced calls" in caplog.text
    assert len(await bench.over()) == 2


async def test_an_asterisk_that_has_recorded_nothing_yet_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    nothing: dict[str, Any] = {"message": "no such directory"}

    def answer(request: Request) -> Answer:
        if request.path == "recordings/stored":
            return Answer(status=500, body=json.dumps(nothing))
        return Answer(status=200, body="[]")

    await Bench(answer).announcer.connected([])
    assert not caplog.records
