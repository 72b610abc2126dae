"""One call judged: observed, decided, and a rejection remembered at once."""

import pytest

from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment
from tests.policy.builders import ANOTHER_DID, CALLER, DID, make_call, make_policy

STRICT = [{"score": 5, "treatment": "reject"}]


def make_memory() -> LocalMemory:
    return LocalMemory(seed=0x5EED, callers=64, records=64)


def test_the_fourth_call_in_a_row_is_one_too_many() -> None:
    memory, policy = make_memory(), make_policy()

    treatments = [judge(memory, make_call(), policy, now).treatment for now in (0.0, 1.0, 2.0, 3.0)]

    assert treatments == [Treatment.PASS, Treatment.PASS, Treatment.PASS, Treatment.CAPTCHA]


@pytest.mark.parametrize("did", ["+999123", "+0301234567", "+12", "+", "s", ""])
def test_callers_of_a_did_that_is_no_number_are_judged_like_others(did: str) -> None:
    memory, policy = make_memory(), make_policy()

    treatments = [judge(memory, make_call(did=did), policy, now).treatment for now in (0.0, 1.0, 2.0, 3.0)]

    assert treatments == [Treatment.PASS, Treatment.PASS, Treatment.PASS, Treatment.CAPTCHA]


def test_a_rejected_call_that_the_provider_presents_again_gets_the_same_answer() -> None:
    memory, policy = make_memory(), make_policy(ladder=STRICT, bucket={"capacity": 1, "refill_per_hour": 3600})

    verdicts = [judge(memory, make_call(), policy, now) for now in (0.0, 0.5, 2.0, 30.0, 31.0)]

    assert [(verdict.treatment, verdict.decided_by) for verdict in verdicts] == [
        (Treatment.PASS, "score 0 is below the first step, reject at 5"),
        (Treatment.REJECT, "score 5 reaches the step reject at 5"),
        # There is a token again, yet this is the call that was just refused.
        (
            Treatment.REJECT,
            "a call of this caller to this number was rejected 2 seconds ago and is presented again",
        ),
        (
            Treatment.REJECT,
            "a call of this caller to this number was rejected 30 seconds ago and is presented again",
        ),
        (Treatment.PASS, "score 0 is below the first step, reject at 5"),
    ]


def test_a_rejection_for_one_number_is_none_for_another() -> None:
    memory = make_memory()
    policy = make_policy(lists={"block": [{"number": CALLER, "did": DID}]})

    assert judge(memory, make_call(did=DID), policy, 0.0).treatment is Treatment.REJECT
    assert judge(memory, make_call(did=ANOTHER_DID), policy, 1.0).treatment is Treatment.PASS


def test_who_was_blocked_by_mistake_rings_through_as_soon_as_the_list_says_so() -> None:
    memory = make_memory()

    blocked = judge(memory, make_call(), make_policy(lists={"block": [CALLER]}), 0.0)
    allowed = judge(memory, make_call(), make_policy(lists={"allow": [CALLER]}), 1.0)

    assert (blocked.treatment, allowed.treatment) == (Treatment.REJECT, Treatment.PASS)


def test_in_shadow_mode_nothing_was_rejected_and_nothing_is_presented_again() -> None:
    memory = make_memory()
    blocking = make_policy(mode="shadow", lists={"block": [CALLER]})

    assert judge(memory, make_call(), blocking, 0.0).treatment is Treatment.REJECT
    assert judge(memory, make_call(), make_policy(), 1.0).treatment is Treatment.PASS


@pytest.mark.parametrize("raw", ["", "hello"])
def test_one_rejected_withheld_caller_does_not_speak_for_the_next(raw: str) -> None:
    memory = make_memory()
    policy = make_policy(
        ladder=STRICT, bucket={"capacity": 1, "refill_per_hour": 3600}, signals={"number": {"malformed": 3}}
    )

    came = [judge(memory, make_call(raw), policy, now).treatment for now in (0.0, 0.5, 1.6)]

    assert came == [Treatment.PASS, Treatment.REJECT, Treatment.PASS]


def test_a_robot_that_fails_climbs_the_ladder_and_a_person_who_passes_is_left_alone() -> None:
    memory, policy = make_memory(), make_policy(bucket={"capacity": 1})
    failed = Outcome(treatment=Treatment.CAPTCHA, result=Result.FAILED, tries=2)
    passed = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1)

    came = [judge(memory, make_call(), policy, 0.0).treatment, judge(memory, make_call(), policy, 1.0).treatment]
    for _ in range(3):
        memory.learn(make_call(), failed, policy, 2.0)
    came.append(judge(memory, make_call(), policy, 3.0).treatment)
    memory.learn(make_call(), passed, policy, 4.0)
    came.append(judge(memory, make_call(), policy, 5.0).treatment)

    assert came == [Treatment.PASS, Treatment.CAPTCHA, Treatment.VOICEMAIL, Treatment.PASS]
