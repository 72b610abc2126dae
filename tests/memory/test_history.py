"""A memory that is told the journal again is the one that was lost; what is long over costs no time."""

import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from screener.memory.history import Came, Dialled, Finished, Marked, rebuild
from screener.memory.journal import Ended, Journal, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.memory.reader import JournalReader
from screener.memory.recall import RECENT_CALLS, recall
from screener.memory.rows import Told
from screener.memory.settings import JournalSettings
from screener.policy.call import Call
from screener.policy.feeds import Feed, FeedKind, Feeds, NumberSet
from screener.policy.policy import Policy
from screener.policy.remembered import Ending, Outcome, Result, TrustKind, Window, WindowKind
from screener.policy.verdict import Treatment
from tests.policy.builders import ANOTHER_CALLER, CALLER, DID, make_call, make_policy

NOW = time.time()
DAY = 86_400.0
POLICY = make_policy(bucket={"capacity": 2, "refill_per_hour": 1})
PASSED = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1)


def memory() -> LocalMemory:
    return LocalMemory(seed=1, callers=1024)


class Life:
    """A memory that lives, and a journal that is told all that it is told."""

    def __init__(self, path: Path, policy: Policy = POLICY) -> None:
        self.path, self.policy, self.memory = path, policy, memory()
        self.journal = Journal(JournalSettings(path=path, days=3650))
        self._count = 0
        self._written = False

    def comes(self, at: float, raw: str = CALLER, **facts: Any) -> Call:
        self._count += 1
        call = replace(make_call(raw), id=f"1.{self._count}", **facts)
        verdict = judge(self.memory, call, self.policy, at)
        self.journal.judged(Judged(call=call, verdict=verdict, at=at, took=0, policy_version=""))
        return call

    def shows(self, call: Call, outcome: Outcome, at: float) -> None:
        self.memory.learn(call, outcome, self.policy, at)
        self.journal.outcome(call.id, outcome, at)

    def ends(self, call: Call, at: float, *, talked: float = 0, seconds: float = 9, busy: bool = False) -> None:
        self.memory.ended(call, Ending(talked=talked, seconds=seconds, busy=busy), self.policy, at)
        ended = Ended(at=at, cause=16, cause_text="", seconds=seconds, talked=talked, busy=busy)
        self.journal.ended(call.id, ended)

    def write(self) -> None:
        """See that all is on the disk; the journal is closed then."""
        if not self._written:
            self.journal.start()
            self.journal.close()
        self._written = True

    def again(self) -> LocalMemory:
        """Return a new memory that was told the journal."""
        self.write()
        told = memory()
        recall(told, self.path, self.policy, NOW)
        return told


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path / "j.sqlite")


def same(lost: LocalMemory, again: LocalMemory, *calls: Call, policy: Policy = POLICY) -> bool:
    """Whether two memories judge these calls alike."""
    return all(judge(lost, call, policy, NOW) == judge(again, call, policy, NOW) for call in calls)


def test_trust_that_was_talked_for_and_calls_of_ours_and_what_a_person_said_outlive_a_restart(life: Life) -> None:
    life.ends(life.comes(NOW - 30 * DAY), NOW - 30 * DAY + 90, talked=80)
    life.journal.dialled(ANOTHER_CALLER, NOW - 20 * DAY)
    life.memory.dialled(ANOTHER_CALLER, POLICY, NOW - 20 * DAY)
    for number, wanted in (("+12015550177", True), ("+12015550178", False)):
        life.journal.mark(number, wanted=wanted, at=NOW - 10 * DAY, note="a note", author="ann")
        life.memory.mark(number, wanted, POLICY, NOW - 10 * DAY)
    again = life.again()
    kinds = {}
    for raw in (CALLER, ANOTHER_CALLER, "+12015550177", "+12015550178"):
        remembered = again.observe(make_call(raw), POLICY, NOW)
        kinds[raw] = ([trust.kind for trust in remembered.trust], remembered.history.spam > 0)
        assert remembered.trust == life.memory.observe(make_call(raw), POLICY, NOW).trust
    assert kinds == {
        CALLER: ([TrustKind.TALKED], False),
        ANOTHER_CALLER: ([TrustKind.DIALLED], False),
        "+12015550177": ([TrustKind.HAND], False),
        "+12015550178": ([], True),
    }


def test_nobody_gets_a_fresh_bucket_and_who_found_us_busy_has_the_token_back(life: Life) -> None:
    for ago in (100, 90, 80):
        life.ends(life.comes(NOW - ago), NOW - ago + 5)
        life.ends(life.comes(NOW - ago, ANOTHER_CALLER), NOW - ago + 5, busy=True)
    again = life.again()
    assert same(life.memory, again, make_call(CALLER), make_call(ANOTHER_CALLER))
    assert not again.observe(make_call(CALLER), POLICY, NOW).rate.admitted


def test_a_rejection_of_a_moment_ago_holds(tmp_path: Path) -> None:
    policy = make_policy(signals={"attestation": {"points": {"none": 5}}}, ladder=[{"score": 5, "treatment": "reject"}])
    life = Life(tmp_path / "j.sqlite", policy)
    life.comes(NOW - 10)
    again = life.again()
    assert again.observe(make_call(), policy, NOW).rejected_at == NOW - 10


def test_a_window_that_is_open_is_open_again_and_others_are_not(life: Life) -> None:
    windows = [
        Window(kind=WindowKind.PAUSE, until=NOW + 3600),
        Window(kind=WindowKind.EXPECTING, until=NOW + 3600, did=DID),
        Window(kind=WindowKind.EMERGENCY, until=NOW - 1),
    ]
    for window in windows:
        life.journal.opened(window, NOW - 60)
    life.journal.closed(WindowKind.PAUSE, None, NOW - 30)
    assert life.again().observe(make_call(), POLICY, NOW).windows == (windows[1],)
    with JournalReader(life.path) as reader:
        assert reader.windows(NOW - 45) == windows
        assert reader.windows(NOW - 90) == []


def test_how_many_strangers_are_usual_is_known_again(life: Life) -> None:
    begin = (NOW // 3600 - 14 * 24) * 3600
    for hour in range(13 * 24):
        for number in range(5):
            raw = f"+1201555{hour * 5 + number:04}"
            call = replace(make_call(raw), id=f"s.{hour}.{number}")
            verdict = judge(memory(), call, POLICY, begin)
            at = begin + hour * 3600 + number
            life.journal.judged(Judged(call=call, verdict=verdict, at=at, took=0, policy_version=""))
    told: list[tuple[int, str, int]] = []

    class Primed(LocalMemory):
        def prime(self, hours: Any, policy: Policy) -> None:
            told.extend(hours)

    life.write()
    recall(Primed(seed=1, callers=1024), life.path, POLICY, NOW)
    assert told == [(int(begin // 3600) + hour, DID, 5) for hour in range(13 * 24)]


@pytest.mark.parametrize("kind", [FeedKind.ALLOW, FeedKind.CONTACT])
def test_callers_whom_a_feed_knows_are_no_strangers_afterwards_either(life: Life, kind: FeedKind) -> None:
    ours = Feed(name="ours", kind=kind, numbers=NumberSet(array("Q", [int(CALLER[1:])])))
    life.policy = replace(POLICY, feeds=Feeds(feeds=(ours,)))
    life.comes(NOW - DAY)
    life.comes(NOW - DAY, ANOTHER_CALLER)

    life.write()
    with JournalReader(life.path) as reader:
        assert [count for _, _, count in reader.strangers(NOW - 2 * DAY, NOW)] == [1]


def test_calls_that_are_under_way_are_told_of(life: Life) -> None:
    over, talking = life.comes(NOW - 100), life.comes(NOW - 50)
    life.ends(over, NOW - 60)
    life.shows(talking, PASSED, NOW - 40)
    life.again()
    (one,) = recall(memory(), life.path, POLICY, NOW)
    assert (one.call, one.at, one.outcomes) == (talking, NOW - 50, (PASSED,))


def happened(life: Life, **bounds: Any) -> Sequence[object]:
    life.write()
    with JournalReader(life.path) as reader:
        return [replace(one, at=round(one.at - NOW)) for one in reader.history(**bounds)]


def test_all_is_told_in_the_order_in_which_it_happened_and_once(life: Life) -> None:
    one, other = life.comes(NOW - 100), life.comes(NOW - 90, ANOTHER_CALLER)
    life.ends(one, NOW - 80, talked=5, busy=True)
    life.shows(other, PASSED, NOW - 85)
    life.ends(other, NOW - 10, talked=70)
    life.journal.dialled(CALLER, NOW - 95)
    life.journal.mark(CALLER, wanted=False, at=NOW - 82)
    told = happened(life)
    assert [type(each) for each in told] == [Came, Dialled, Came, Told, Marked, Finished, Finished]
    assert told[5] == Finished(call=one, ending=Ending(talked=5, seconds=9, busy=True), at=-80)


def test_of_what_is_older_only_what_taught_something_is_told(life: Life) -> None:
    for ago in (1000, 100):
        short, long, failed = (life.comes(NOW - ago, f"+120155501{number}") for number in (10, 11, 12))
        life.ends(short, NOW - ago + 9, talked=9)
        life.ends(long, NOW - ago + 30, talked=25)
        life.shows(failed, Outcome(treatment=Treatment.CAPTCHA, result=Result.FAILED), NOW - ago + 20)
        life.ends(failed, NOW - ago + 40)
    bounds = {"since": NOW - 500, "taught_since": NOW - 2000}
    assert [(type(each), each.at) for each in happened(life, **bounds)] == [  # type: ignore[attr-defined]
        (Told, -980),
        (Came, -100), (Came, -100), (Came, -100), (Finished, -91), (Told, -80), (Finished, -70), (Finished, -60),
    ]  # fmt: skip
    assert happened(life, **{**bounds, "taught_since": NOW - 900})[0].at == -100  # type: ignore[attr-defined]
    key = make_call("+12015550111").caller.key
    assert {each.call.caller.key for each in happened(life, **bounds, caller=key)} == {key}  # type: ignore[attr-defined]


def test_of_a_callers_older_calls_it_is_told_what_they_were_all_together(life: Life) -> None:
    """One long call and a hundred short ones: a restart must not make a friend of such a caller, nor lose a regular."""
    for raw, short in ((CALLER, 100), (ANOTHER_CALLER, 1)):
        life.ends(life.comes(NOW - 9 * DAY, raw), NOW - 9 * DAY + 90, talked=80)
        for number in range(short):
            at = NOW - 8 * DAY + number * 1000
            life.ends(life.comes(at, raw), at + 3, talked=2)
    again = life.again()
    for raw, trusted in ((CALLER, False), (ANOTHER_CALLER, True)):
        lived, told = life.memory.observe(make_call(raw), POLICY, NOW), again.observe(make_call(raw), POLICY, NOW)
        assert told.history.talked == pytest.approx(lived.history.talked, rel=0.01)
        assert told.history.calls == pytest.approx(lived.history.calls, rel=0.1)
        assert told.trust == lived.trust
        assert told.stranger is lived.stranger is not trusted


def test_a_forwarded_call_earns_nothing_when_it_is_told_again_either(life: Life) -> None:
    forwarded = life.comes(NOW - 9 * DAY, diversion="+14155550111")
    life.ends(forwarded, NOW - 9 * DAY + 90, talked=80)
    assert life.again().observe(make_call(), POLICY, NOW).trust == ()


def test_a_flood_of_yesterday_is_told_up_to_a_number(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screener.memory.recall.RECENT_CALLS", 5)
    for number in range(20):
        life.comes(NOW - 100 + number, f"+120155501{number:02}")
    life.again()
    told: list[Call] = []

    class Counting(LocalMemory):
        def observe(self, call: Call, policy: Policy, now: float) -> Any:
            told.append(call)
            return super().observe(call, policy, now)

    recall(Counting(seed=1, callers=1024), life.path, POLICY, NOW)
    assert [call.id for call in told] == [f"1.{number}" for number in range(16, 21)]
    assert RECENT_CALLS >= 10_000


def test_what_was_to_be_told_then_is_not_told_again(life: Life) -> None:
    policy = make_policy(signals={"surge": {"did_floor": 1, "pbx_floor": 1}})
    flood = [replace(make_call(f"+1201555{number:04}"), id=f"{number}") for number in range(500)]
    told = memory()
    rebuild(told, [Came(call=call, verdict=judge(memory(), call, policy, NOW), at=NOW) for call in flood], policy)
    assert told.take_notices() == []
    lived = memory()
    for call in flood:
        lived.observe(call, policy, NOW)
    assert lived.take_notices() != []  # there was something to tell


def test_a_journal_that_cannot_be_read_leaves_all_strangers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"this is no database" * 100)
    assert recall(memory(), tmp_path / "j.sqlite", POLICY, NOW) == ()
    assert "all callers are strangers" in caplog.text
    assert recall(memory(), tmp_path / "none.sqlite", POLICY, NOW) == ()
