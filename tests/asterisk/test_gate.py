"""What the gate does when Asterisk answers oddly or not at all: for the ordinary way see tests/pbx."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from screener.asterisk.clocks import Clocks
from screener.asterisk.desk import CALLS_FOLLOWED, Desk
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.events import (
    CallDialled,
    CallEnded,
    CallEntered,
    CallOffered,
    CallTransferred,
    Channel,
    ConnectionLost,
    OutcomeReported,
)
from screener.asterisk.gate import Gate
from screener.asterisk.load import Load
from screener.asterisk.rest import Answer, Request
from screener.asterisk.settings import OverloadSettings
from screener.memory.journal import Ended, Judged
from screener.memory.local import LocalMemory
from screener.policy.call import Call
from screener.policy.decide import unjudged
from screener.policy.policy import Policy
from screener.policy.remembered import Ending, Notice, Outcome, Result, Window, WindowKind
from screener.policy.verdict import Treatment, Verdict
from tests.policy.builders import CALLER, make_call, make_policy

CAPTCHA = make_policy(signals={"attestation": {"points": {"none": 5}}})
PASSED = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1)
OK = Answer(status=204)


class Asterisk:
    """Answers requests as told, and keeps them."""

    def __init__(self, answer: Callable[[Request], Answer] = lambda _: OK) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def send(self, *requests: Request) -> list[Answer]:
        self.asked += requests
        return [self.answer(request) for request in requests]

    @property
    def continued(self) -> list[str]:
        return [request.query["context"] for request in self.asked if request.path.endswith("/continue")]


class Record:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.verdicts: list[Judged] = []
        self.outcomes: list[tuple[str, Outcome]] = []
        self.ends: list[tuple[str, Ended]] = []

    def judged(self, judged: Judged) -> None:
        self.verdicts.append(judged)

    def outcome(self, call_id: str, outcome: Outcome, at: float) -> None:
        self.outcomes.append((call_id, outcome))

    def ended(self, call_id: str, ended: Ended) -> None:
        self.ends.append((call_id, ended))


class Bench:
    """A gate between a scripted Asterisk and a record."""

    def __init__(self, policy: Policy = CAPTCHA, asterisk: Asterisk | None = None, record: Record | None = None,
                 memory: LocalMemory | None = None, count: Callable[[Verdict], None] = lambda _: None,
                 tell: Callable[[Notice], None] = lambda _: None,
                 overload_treatment: Treatment = Treatment.PASS, **settings: Any) -> None:  # fmt: skip
        self.asterisk, self.record, self.policy = asterisk or Asterisk(), record or Record(), policy
        self.memory = memory or LocalMemory(seed=1, callers=1024)
        self.load = Load(OverloadSettings(calls=3), lambda: 0.0)
        self.now = 100.0
        clocks = Clocks(steady=lambda: self.now, wall=lambda: 1e9 + self.now)
        self.desk = Desk(
            memory=self.memory, record=self.record, policy=lambda: self.policy, clocks=clocks, load=self.load,
            overload_treatment=overload_treatment, count=count, tell=tell,
        )  # fmt: skip
        self.gate = Gate(self.asterisk, self.desk, application="screener", pepper=b"x", **settings)

    async def take(self, *events: Any) -> None:
        for event in events:
            self.gate.take(event)
            await self.gate.tasks.finish(5)


def entered(id_: str = "1.1", number: str = CALLER) -> CallEntered:
    channel = Channel(id=id_, name="PJSIP/t-00000001", number=number, caller_name="", exten="s", language="en")
    return CallEntered(channel=channel, facts={"did": "4155550100"})


def ended(id_: str = "1.1", cause: int = 16) -> CallEnded:
    return CallEnded(channel_id=id_, cause=cause, cause_text="Normal Clearing", seconds=5)


def survey_of(
    waiting: Iterable[str], present: Iterable[str] = (), talking: Mapping[str, float] = MappingProxyType({})
) -> Callable[[Request], Answer]:
    """An Asterisk in which `waiting` are in Stasis, `present` elsewhere, and `talking` of these in conversation."""
    part = {"name": "PJSIP/t-00000001", "caller": {"name": "", "number": CALLER}}

    def channel(id_: str, app: str) -> dict[str, Any]:
        return {"id": id_, **part, "dialplan": {"exten": "s", "app_name": app, "app_data": "screener,did=4155550100"}}

    def answer(request: Request) -> Answer:
        if request.path == "channels":
            listed = [channel(id_, "Stasis") for id_ in waiting] + [channel(id_, "Dial") for id_ in present]
            return Answer(status=200, body=json.dumps(listed))
        if request.path == "bridges":
            bridges = [
                {"bridge_type": "mixing", "channels": [id_, "x"], "creationtime": f"{datetime.fromtimestamp(at, UTC)}"}
                for id_, at in talking.items()
            ]
            return Answer(status=200, body=json.dumps(bridges))
        if request.path == "applications/screener" and request.method == "GET":
            return Answer(status=200, body=json.dumps({"channel_ids": [*waiting, *present]}))
        return OK

    return answer


# --------------------------------------------------------------------------------------------------------- odd answers


async def test_a_second_visit_of_a_call_that_was_caught_up_with_is_judged_too() -> None:
    bench = Bench(asterisk=Asterisk(survey_of(["1.1"])))
    await bench.gate.connected()
    await bench.gate.drain()
    await bench.take(entered())  # its event, late: it is judged already
    assert len(bench.record.verdicts) == 1
    await bench.take(entered())
    assert len(bench.record.verdicts) == 2


async def test_a_call_judged_while_the_survey_was_on_its_way_is_not_taken_for_ended() -> None:
    bench = Bench(asterisk=Asterisk(survey_of(["1.1"])))
    catching_up = asyncio.Task(bench.gate.connected())
    await asyncio.sleep(0)
    bench.gate.take(entered("2.2"))
    await catching_up
    await bench.gate.drain()
    assert bench.record.ends == []


async def test_a_call_is_subscribed_to_told_and_sent_on_in_this_order() -> None:
    bench = Bench()
    await bench.take(entered())
    paths = [request.path for request in bench.asterisk.asked]
    assert paths[0] == "applications/screener/subscription"
    assert set(paths[1:-1]) == {"asterisk/variable"}
    assert paths[-1] == "channels/1.1/continue"
    assert bench.asterisk.continued == ["screener-captcha"]


@pytest.mark.parametrize("status", [409, 412])
async def test_a_call_that_had_gone_on_before_its_verdict_is_followed_to_its_end(status: int) -> None:
    def left(request: Request) -> Answer:
        return OK if request.path.startswith("applications/") else Answer(status=status)

    bench = Bench(asterisk=Asterisk(left))
    await bench.take(entered())
    assert [judged.verdict.treatment for judged in bench.record.verdicts] == [Treatment.PASS]
    assert [reason.code for reason in bench.record.verdicts[0].verdict.reasons] == ["late"]
    assert bench.record.ends == []
    await bench.take(ended())
    assert [end.cause_text for _, end in bench.record.ends] == ["Normal Clearing"]


async def test_an_end_that_comes_before_the_last_answer_is_recorded_after_the_verdict() -> None:
    order: list[str] = []

    class Order(Record):
        def judged(self, judged: Judged) -> None:
            order.append("judged")

        def ended(self, call_id: str, ended: Ended) -> None:
            order.append("ended")

    bench = Bench(record=Order())

    def at_the_last(request: Request) -> Answer:
        if request.path.endswith("/continue"):
            bench.gate.take(ended())
        return OK

    bench.asterisk.answer = at_the_last
    await bench.take(entered())
    assert order == ["judged", "ended"]


async def test_a_call_that_hung_up_before_its_verdict_is_recorded_as_that() -> None:
    bench = Bench(asterisk=Asterisk(lambda _: Answer(status=404)))
    await bench.take(entered())
    assert [judged.verdict.treatment for judged in bench.record.verdicts] == [Treatment.CAPTCHA]
    assert [(id_, end.cause_text) for id_, end in bench.record.ends] == [("1.1", "hung up before it was treated")]
    await bench.take(ended())
    assert len(bench.record.ends) == 1


@pytest.mark.parametrize("status", [400, 401, 500, 503])
async def test_an_answer_that_is_a_refusal_is_told_and_the_lease_does_the_rest(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(asterisk=Asterisk(lambda _: Answer(status=status, body="\x1b[2J no")))
    await bench.take(entered())
    assert f"Asterisk answered {status} to applications/screener/subscription: '\\x1b[2J no'" in caplog.text
    assert len(bench.record.verdicts) == 1


async def test_an_asterisk_that_does_not_answer_leaves_the_call_to_the_lease(caplog: pytest.LogCaptureFixture) -> None:
    def unavailable(_: Request) -> Answer:
        raise AriUnavailableError("Asterisk did not answer within 0.5 s")

    bench = Bench(asterisk=Asterisk(unavailable))
    await bench.take(entered(), CallOffered(channel_id="2.1"))
    await bench.gate.connected()
    assert "call 1.1 is left to the dialplan's lease: Asterisk did not answer" in caplog.text
    assert "call 2.1 is left to the dialplan's lease" in caplog.text
    assert "cannot catch up with Asterisk's calls" in caplog.text
    assert len(bench.record.verdicts) == 1


async def test_an_offered_call_is_claimed_and_losing_it_is_ordinary(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(asterisk=Asterisk(lambda _: Answer(status=409)))
    await bench.take(CallOffered(channel_id="1.1"))
    assert [request.uri for request in bench.asterisk.asked] == ["events/claim?channelId=1.1&application=screener"]
    assert not caplog.records
    assert bench.record.verdicts == []


# -------------------------------------------------------------------------------------------------------- what follows


async def test_what_a_treatment_shows_is_learned_once_and_recorded_with_the_end() -> None:
    bench = Bench()
    await bench.take(entered(), OutcomeReported(channel_id="1.1", outcome=PASSED), ended())
    assert bench.record.outcomes == [("1.1", PASSED)]
    assert [end.seconds for _, end in bench.record.ends] == [5]
    await bench.take(entered("1.2"))
    assert bench.asterisk.continued == ["screener-captcha", "screener-pass"]


async def test_who_hangs_up_in_a_captcha_has_abandoned_it_and_is_no_worse_for_it() -> None:
    bench = Bench()
    await bench.take(entered(), ended())
    assert [outcome.result for _, outcome in bench.record.outcomes] == [Result.ABANDONED]
    await bench.take(entered("1.2"))
    assert bench.record.verdicts[0].verdict.score == bench.record.verdicts[1].verdict.score


async def test_events_of_calls_that_are_not_ours_change_nothing() -> None:
    bench = Bench()
    await bench.take(OutcomeReported(channel_id="9.9", outcome=PASSED), ended("9.9"))
    assert (bench.record.outcomes, bench.record.ends, bench.asterisk.asked) == ([], [], [])


async def test_the_policy_in_force_is_asked_for_at_each_call() -> None:
    bench = Bench()
    await bench.take(entered())
    bench.policy = make_policy()
    await bench.take(entered("1.2"))
    assert bench.asterisk.continued == ["screener-captcha", "screener-pass"]


async def test_calls_that_never_end_are_followed_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screener.asterisk.desk.CALLS_FOLLOWED", 3)
    bench = Bench()
    await bench.take(*(entered(f"1.{number}") for number in range(5)))
    await bench.take(*(ended(f"1.{number}") for number in range(5)))
    assert [id_ for id_, _ in bench.record.ends] == ["1.2", "1.3", "1.4"]
    assert CALLS_FOLLOWED >= 10_000


class Ears(LocalMemory):
    """A memory that keeps how calls ended."""

    def __init__(self) -> None:
        super().__init__(seed=1, callers=1024)
        self.endings: list[tuple[Call, Ending]] = []

    def ended(self, call: Call, ending: Ending, policy: Policy, now: float) -> None:
        self.endings.append((call, ending))
        super().ended(call, ending, policy, now)


def listening(**settings: Any) -> tuple[Bench, Ears]:
    ears = Ears()
    return Bench(make_policy(), memory=ears, **settings), ears


async def at(bench: Bench, now: float, *events: Any) -> None:
    bench.now = now
    await bench.take(*events)


def dialled(status: str) -> CallDialled:
    return CallDialled(channel_id="1.1", status=status)


async def test_how_a_call_ended_is_learned_once_and_recorded() -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), dialled(""), dialled("RINGING"))
    await at(bench, 105, dialled("ANSWER"))
    await at(bench, 130, CallTransferred(channel_id="1.1"))
    await at(bench, 140, CallEnded(channel_id="1.1", cause=16, cause_text="", seconds=40))
    await at(bench, 150, ended())
    assert [ending for _, ending in ears.endings] == [Ending(talked=25, seconds=40)]
    assert [(end.talked, end.busy, end.seconds) for _, end in bench.record.ends] == [(25, False, 40)]


async def test_that_our_people_were_busy_is_learned() -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), dialled(""), dialled("BUSY"), ended(cause=17))
    assert [ending.busy for _, ending in ears.endings] == [True]
    assert [end.busy for _, end in bench.record.ends] == [True]


@pytest.mark.parametrize(("treatment", "busy"), [("pass", True), ("reject", False), ("busy", False)])
async def test_a_busy_tone_of_ours_does_not_say_that_our_people_were_busy(treatment: str, busy: bool) -> None:
    policy = make_policy(
        signals={"attestation": {"points": {"none": 5}}}, ladder=[{"score": 5, "treatment": treatment}]
    )
    ears = Ears()
    bench = Bench(policy, memory=ears)
    await bench.take(entered(), CallEnded(channel_id="1.1", cause=17, cause_text="", seconds=1, busy=True))
    assert [ending.busy for _, ending in ears.endings] == [busy]


async def test_a_caller_chooses_the_hangup_cause_and_gains_nothing_by_it() -> None:
    bench, ears = listening()
    await bench.take(entered(), ended(cause=17))
    assert [ending.busy for _, ending in ears.endings] == [False]


async def test_a_memory_that_fails_at_the_end_of_a_call_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(LocalMemory):
        def ended(self, *_: object) -> None:
            raise ValueError("a fault of ours")

    bench = Bench(make_policy(), memory=Broken(seed=1, callers=1024))
    await bench.take(entered(), ended())
    assert len(bench.record.ends) == 1
    assert "nothing is learned from the end of call 1.1" in caplog.text


async def test_an_announced_call_is_talked_from_when_the_callee_took_it() -> None:
    bench, ears = listening()
    await at(bench, 100, entered())
    accepted = Outcome(treatment=Treatment.ANNOUNCE, result=Result.ACCEPTED)
    await at(bench, 120, OutcomeReported(channel_id="1.1", outcome=accepted))
    await at(bench, 150, ended())
    assert [ending.talked for _, ending in ears.endings] == [30]


async def test_a_call_that_comes_by_twice_is_one_call() -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), dialled("ANSWER"))
    await at(bench, 130, entered())
    await at(bench, 140, ended())
    assert [ending.talked for _, ending in ears.endings] == [40]


async def test_a_conversation_that_ended_while_nobody_listened_lasted_until_nobody_did() -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), dialled("ANSWER"))
    await at(bench, 130, ConnectionLost(), ConnectionLost())
    bench.now = 500
    bench.asterisk.answer = survey_of([])
    await bench.gate.connected()
    assert [ending for _, ending in ears.endings] == [Ending(talked=30, seconds=30)]


async def test_who_was_put_through_while_nobody_listened_is_seen_to_talk() -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), ConnectionLost())
    bench.asterisk.answer = survey_of([], present=["1.1"], talking={"1.1": 1e9 + 110})
    bench.now = 150
    await bench.gate.connected()
    await at(bench, 160, ended())
    assert [ending.talked for _, ending in ears.endings] == [50]


async def test_a_daemon_that_was_started_anew_follows_the_calls_of_the_one_before() -> None:
    bench, ears = listening()
    call, verdict = make_call(), unjudged("late", "")
    outcomes = [PASSED]
    bench.desk.resume(dataclasses.replace(call, id="1.1"), verdict, outcomes, 40.0)
    bench.desk.resume(dataclasses.replace(call, id="1.2"), unjudged("late", "", Treatment.CAPTCHA), (), 50.0)
    bench.asterisk.answer = survey_of([], present=["1.1"], talking={"1.1": 1e9 + 60})
    await bench.gate.connected()
    await at(bench, 110, ended())
    assert [(gone.id, ending) for gone, ending in ears.endings] == [
        ("1.2", Ending(talked=0, seconds=50)),
        ("1.1", Ending(talked=50, seconds=5)),
    ]
    assert bench.record.outcomes == []  # what happened in the captcha is not known


async def test_who_talks_with_whom_may_be_unknown(caplog: pytest.LogCaptureFixture) -> None:
    bench, ears = listening()
    await at(bench, 100, entered(), dialled("ANSWER"))
    bench.asterisk.answer = survey_of([], present=["1.1"])
    answer = bench.asterisk.answer
    bench.asterisk.answer = lambda request: Answer(status=500) if request.path == "bridges" else answer(request)
    await bench.gate.connected()
    assert "who talks with whom is not known" in caplog.text
    await at(bench, 120, ended())
    assert [ending.talked for _, ending in ears.endings] == [20]


# ------------------------------------------------------------------------------------------------ what is to be told


async def test_what_the_administrator_should_know_is_told_after_a_call_after_its_end_and_meanwhile() -> None:
    class Noticing(LocalMemory):
        def take_notices(self) -> list[Notice]:
            notices.append(Notice(code="rule-relaxed", about="rate", text="", at=0))
            return notices[-1:]

    notices: list[Notice] = []
    told: list[Notice] = []
    bench = Bench(make_policy(), memory=Noticing(seed=1, callers=1024), tell=told.append)
    await bench.take(entered(), ended())
    bench.desk.tick()
    assert told == notices
    assert len(told) == 3


async def test_each_verdict_that_was_carried_out_is_counted() -> None:
    counted: list[Verdict] = []
    bench = Bench(count=counted.append)
    await bench.take(entered())
    assert [verdict.acted for verdict in counted] == [Treatment.CAPTCHA]


async def test_a_window_lets_everybody_in_until_it_ends_or_is_closed() -> None:
    bench = Bench()
    bench.desk.open_window(Window(kind=WindowKind.EXPECTING, until=1e9 + 160))  # in a minute
    await at(bench, 150, entered("1.1"))
    await at(bench, 161, entered("1.2"))
    bench.desk.open_window(Window(kind=WindowKind.PAUSE, until=1e9 + 999))
    bench.desk.close_window(WindowKind.PAUSE, None)
    await at(bench, 162, entered("1.3"))
    assert bench.asterisk.continued == ["screener-pass", "screener-captcha", "screener-captcha"]


async def test_who_is_marked_as_wanted_gets_in_and_who_is_marked_as_spam_no_longer() -> None:
    bench = Bench()
    bench.desk.mark(CALLER, wanted=True)
    await bench.take(entered("1.1"))
    bench.desk.mark(CALLER, wanted=False)
    await bench.take(entered("1.2"))
    assert bench.asterisk.continued == ["screener-pass", "screener-captcha"]


# --------------------------------------------------------------------------------------------------------- catching up


async def test_a_call_that_waits_in_stasis_is_judged_at_the_connection_and_once() -> None:
    bench = Bench(asterisk=Asterisk(survey_of(["1.1"])))
    await bench.gate.connected()
    await bench.take(entered())  # its event comes after all
    assert bench.asterisk.continued == ["screener-captcha"]
    (judged,) = bench.record.verdicts
    expected = make_call()
    assert (judged.call.caller, judged.call.did) == (expected.caller, expected.did)


async def test_a_call_that_ended_while_nobody_listened_is_over() -> None:
    bench = Bench()
    await bench.take(entered("1.1"), entered("1.2"))
    bench.asterisk.answer = survey_of([], present=["1.2"])
    await bench.gate.connected()
    assert [(id_, end.cause_text) for id_, end in bench.record.ends] == [("1.1", "ended while disconnected")]


async def test_a_call_that_is_ours_and_already_talks_is_not_judged_again() -> None:
    bench = Bench(asterisk=Asterisk(survey_of([], present=["1.1"])))
    await bench.gate.connected()
    await bench.take()
    assert bench.asterisk.continued == []


@pytest.mark.parametrize("body", ["", "[", "5", "[[]]"])
async def test_a_survey_that_cannot_be_read_is_told_and_no_more(body: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(asterisk=Asterisk(lambda _: Answer(status=200, body=body)))
    await bench.gate.connected()
    assert "cannot catch up with Asterisk's calls" in caplog.text


# ----------------------------------------------------------------------------------------------------------- fail open


async def test_facts_that_cannot_be_read_let_the_call_through(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("screener.asterisk.gate.read_call", fail)
    bench = Bench()
    await bench.take(entered())
    assert bench.asterisk.continued == ["screener-pass"]
    assert "the facts of call 1.1 cannot be read: letting the call through" in caplog.text


async def test_a_task_that_is_cancelled_says_nothing_to_asterisk() -> None:
    reached = asyncio.Event()

    class Hanging(Asterisk):
        async def send(self, *requests: Request) -> list[Answer]:
            reached.set()
            await asyncio.Event().wait()
            return []

    bench = Bench(asterisk=Hanging())
    bench.gate.take(entered())
    await reached.wait()
    await bench.gate.tasks.finish(0)
    assert len(bench.gate.tasks) == 0


# --------------------------------------------------------------------------------------------- too much, or too late


class Slow(Asterisk):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def send(self, *requests: Request) -> list[Answer]:
        self.asked += requests
        await self.go.wait()
        return [OK for _ in requests]


@pytest.mark.parametrize(("mode", "treatment"), [("live", "voicemail"), ("shadow", "pass")])
async def test_beyond_its_limit_the_gate_lets_calls_go_on_unjudged(mode: str, treatment: str) -> None:
    slow = Slow()
    policy = make_policy(
        mode=mode, signals={"attestation": {"points": {"none": 5}}}, ladder=[{"score": 5, "treatment": "reject"}]
    )
    bench = Bench(policy, slow, overload_treatment=Treatment.VOICEMAIL)
    for number in range(5):  # the limit is 3
        bench.gate.take(entered(f"1.{number}", f"+1201555012{number}"))
    await asyncio.sleep(0)  # each task goes as far as it can
    slow.go.set()
    await bench.gate.drain()
    verdicts = [judged.verdict for judged in bench.record.verdicts]
    assert [verdict.treatment for verdict in verdicts] == ["reject"] * 3 + ["voicemail"] * 2
    assert slow.continued[3:] == [f"screener-{treatment}"] * 2
    assert verdicts[4].decided_by == "not judged: 5 calls are being judged at once, the limit is 3"
    assert bench.desk.judged == {"calls": 5, "overloaded": 2}
    await bench.take(entered("2.1"))
    assert bench.record.verdicts[-1].verdict.treatment == "reject"  # it has recovered by itself


async def test_a_verdict_that_is_not_carried_out_in_time_becomes_a_pass_that_says_so() -> None:
    slow = Slow()
    bench = Bench(asterisk=slow, call_seconds=0.01)
    bench.gate.take(entered())
    await bench.gate.drain()
    assert slow.continued == ["screener-captcha", "screener-pass"]
    (judged,) = bench.record.verdicts
    assert judged.verdict.decided_by == "not screened: Asterisk did not carry out the verdict in time"
    assert bench.desk.judged == {"calls": 1, "late": 1}


async def test_a_verdict_that_was_carried_out_after_all_stands() -> None:
    def answer(request: Request) -> Answer:
        return Answer(status=500) if len(bench.asterisk.asked) < 6 else Answer(status=409)

    bench = Bench(asterisk=Asterisk(answer))
    await bench.take(entered())
    assert [judged.verdict.treatment for judged in bench.record.verdicts] == [Treatment.CAPTCHA]


async def test_a_call_whose_verdict_got_lost_with_the_connection_is_sent_on_by_it_and_not_judged_again() -> None:
    def lost(_: Request) -> Answer:
        raise AriUnavailableError("the connection to Asterisk was lost")

    bench = Bench(asterisk=Asterisk(lost))
    await bench.take(entered())
    bench.asterisk.answer = survey_of(["1.1"])
    bench.asterisk.asked.clear()
    await bench.gate.connected()
    await bench.gate.drain()
    assert bench.asterisk.continued == ["screener-pass"]  # what it was told it would become
    assert len(bench.record.verdicts) == 1


async def test_a_call_that_another_screener_is_about_to_send_on_is_left_alone() -> None:
    bench = Bench(asterisk=Asterisk())
    answers = [survey_of(["1.1"]), survey_of([])]

    def answer(request: Request) -> Answer:
        return (answers.pop(0) if request.path.startswith("applications/") and len(answers) > 1 else answers[0])(
            request
        )

    bench.asterisk.answer = answer
    await bench.gate.connected()
    await bench.gate.drain()
    assert bench.asterisk.continued == []
