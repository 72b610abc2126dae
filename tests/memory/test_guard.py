"""The policy guards itself."""

from dataclasses import replace
from typing import Any

from screener.memory.guard import CALLERS, Guard
from screener.policy.policy import Policy
from screener.policy.verdict import Mode, Reason, Treatment, Verdict
from tests.policy.builders import ANOTHER_DID, DID, make_call, make_policy

HOUR = 3600.0
POLICY = make_policy()
RATE = Reason(code="rate", points=5, text="too often")
NEIGHBOUR = Reason(code="neighbour", points=3, text="a neighbour")
TRUSTED = Reason(code="trusted", points=0, text="trusted")


def verdict(treatment: Treatment, *reasons: Reason) -> Verdict:
    score = sum(reason.points for reason in reasons if not reason.shadow)
    return Verdict(treatment=treatment, mode=Mode.LIVE, score=score, decided_by="", reasons=reasons)


def trusted(guard: Guard, callers: range, *reasons: Reason, policy: Policy = POLICY, now: float = 0) -> None:
    for number in callers:
        call = make_call(f"+1201{5550000 + number}")
        guard.judged(call, verdict(Treatment.PASS, TRUSTED, *reasons), policy, now)


def hours(guard: Guard, count: int, *, per_hour: int, challenged: int, policy: Policy = POLICY, **begin: Any) -> float:
    first = int(begin.get("first", 0))
    for hour in range(first, first + count):
        for turn in range(per_hour):
            told = verdict(Treatment.MENU, NEIGHBOUR) if turn < challenged else verdict(Treatment.PASS)
            guard.judged(make_call(f"+1201555{turn:04}"), told, policy, hour * HOUR + turn)
    return (first + count) * HOUR


def test_a_rule_that_would_challenge_many_trusted_callers_relaxes_and_says_so() -> None:
    guard = Guard()
    trusted(guard, range(100))
    trusted(guard, range(19), RATE)
    assert guard.relaxed(DID, 0) == frozenset()

    trusted(guard, range(19, 20), RATE)

    assert guard.relaxed(DID, 1) == guard.relaxed(ANOTHER_DID, 1) == {"rate"}
    (notice,) = guard.notices
    assert (notice.code, notice.about) == ("rule-relaxed", "rate")
    assert notice.text == (
        "the rule rate would have challenged 20 of 100 trusted callers of the last day: in shadow for 1 day"
    )


def test_it_is_tried_again_after_a_day() -> None:
    guard = Guard()
    trusted(guard, range(20), RATE)
    assert guard.relaxed(DID, 24 * HOUR - 1) == {"rate"}

    assert guard.relaxed(DID, 24 * HOUR) == frozenset()
    assert [notice.code for notice in guard.notices] == ["rule-relaxed", "rule-restored"]


def test_one_office_that_calls_all_day_is_one_caller() -> None:
    guard = Guard()
    trusted(guard, range(50))
    for _ in range(500):
        trusted(guard, range(1), RATE)

    assert guard.relaxed(DID, 0) == frozenset()


def test_points_that_lead_to_no_challenge_and_rules_in_shadow_hurt_nobody() -> None:
    guard = Guard()
    trusted(guard, range(50), Reason(code="odd-name", points=2, text=""))
    trusted(guard, range(50), Reason(code="rate", points=5, text="", shadow=True))

    assert guard.relaxed(DID, 0) == frozenset()


def test_a_day_s_callers_are_forgotten_the_next_day_or_when_there_are_too_many() -> None:
    guard = Guard()
    trusted(guard, range(19), RATE)
    trusted(guard, range(19, 38), RATE, now=24 * HOUR)
    assert guard.relaxed(DID, 25 * HOUR) == frozenset()

    trusted(guard, range(100_000, 100_000 + CALLERS), now=25 * HOUR)
    assert len(guard._trusted) <= CALLERS


def test_a_did_of_which_nearly_all_calls_are_challenged_for_a_day_gets_relief_from_the_worst_rule() -> None:
    guard = Guard()
    now = hours(guard, 24, per_hour=10, challenged=10)
    assert guard.relaxed(DID, now) == frozenset()

    guard.judged(make_call(), verdict(Treatment.PASS), POLICY, now)

    assert guard.relaxed(DID, now) == {"neighbour"}
    assert guard.relaxed(ANOTHER_DID, now) == frozenset()
    assert guard.notices[0].text.startswith(f"100% of the calls to {DID} were challenged in the last 24 hours")


def test_an_attack_of_some_hours_is_no_reason_to_let_it_in() -> None:
    guard = Guard()
    now = hours(guard, 20, per_hour=10, challenged=1)
    now = hours(guard, 3, per_hour=5000, challenged=5000, first=20)
    hours(guard, 3, per_hour=10, challenged=1, first=int(now // HOUR))

    assert guard.relaxed(DID, now) == frozenset()


def test_one_caller_who_hammers_for_days_does_not_make_itself_what_is_usual() -> None:
    guard = Guard()
    for turn in range(48 * 30):
        told = verdict(Treatment.CAPTCHA, RATE) if turn % 30 > 2 else verdict(Treatment.PASS)
        guard.judged(make_call(), told, POLICY, turn * 120.0)

    assert guard.relaxed(DID, 48 * HOUR) == frozenset()
    assert guard.notices == []


def test_the_callers_of_an_hour_who_are_told_apart_are_bounded() -> None:
    guard = Guard()
    for turn in range(CALLERS + 10):
        guard.judged(make_call(f"+1201{5000000 + turn}"), verdict(Treatment.PASS), POLICY, HOUR + turn / 100)
    assert len(guard._callers) == CALLERS

    guard.judged(make_call(), verdict(Treatment.PASS), POLICY, 2 * HOUR)
    assert len(guard._callers) == 1


def test_whom_a_list_refuses_relaxes_no_rule_for_others() -> None:
    guard = Guard()
    blocked = Reason(code="blocked", points=0, text="on the block list")
    told = replace(verdict(Treatment.REJECT, blocked, RATE), decided_by=blocked.text)
    for turn in range(30 * 60):
        guard.judged(make_call(), told, POLICY, turn * 60.0)

    assert guard.relaxed(DID, 30 * HOUR) == frozenset()


def test_a_reload_changes_over_how_many_hours_a_did_is_looked_at() -> None:
    guard = Guard()
    shorter = make_policy(guard={"did_hours": 4, "did_calls": 20})
    now = hours(guard, 10, per_hour=10, challenged=10)

    guard.judged(make_call(), verdict(Treatment.PASS), shorter, now)

    assert guard.relaxed(DID, now) == {"neighbour"}


def test_a_quiet_did_and_a_policy_that_challenges_every_stranger_are_left_alone() -> None:
    guard = Guard()
    strict = make_policy(preset="strict")
    hours(guard, 30, per_hour=2, challenged=2)
    hours(guard, 30, per_hour=50, challenged=50, policy=strict, first=40)

    assert guard.relaxed(DID, 100 * HOUR) == frozenset()
