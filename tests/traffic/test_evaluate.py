"""The referee: what it counts, and what it tells a screen and when."""

from collections.abc import Sequence
from typing import Any

import pytest

from screener.policy.call import Call
from screener.policy.remembered import Ending, Outcome, Result
from screener.policy.verdict import Reason, Treatment
from tests.traffic.evaluate import Count, Tally, play, read
from tests.traffic.records import MONDAY, Kind, Label, Record
from tests.traffic.screens import Blacklist, PlainBucket
from tests.traffic.table import goals

CALLER, SPAMMER = "+12015550123", "+12015550199"


def made(after: float, number: str = CALLER, kind: Kind = Kind.REGULAR, **other: Any) -> Record:
    label = Label.WANTED if kind is not Kind.HAMMER else Label.SPAM
    fields = {"did": "+12125550100", "duration": 100.0, "talked": 90.0, "label": label, "kind": kind, **other}
    return Record(start=MONDAY + after, number=number, **fields)


class Always:
    """Gives every call one treatment, and writes down what it is told."""

    def __init__(self, treatment: Treatment) -> None:
        self.treatment = treatment
        self.told: list[tuple[float, Outcome | Ending | str]] = []

    def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
        return self.treatment, ()

    def learn(self, call: Call, outcome: Outcome, now: float) -> None:
        self.told.append((now - MONDAY, outcome))

    def ended(self, call: Call, ending: Ending, now: float) -> None:
        self.told.append((now - MONDAY, ending))

    def dialled(self, number: str, now: float) -> None:
        self.told.append((now - MONDAY, number))


def played(records: list[Record], screen: Any) -> Tally:
    last = made(10_000, "+12015550111")
    return play(read([*records, last], "US"), screen, "US")


def test_a_person_presses_the_key_and_then_talks() -> None:
    screen = Always(Treatment.CAPTCHA)
    played([made(0, presses=True)], screen)
    assert screen.told == [
        (9, Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1)),
        (109, Ending(talked=90.0, seconds=100.0)),
    ]


def test_a_robot_presses_nothing_and_its_call_was_no_conversation() -> None:
    screen = Always(Treatment.CAPTCHA)
    played([made(0, SPAMMER, Kind.HAMMER, talked=3.0)], screen)
    (_, outcome), (_, ending) = screen.told
    assert isinstance(outcome, Outcome)
    assert outcome.result in (Result.SILENT, Result.ABANDONED)
    assert ending == Ending(seconds=18.0)


def test_a_call_that_passes_tells_how_it_ended_when_it_is_over() -> None:
    screen = Always(Treatment.PASS)
    played([made(0), made(50, "+12015550112", talked=0.0, duration=0.5, busy=True)], screen)
    assert screen.told == [(50.5, Ending(seconds=0.5, busy=True)), (100, Ending(talked=90.0, seconds=100.0))]


def test_calls_of_ours_are_told_and_not_judged() -> None:
    screen = Always(Treatment.REJECT)
    tally = played([made(0, "(201) 555-0144", Kind.OUTBOUND, label=Label.OUTBOUND)], screen)
    assert (0, "+12015550144") in screen.told
    assert tally.of(Kind.OUTBOUND).calls == 0


def test_a_caller_who_talked_for_a_minute_is_challenged_again() -> None:
    class Second(Always):
        def judge(self, call: Call, now: float) -> tuple[Treatment, Sequence[Reason]]:
            return (Treatment.CAPTCHA if now > MONDAY + 500 else Treatment.PASS), ()

    tally = played([made(0), made(600)], Second(Treatment.PASS))
    assert (tally.of(Kind.REGULAR).stopped, tally.of(Kind.REGULAR).again) == (2, 1)


def test_the_plain_bucket_challenges_the_fourth_call_in_minutes() -> None:
    tally = played([made(n * 10, SPAMMER, Kind.HAMMER, episode="one") for n in range(8)], PlainBucket())
    assert (tally.of(Kind.HAMMER).calls, tally.of(Kind.HAMMER).stopped) == (5, 5)


def test_the_blacklist_knows_half_of_the_spammers() -> None:
    numbers = [f"+1201555{n:04}" for n in range(100, 200)]
    tally = played(
        [made(n, number, Kind.RANDOM, label=Label.SPAM) for n, number in enumerate(numbers)], Blacklist(numbers, 1)
    )
    assert (tally.of(Kind.RANDOM).stopped, tally.of(Kind.RANDOM).refused) == (50, 50)
    assert len(tally.missed) == 50


def test_wilsons_interval_is_the_published_one() -> None:
    low, high = Count(calls=10, stopped=1).wilson()
    assert (low, high) == pytest.approx((0.0179, 0.4042), abs=1e-4)


def test_goals_fall_short_where_they_should() -> None:
    tally = Tally()
    tally.of(Kind.HAMMER).add(Count(calls=100, stopped=97))
    tally.of(Kind.REGULAR).add(Count(calls=1000, stopped=1))
    held = {goal.text: goal.holds for goal in goals({"balanced": tally})}
    assert not held["balanced: one number hammering"]
    assert held["balanced: wanted calls challenged"]
