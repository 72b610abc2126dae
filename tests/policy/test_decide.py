"""The judgement: its order of precedence step by step, its score, its sentences."""

import dataclasses
import itertools
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Attestation, Call
from screener.policy.caller import CallerKind
from screener.policy.decide import PRECEDENCE, climb, decide, unjudged
from screener.policy.line_settings import DEFAULT_LADDER, Rung
from screener.policy.policy import Policy
from screener.policy.remembered import STRANGER, Remembered, Trust
from screener.policy.signal_settings import RuleMode
from screener.policy.verdict import Mode, Reason, Treatment, Verdict
from tests.policy.builders import (
    ANOTHER_CALLER,
    ANOTHER_DID,
    CALLER,
    CALLS,
    DID,
    REFUSED,
    REMEMBERED,
    TIMES,
    brief,
    make_call,
    make_policy,
    thorough,
)

NOW: Final = 1000.0
TRUSTED = Trust(until=NOW + 5400, earned_with=Attestation.NONE)

STEPS: Final = (
    "never-screened",
    "blocked for the DID",
    "allowed",
    "trusted",
    "blocked for the PBX",
    "again",
)
SETTLED: Final = {
    "never-screened": (Treatment.PASS, "calls from the endpoint trunk are never screened"),
    "blocked for the DID": (
        Treatment.REJECT,
        f"{CALLER} is on the block list for calls to {DID} as {CALLER} (here only)",
    ),
    "allowed": (Treatment.PASS, f"{CALLER} is on the allow list as {CALLER} (grandmother)"),
    "trusted": (Treatment.PASS, "this caller passed a challenge and is trusted for another 1 hour 30 minutes"),
    "blocked for the PBX": (Treatment.REJECT, f"{CALLER} is on the block list for the whole PBX as +1201*"),
    "again": (
        Treatment.REJECT,
        "a call of this caller to this number was rejected 10 seconds ago and is presented again",
    ),
}


def policy_of(steps: tuple[str, ...], **written: Any) -> Policy:
    """Return the policy under which these steps of the precedence apply to CALLER."""
    block: list[Any] = []
    if "blocked for the DID" in steps:
        block.append({"number": CALLER, "did": DID, "note": "here only"})
    if "blocked for the PBX" in steps:
        block.append("+1201*")
    allow = [{"number": CALLER, "note": "grandmother"}] if "allowed" in steps else []
    never = {"endpoints": ["trunk"]} if "never-screened" in steps else {}
    return make_policy(lists={"allow": allow, "block": block}, never_screen=never, **written)


def memory_of(steps: tuple[str, ...]) -> Remembered:
    """Return what is remembered of CALLER, who calls too often besides, where these steps apply."""
    return Remembered(
        rate=REFUSED,
        trust=(TRUSTED,) if "trusted" in steps else (),
        rejected_at=NOW - 10 if "again" in steps else None,
    )


SUBSETS = [subset for size in range(1, 7) for subset in itertools.combinations(STEPS, size)]


def test_the_precedence_is_the_published_one() -> None:
    assert [step.__name__ for step in PRECEDENCE] == [
        "never_screened",
        "emergency",
        "blocked_for_did",
        "unwanted",
        "allowed",
        "allowed_by_feed",
        "trusted",
        "contact",
        "blocked",
        "blocked_by_feed",
        "rejected_before",
        "expected",
    ]


@pytest.mark.parametrize("steps", SUBSETS, ids=" + ".join)
def test_of_all_steps_that_apply_the_first_one_settles_the_call(steps: tuple[str, ...]) -> None:
    treatment, sentence = SETTLED[steps[0]]

    verdict = decide(make_call(), memory_of(steps), policy_of(steps), NOW)

    assert (verdict.treatment, verdict.decided_by) == (treatment, sentence)
    assert verdict.reasons[0].text == sentence
    assert verdict.reasons[0].points == 0


@pytest.mark.parametrize("step", STEPS)
def test_what_spoke_against_a_call_is_told_although_a_step_overruled_it(step: str) -> None:
    verdict = decide(make_call(), memory_of((step,)), policy_of((step,)), NOW)

    assert [reason.code for reason in verdict.reasons[1:]] == ["rate"]
    assert verdict.score == 5


def test_a_call_that_no_step_settles_is_judged_by_its_score() -> None:
    verdict = decide(make_call(), memory_of(()), policy_of(()), NOW)

    assert verdict == Verdict(
        treatment=Treatment.CAPTCHA,
        mode=Mode.LIVE,
        score=5,
        decided_by="score 5 reaches the step captcha at 5",
        reasons=(
            Reason(
                code="rate",
                points=5,
                text="this caller called too often: 3 calls at once are free and one more every 5 minutes; "
                "the next is free in 2 minutes 30 seconds",
            ),
        ),
    )


def test_a_stranger_of_good_manners_rings_through() -> None:
    assert decide(make_call(), STRANGER, make_policy(), NOW) == Verdict(
        treatment=Treatment.PASS,
        mode=Mode.LIVE,
        score=0,
        decided_by="score 0 is below the first step, menu at 3",
        reasons=(),
    )


@pytest.mark.parametrize(
    ("number", "raw"), [("911", "911"), ("(201) 555-0123", CALLER), (CALLER, "2015550123"), ("100", "100")]
)
def test_the_emergency_service_calls_back_unscreened_also_from_a_short_number(number: str, raw: str) -> None:
    policy = make_policy(never_screen={"numbers": [number]})

    verdict = decide(make_call(raw), Remembered(rate=REFUSED), policy, NOW)

    assert (verdict.treatment, verdict.decided_by) == (Treatment.PASS, f"calls from {raw} are never screened")


@pytest.mark.parametrize("raw", ["", "anonymous", "hello"])
def test_a_caller_without_a_number_is_not_exempt_because_somebody_is(raw: str) -> None:
    policy = make_policy(never_screen={"numbers": ["911"], "endpoints": ["alice"]})

    assert decide(make_call(raw), STRANGER, policy, NOW).treatment is Treatment.MENU


def test_a_block_for_one_did_leaves_the_others_alone() -> None:
    policy = make_policy(lists={"block": [{"number": CALLER, "did": "(415) 555-0100"}]})

    assert decide(make_call(did=DID), STRANGER, policy, NOW).treatment is Treatment.REJECT
    assert decide(make_call(did=ANOTHER_DID), STRANGER, policy, NOW).treatment is Treatment.PASS


def test_an_allowed_caller_of_one_did_is_named_by_that_entry_and_blocked_elsewhere() -> None:
    policy = make_policy(
        lists={"allow": [{"number": CALLER, "did": DID, "note": "sales"}, "+44*"], "block": ["+1201*"]}
    )

    assert decide(make_call(did=DID), STRANGER, policy, NOW).decided_by == (
        "+12015550123 is on the allow list as +12015550123 (sales)"
    )
    assert decide(make_call(did=ANOTHER_DID), STRANGER, policy, NOW).treatment is Treatment.REJECT


def test_one_number_can_be_allowed_out_of_a_blocked_prefix() -> None:
    policy = make_policy(lists={"allow": [CALLER], "block": ["+1201*"]})

    assert decide(make_call(CALLER), STRANGER, policy, NOW).treatment is Treatment.PASS
    assert decide(make_call(ANOTHER_CALLER), STRANGER, policy, NOW).treatment is Treatment.REJECT


@pytest.mark.parametrize(
    ("earned_with", "attestation", "treatment"),
    [
        (Attestation.A, Attestation.A, Treatment.PASS),
        (Attestation.A, Attestation.B, Treatment.CAPTCHA),
        (Attestation.A, Attestation.NONE, Treatment.CAPTCHA),
        (Attestation.A, Attestation.FAILED, Treatment.CAPTCHA),
        (Attestation.C, Attestation.B, Treatment.PASS),
        (Attestation.C, Attestation.NONE, Treatment.CAPTCHA),
        (Attestation.NONE, Attestation.A, Treatment.PASS),
        (Attestation.NONE, Attestation.NONE, Treatment.PASS),
    ],
)
def test_trust_is_not_spent_by_a_call_that_proves_less_than_the_one_that_earned_it(
    earned_with: Attestation, attestation: Attestation, treatment: Treatment
) -> None:
    remembered = Remembered(rate=REFUSED, trust=(Trust(until=NOW + 60, earned_with=earned_with),))

    assert decide(make_call(attestation=attestation), remembered, make_policy(), NOW).treatment is treatment


def test_trust_that_ended_lets_nobody_through() -> None:
    remembered = Remembered(rate=REFUSED, trust=(Trust(until=NOW, earned_with=Attestation.NONE),))

    assert decide(make_call(), remembered, make_policy(), NOW).treatment is Treatment.CAPTCHA


def test_a_withheld_caller_never_spends_trust_even_if_a_memory_claims_some() -> None:
    remembered = Remembered(rate=REFUSED, trust=(Trust(until=NOW + 60, earned_with=Attestation.NONE),))

    assert decide(make_call("anonymous"), remembered, make_policy(), NOW).treatment is Treatment.CAPTCHA


@pytest.mark.parametrize(
    ("ago", "treatment"),
    [
        (0.0, Treatment.REJECT),
        (29.9, Treatment.REJECT),
        (30.0, Treatment.PASS),
        (1e6, Treatment.PASS),
        (-1.0, Treatment.PASS),  # rejected in the future: not by this clock
    ],
)
def test_a_rejected_call_presented_again_is_rejected_for_thirty_seconds(ago: float, treatment: Treatment) -> None:
    remembered = dataclasses.replace(STRANGER, rejected_at=NOW - ago)

    assert decide(make_call(), remembered, make_policy(), NOW).treatment is treatment


def test_where_nothing_is_presented_again_the_repetition_can_be_switched_off() -> None:
    remembered = dataclasses.replace(STRANGER, rejected_at=NOW)

    assert decide(make_call(), remembered, make_policy(reject={"repeat_seconds": 0}), NOW).treatment is Treatment.PASS


def test_each_did_has_its_own_mode_and_ladder() -> None:
    policy = make_policy(dids={DID: {"mode": "shadow"}, ANOTHER_DID: {"ladder": [{"score": 4, "treatment": "reject"}]}})
    remembered = Remembered(rate=REFUSED)

    shadow = decide(make_call(did=DID), remembered, policy, NOW)
    strict = decide(make_call(did=ANOTHER_DID), remembered, policy, NOW)

    assert (shadow.treatment, shadow.mode, shadow.acted) == (Treatment.CAPTCHA, Mode.SHADOW, Treatment.PASS)
    assert (strict.treatment, strict.mode, strict.acted) == (Treatment.REJECT, Mode.LIVE, Treatment.REJECT)


@pytest.mark.parametrize(
    ("score", "treatment", "sentence"),
    [
        (-5, Treatment.PASS, "score -5 is below the first step, menu at 3"),
        (2.9, Treatment.PASS, "score 2.9 is below the first step, menu at 3"),
        (3, Treatment.MENU, "score 3 reaches the step menu at 3"),
        (4.5, Treatment.MENU, "score 4.5 reaches the step menu at 3"),
        (5, Treatment.CAPTCHA, "score 5 reaches the step captcha at 5"),
        (12, Treatment.VOICEMAIL, "score 12 reaches the step voicemail at 12"),
        (1000, Treatment.VOICEMAIL, "score 1000 reaches the step voicemail at 12"),
    ],
)
def test_the_highest_step_that_a_score_reaches_is_the_treatment(
    score: float, treatment: Treatment, sentence: str
) -> None:
    assert climb(DEFAULT_LADDER, score) == (treatment, sentence)


def test_on_a_ladder_without_steps_every_call_passes() -> None:
    assert climb((), 1000) == (Treatment.PASS, "score 1000; the ladder has no steps")


@given(
    st.lists(st.floats(-100, 100), min_size=5, max_size=5, unique=True).map(sorted),
    st.integers(0, 5),
    st.floats(-200, 200),
    st.floats(-200, 200),
)
@brief
def test_a_higher_score_never_leads_to_a_lower_step(
    steps: list[float], height: int, one: float, another: float
) -> None:
    order = [Treatment.PASS, Treatment.MENU, Treatment.CAPTCHA, Treatment.VOICEMAIL, Treatment.REJECT]
    ladder = tuple(Rung(score=s, treatment=t) for s, t in zip(steps, order, strict=True))[:height]
    low, high = sorted([one, another])

    assert order.index(climb(ladder, low)[0]) <= order.index(climb(ladder, high)[0])


def test_a_call_that_passes_because_something_of_ours_failed_says_so() -> None:
    assert unjudged("memory", "the memory did not answer") == Verdict(
        treatment=Treatment.PASS,
        mode=Mode.LIVE,
        score=0,
        decided_by="the memory did not answer",
        reasons=(Reason(code="memory", points=0, text="the memory did not answer"),),
    )


POLICIES = st.builds(
    policy_of,
    st.sets(st.sampled_from(["never-screened", "blocked for the DID", "allowed", "blocked for the PBX"])).map(tuple),
    mode=st.sampled_from(Mode),
    ladder=st.sampled_from([[], [{"score": 3.5, "treatment": "reject"}], DEFAULT_LADDER]),
    signals=st.fixed_dictionaries(
        {
            "rate": st.fixed_dictionaries({"points": st.floats(-100, 100), "mode": st.sampled_from(RuleMode)}),
            "number": st.fixed_dictionaries({"withheld": st.floats(-100, 100), "canary": st.floats(0, 1)}),
            "attestation": st.fixed_dictionaries(
                {"points": st.dictionaries(st.sampled_from(Attestation), st.floats(-100, 100))}
            ),
        }
    ),
)


@given(CALLS, REMEMBERED, POLICIES, TIMES)
@thorough
def test_every_verdict_adds_up_and_says_what_decided_it(
    call: Call, remembered: Remembered, policy: Policy, now: float
) -> None:
    verdict = decide(call, remembered, policy, now)

    assert verdict.score == sum(reason.points for reason in verdict.reasons if not reason.shadow)
    assert verdict.decided_by
    assert all(reason.code and reason.text for reason in verdict.reasons)
    assert len({reason.code for reason in verdict.reasons}) == len(verdict.reasons)
    assert verdict.mode is policy.settings.mode
    assert verdict.acted is (verdict.treatment if verdict.mode is Mode.LIVE else Treatment.PASS)
    assert decide(call, remembered, policy, now) == verdict


@given(REMEMBERED, TIMES, st.sampled_from(Attestation))
@thorough
def test_whatever_memory_holds_or_lost_a_caller_blocked_for_a_did_hears_the_same(
    remembered: Remembered, now: float, attestation: Attestation
) -> None:
    policy = make_policy(lists={"block": [{"number": CALLER, "did": DID}]})
    call = make_call(attestation=attestation)

    verdicts = [decide(call, memory, policy, now) for memory in (remembered, STRANGER)]

    assert {verdict.treatment for verdict in verdicts} == {Treatment.REJECT}
    assert {verdict.decided_by for verdict in verdicts} == {
        "+12015550123 is on the block list for calls to +14155550100 as +12015550123"
    }


@given(REMEMBERED, TIMES, st.sampled_from(Attestation))
@thorough
def test_only_trust_opens_a_block_for_the_whole_pbx_and_forgetting_never_does(
    remembered: Remembered, now: float, attestation: Attestation
) -> None:
    policy = make_policy(lists={"block": [CALLER]})
    call = make_call(attestation=attestation)
    trusted = any(trust.holds(attestation, now) for trust in remembered.trust)

    untrusting = dataclasses.replace(remembered, trust=())

    assert decide(call, remembered, policy, now).treatment is (Treatment.PASS if trusted else Treatment.REJECT)
    for forgetful in (untrusting, STRANGER):
        assert decide(call, forgetful, policy, now).treatment is Treatment.REJECT
        assert decide(call, forgetful, policy, now).decided_by == (
            "+12015550123 is on the block list for the whole PBX as +12015550123"
        )


@given(CALLS.filter(lambda call: not call.caller.personal), REMEMBERED, TIMES)
@brief
def test_who_brings_no_number_never_passes_by_trust(call: Call, remembered: Remembered, now: float) -> None:
    verdict = decide(call, remembered, make_policy(), now)

    assert call.caller.kind is not CallerKind.NUMBER
    assert "trusted" not in {reason.code for reason in verdict.reasons}
