"""Windows, trust of four kinds, signatures that are used twice, and callers whom people blocked."""

import dataclasses
from typing import Any

import pytest

from screener.policy.call import Attestation
from screener.policy.decide import decide, known, trust_in_force
from screener.policy.remembered import (
    NOTHING,
    STRANGER,
    History,
    Remembered,
    Trust,
    TrustKind,
    Window,
    WindowKind,
)
from screener.policy.verdict import Treatment, Verdict
from tests.policy.builders import ANOTHER_DID, CALLER, DID, REFUSED, make_call, make_policy

NOW = 1000.0
POLICY = make_policy()


def judged(**known_of: Any) -> Verdict:
    return decide(make_call(), Remembered(rate=REFUSED, **known_of), POLICY, NOW)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (WindowKind.EXPECTING, "a call is expected: everybody gets in for another 1 minute"),
        (WindowKind.PAUSE, "screening is paused: everybody gets in for another 1 minute"),
        (
            WindowKind.EMERGENCY,
            "one of our people called an emergency number: everybody gets in for another 1 minute",
        ),
    ],
)
def test_in_a_window_everybody_gets_in(kind: WindowKind, text: str) -> None:
    verdict = judged(windows=(Window(kind=kind, until=NOW + 60),))

    assert (verdict.treatment, verdict.decided_by) == (Treatment.PASS, text)
    assert [reason.code for reason in verdict.reasons] == [str(kind), "rate"]


@pytest.mark.parametrize(("did", "treatment"), [(DID, Treatment.PASS), (ANOTHER_DID, Treatment.CAPTCHA)])
def test_a_window_may_be_for_one_number(did: str, treatment: Treatment) -> None:
    assert judged(windows=(Window(kind=WindowKind.EXPECTING, until=NOW + 60, did=did),)).treatment is treatment


@pytest.mark.parametrize(
    ("kind", "treatment"),
    [
        (WindowKind.EXPECTING, Treatment.REJECT),
        (WindowKind.PAUSE, Treatment.REJECT),
        (WindowKind.EMERGENCY, Treatment.PASS),
    ],
)
def test_only_an_emergency_opens_a_block(kind: WindowKind, treatment: Treatment) -> None:
    policy = make_policy(lists={"block": [CALLER, {"number": CALLER, "did": DID}]})
    remembered = dataclasses.replace(STRANGER, windows=(Window(kind=kind, until=NOW + 60),))

    assert decide(make_call(), remembered, policy, NOW).treatment is treatment


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TrustKind.PASSED, "this caller passed a challenge and is trusted for another 1 hour"),
        (
            TrustKind.TALKED,
            "one of our people talked with this caller (in 2 of about 6 calls), who is trusted for another 1 hour",
        ),
        (TrustKind.DIALLED, "one of our people called this number, which is trusted for another 1 hour"),
        (TrustKind.HAND, "this caller was marked as fine and is trusted for another 1 hour"),
    ],
)
def test_trust_says_how_it_was_earned(kind: TrustKind, text: str) -> None:
    trust = Trust(kind=kind, until=NOW + 3600, earned_with=Attestation.NONE)
    verdict = judged(trust=(trust,), history=History(talked=2, heard=3, calls=6))

    assert (verdict.treatment, verdict.decided_by) == (Treatment.PASS, text)


def test_of_several_trusts_the_one_that_lasts_longest_is_told() -> None:
    trusts = tuple(
        Trust(kind=kind, until=NOW + hours * 3600, earned_with=earned_with)
        for kind, hours, earned_with in (
            (TrustKind.PASSED, 1, Attestation.NONE),
            (TrustKind.DIALLED, 2, Attestation.NONE),
            (TrustKind.HAND, 9, Attestation.A),
            (TrustKind.TALKED, 1, Attestation.NONE),
        )
    )

    found = trust_in_force(Attestation.NONE, trusts, History(talked=1, heard=1, calls=1), POLICY, NOW)

    assert found is trusts[1]


@pytest.mark.parametrize(("calls", "share", "holds"), [(8, 0.125, True), (9, 0.125, False), (900, 0, True)])
def test_one_long_call_does_not_open_the_door_for_a_hundred_short_ones(calls: int, share: float, holds: bool) -> None:
    policy = make_policy(trust={"talked_share": share})
    trust = Trust(kind=TrustKind.TALKED, until=NOW + 60, earned_with=Attestation.NONE)

    found = trust_in_force(Attestation.NONE, [trust], History(talked=1, heard=1, calls=calls), policy, NOW)

    assert (found is trust) is holds
    assert trust_in_force(Attestation.NONE, [], NOTHING, policy, NOW) is None


def test_a_signature_that_was_used_a_moment_ago_proves_nothing() -> None:
    trust = Trust(until=NOW + 60, earned_with=Attestation.NONE)
    copied = dataclasses.replace(STRANGER, reused=True, trust=(trust,))

    verdict = decide(make_call(attestation=Attestation.A), copied, POLICY, NOW)

    assert (verdict.treatment, verdict.score) == (Treatment.MENU, 3)
    assert [reason.code for reason in verdict.reasons] == ["attestation"]


@pytest.mark.parametrize(("until", "treatment"), [(NOW + 60, Treatment.REJECT), (NOW, Treatment.PASS)])
def test_a_caller_whom_the_people_at_this_number_blocked_is_rejected_there(until: float, treatment: Treatment) -> None:
    verdict = decide(make_call(), dataclasses.replace(STRANGER, unwanted_until=until), POLICY, NOW)

    assert verdict.treatment is treatment
    if treatment is Treatment.REJECT:
        assert verdict.decided_by == f"the people at {DID} blocked this caller for another 1 minute"


def test_who_is_allowed_or_never_screened_is_no_stranger() -> None:
    assert not known(make_call(), POLICY, NOW)
    assert known(make_call(), make_policy(lists={"allow": [CALLER]}), NOW)
    assert known(make_call(), make_policy(never_screen={"endpoints": ["trunk"]}), NOW)
