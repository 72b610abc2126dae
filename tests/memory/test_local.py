"""Memory in process: what is earned, what it costs to fail, and where it ends."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.memory.judge import judge
from screener.memory.local import OURS, WINDOWS, LocalMemory
from screener.policy.bucket import Taken
from screener.policy.call import Attestation, Call
from screener.policy.decide import decide
from screener.policy.remembered import (
    NOTHING,
    STRANGER,
    Ending,
    Failures,
    Outcome,
    Remembered,
    Result,
    Trust,
    Window,
    WindowKind,
)
from screener.policy.verdict import Treatment
from tests.policy.builders import ANOTHER_CALLER, ANOTHER_DID, CALLER, DID, TAKEN, make_call, make_policy, thorough

DAY = 86_400.0
HOUR = 3600.0
POLICY = make_policy()
CALL = make_call()

PASSED = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=1)
FAILED = Outcome(treatment=Treatment.CAPTCHA, result=Result.FAILED, tries=2)
SILENT = Outcome(treatment=Treatment.MENU, result=Result.SILENT, tries=2)
ABANDONED = Outcome(treatment=Treatment.CAPTCHA, result=Result.ABANDONED)
RECORDED = Outcome(treatment=Treatment.VOICEMAIL, result=Result.RECORDED)
REJECTED = Outcome(treatment=Treatment.REJECT, result=Result.REJECTED)


def make_memory(*, callers: int = 64, records: int = 64) -> LocalMemory:
    return LocalMemory(seed=0x5EED, callers=callers, records=records)


def own(remembered: Remembered) -> Remembered:
    """Return what is remembered of the caller itself, without what is known of strangers together."""
    alone = ("rate", "trust", "failures", "rejected_at", "history", "unwanted_until")
    return Remembered(**{name: getattr(remembered, name) for name in alone})


def caller(number: int) -> Call:
    """Return a call of one of many callers."""
    return make_call(f"+1201555{number:04}")


def taught(*outcomes: Outcome, call: Call = CALL, now: float = 0.0) -> LocalMemory:
    """Return a memory that learned these outcomes of one caller."""
    memory = make_memory()
    for outcome in outcomes:
        memory.learn(call, outcome, POLICY, now)
    return memory


def test_a_caller_never_seen_is_a_stranger() -> None:
    assert own(make_memory().observe(CALL, POLICY, 0.0)) == Remembered(rate=TAKEN)


def test_each_call_takes_a_token_and_the_fourth_is_too_many() -> None:
    memory = make_memory()

    assert [memory.observe(CALL, POLICY, 0.0).rate.admitted for _ in range(4)] == [True, True, True, False]
    assert memory.observe(CALL, POLICY, 300.0).rate == Taken(admitted=True, tokens=0.0, free_in=300.0)
    assert memory.observe(make_call(ANOTHER_CALLER), POLICY, 300.0).rate == TAKEN


def test_a_caller_has_one_bucket_for_all_numbers_it_dials() -> None:
    memory = make_memory()
    dids = [DID, ANOTHER_DID, DID, ANOTHER_DID]

    came = [memory.observe(make_call(did=did), POLICY, 0.0).rate.admitted for did in dids]

    assert came == [True, True, True, False]


@pytest.mark.parametrize("raw", ["", "hello", "\u0661\u0662\u0663"])
def test_callers_without_a_number_share_a_bucket_for_each_did(raw: str) -> None:
    memory = make_memory()
    dids = [DID, DID, DID, DID, ANOTHER_DID]

    came = [memory.observe(make_call(raw, did=did), POLICY, 0.0).rate.admitted for did in dids]

    assert came == [True, True, True, False, True]


def test_withheld_and_malformed_callers_do_not_use_up_each_other_s_tokens() -> None:
    memory = make_memory()
    for _ in range(4):
        memory.observe(make_call("anonymous"), POLICY, 0.0)

    assert memory.observe(make_call("hello"), POLICY, 0.0).rate == TAKEN


@pytest.mark.parametrize("raw", ["", "anonymous", "hello", "\u0661\u0662\u0663"])
@pytest.mark.parametrize("result", Result)
def test_a_withheld_caller_never_earns_trust_nor_anything_else(raw: str, result: Result) -> None:
    call = make_call(raw)
    memory = taught(Outcome(treatment=Treatment.CAPTCHA, result=result), call=call)

    assert own(memory.observe(call, POLICY, 0.0)) == Remembered(rate=TAKEN)


def test_a_hidden_number_that_the_trunk_tells_is_a_caller_who_can_earn_trust() -> None:
    hidden = make_call(CALLER, prohibited=True)
    memory = taught(PASSED, call=hidden)

    assert memory.observe(hidden, POLICY, 0.0).trust == (Trust(until=30 * DAY, earned_with=Attestation.NONE),)
    assert memory.observe(make_call(CALLER), POLICY, 0.0).trust == ()
    assert memory.observe(make_call("anonymous"), POLICY, 0.0).trust == ()


def test_a_passed_challenge_earns_thirty_days_with_the_attestation_of_that_call() -> None:
    memory = taught(PASSED, call=make_call(attestation=Attestation.B), now=100.0)

    assert memory.observe(CALL, POLICY, 200.0).trust == (Trust(until=100.0 + 30 * DAY, earned_with=Attestation.B),)


@pytest.mark.parametrize(("days", "treatment"), [(29.9, Treatment.PASS), (30.0, Treatment.REJECT)])
def test_trust_ends(days: float, treatment: Treatment) -> None:
    policy = make_policy(ladder=[{"score": -10, "treatment": "reject"}])
    memory = taught(PASSED)

    assert decide(CALL, memory.observe(CALL, policy, days * DAY), policy, days * DAY).treatment is treatment


def test_failures_accumulate_and_a_pass_clears_them() -> None:
    memory = taught(FAILED, SILENT, FAILED, now=7.0)
    assert memory.observe(CALL, POLICY, 8.0).failures == Failures(count=3, last_at=7.0)

    memory.learn(CALL, PASSED, POLICY, 9.0)
    assert memory.observe(CALL, POLICY, 9.0).failures is None


def test_a_failure_does_not_bring_back_those_that_no_longer_count() -> None:
    memory = taught(FAILED, FAILED)

    memory.learn(CALL, FAILED, POLICY, 24 * HOUR)

    assert memory.observe(CALL, POLICY, 24 * HOUR).failures == Failures(count=1, last_at=24 * HOUR)


def test_failures_within_a_day_of_each_other_add_up_however_long_it_goes_on() -> None:
    memory = make_memory()
    for turn in range(5):
        memory.learn(CALL, FAILED, POLICY, turn * 23 * HOUR)

    assert memory.observe(CALL, POLICY, 92 * HOUR).failures == Failures(count=5, last_at=92 * HOUR)


def test_a_failed_challenge_takes_no_trust_that_another_call_of_this_number_earned() -> None:
    memory = taught(PASSED, FAILED)

    assert memory.observe(CALL, POLICY, 1.0).trust == (Trust(until=30 * DAY, earned_with=Attestation.NONE),)


@pytest.mark.parametrize("outcome", [ABANDONED])
def test_hanging_up_proves_nothing(outcome: Outcome) -> None:
    assert own(taught(outcome).observe(CALL, POLICY, 0.0)) == Remembered(rate=TAKEN)


def test_the_first_rejection_counts_so_that_a_caller_who_keeps_dialling_is_judged_anew() -> None:
    memory = make_memory()
    for now in (100.0, 110.0, 129.9):
        memory.learn(CALL, REJECTED, POLICY, now)
    assert memory.observe(CALL, POLICY, 129.9).rejected_at == 100.0

    memory.learn(CALL, REJECTED, POLICY, 130.0)
    assert memory.observe(CALL, POLICY, 130.0).rejected_at == 130.0


def test_a_rejection_holds_for_the_number_that_was_called_and_no_other() -> None:
    memory = taught(REJECTED)

    assert memory.observe(make_call(did=DID), POLICY, 1.0).rejected_at == 0.0
    assert memory.observe(make_call(did=ANOTHER_DID), POLICY, 1.0).rejected_at is None
    assert memory.observe(make_call(ANOTHER_CALLER), POLICY, 1.0).rejected_at is None


def test_rejections_are_kept_no_longer_than_they_matter() -> None:
    memory = make_memory()
    for second in range(200):
        memory.learn(caller(second), REJECTED, POLICY, float(second))
    assert len(memory._rejected) == POLICY.settings.reject.repeat_seconds


@pytest.mark.parametrize(
    ("outcome", "kept", "who"),
    # Of rejections in a row the first one counts.
    [(PASSED, "trust", [1, 3, 4]), (FAILED, "failures", [1, 3, 4]), (REJECTED, "rejected_at", [2, 3, 4])],
)
def test_beyond_the_limit_the_one_written_longest_ago_is_a_stranger_again(
    outcome: Outcome, kept: str, who: list[int]
) -> None:
    memory = make_memory(records=3)
    for turn, number in enumerate((1, 2, 3, 1, 4)):
        memory.learn(caller(number), outcome, POLICY, 5.0 * turn)

    remembered = {number: memory.observe(caller(number), POLICY, 20.0) for number in (1, 2, 3, 4)}

    assert [number for number, all_of in remembered.items() if getattr(all_of, kept) not in (None, ())] == who
    (stranger,) = remembered.keys() - set(who)
    assert own(remembered[stranger]) == Remembered(rate=TAKEN)


def test_a_flood_of_strangers_pushes_nobody_s_trust_out() -> None:
    memory = make_memory(callers=64, records=4)
    memory.learn(CALL, PASSED, POLICY, 0.0)
    for number in range(1000):
        memory.observe(caller(number), POLICY, 1.0)

    assert memory.observe(CALL, POLICY, 1.0).trust


def test_a_flood_denies_no_first_call() -> None:
    memory = make_memory(callers=64)

    assert all(memory.observe(caller(number), POLICY, number / 1000).rate.admitted for number in range(1000))


def test_a_reload_changes_the_bucket_and_forgets_nobody() -> None:
    memory, larger = taught(PASSED), make_policy(bucket={"capacity": 5})
    for _ in range(4):
        memory.observe(CALL, POLICY, 0.0)

    remembered = memory.observe(CALL, larger, 0.0)

    assert remembered.rate == Taken(admitted=True, tokens=1.0, free_in=0.0)
    assert remembered.trust == (Trust(until=30 * DAY, earned_with=Attestation.NONE),)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from([None, PASSED, FAILED, SILENT, REJECTED, RECORDED]), st.floats(0, DAY)
        ),
        max_size=25,
    )
)
@thorough
def test_a_memory_that_forgets_never_unblocks_a_caller(story: list[tuple[int, Outcome | None, float]]) -> None:
    policy = make_policy(lists={"block": [{"number": caller(number).caller.key, "did": DID} for number in range(3)]})
    memory, now = make_memory(callers=4, records=2), 0.0
    for number, outcome, gap in story:
        now += gap
        call = caller(number)
        if outcome is not None:
            memory.learn(call, outcome, policy, now)
        verdict = decide(call, memory.observe(call, policy, now), policy, now)
        forgotten = decide(call, STRANGER, policy, now)
        if number < 3:
            assert verdict.treatment is forgotten.treatment is Treatment.REJECT
            assert verdict.decided_by == forgotten.decided_by


def test_what_is_remembered_does_not_depend_on_how_the_number_was_spelled() -> None:
    memory = taught(PASSED, FAILED, call=make_call("(201) 555-0123"))

    remembered = memory.observe(make_call("tel:+1-201-555-0123"), POLICY, 0.0)

    assert own(dataclasses.replace(remembered, rate=TAKEN, history=NOTHING)) == Remembered(
        rate=TAKEN,
        trust=(Trust(until=30 * DAY, earned_with=Attestation.NONE),),
        failures=Failures(count=1, last_at=0.0),
    )


@pytest.mark.parametrize("outcome", [PASSED, FAILED, REJECTED])
def test_callers_without_a_number_take_no_place_in_the_tables(outcome: Outcome) -> None:
    memory = make_memory(records=1)
    memory.learn(CALL, outcome, POLICY, 0.0)
    before = own(dataclasses.replace(memory.observe(CALL, POLICY, 1.0), rate=TAKEN, history=NOTHING))

    for raw in ("", "hello", "\u0661"):
        memory.learn(make_call(raw), outcome, POLICY, 1.0)

    after = own(dataclasses.replace(memory.observe(CALL, POLICY, 1.0), rate=TAKEN, history=NOTHING))
    assert after == before != Remembered(rate=TAKEN)


def talk(memory: LocalMemory, call: Call, at: float, talked: float, **ending: bool) -> None:
    """One call that ends after as long as somebody talked."""
    memory.observe(call, POLICY, at)
    memory.ended(call, Ending(talked=talked, seconds=talked + 10, **ending), POLICY, at + talked + 10)


def test_a_school_s_recorded_message_to_everybody_does_not_cost_its_trust() -> None:
    memory = make_memory()
    talk(memory, CALL, 0.0, 90)
    calls = [make_call(did=f"+1415555{number:04}") for number in range(100)]
    calls = [dataclasses.replace(call, id=f"{number}") for number, call in enumerate(calls)]
    # All ring at once: none is over while the last one comes.
    found = [memory.observe(call, POLICY, DAY + number) for number, call in enumerate(calls)]
    assert not any(remembered.stranger for remembered in found)
    for number, call in enumerate(calls):
        memory.ended(call, Ending(talked=40, seconds=50), POLICY, DAY + 50 + number)
    assert not memory.observe(CALL, POLICY, 2 * DAY).stranger


def test_one_long_call_does_not_vouch_for_a_hundred_short_ones_nor_do_busy_ones_count() -> None:
    memory = make_memory()
    talk(memory, CALL, 0.0, 90)
    for number in range(50):
        talk(memory, dataclasses.replace(CALL, id=f"busy {number}"), 1000.0 + number * 60, 0, busy=True)
    assert not memory.observe(dataclasses.replace(CALL, id="after busy"), POLICY, 6000.0).stranger
    for number in range(10):
        talk(memory, dataclasses.replace(CALL, id=f"{number}"), 9000.0 + number * 60, 4)
    assert memory.observe(dataclasses.replace(CALL, id="last"), POLICY, 20_000.0).stranger


def test_who_was_here_on_another_day_is_no_never_seen_caller_of_a_flood() -> None:
    memory = make_memory(callers=4096)
    memory.observe(CALL, POLICY, 0.0)
    for number in range(200):
        remembered = memory.observe(dataclasses.replace(caller(number * 37), id=f"{number}"), POLICY, DAY + number / 10)
    assert remembered.surge is not None
    assert memory.observe(dataclasses.replace(CALL, id="again"), POLICY, DAY + 21).surge is None


def test_who_is_listened_to_may_call_all_day() -> None:
    policy = make_policy(bucket={"sustained": {"capacity": 3, "refill_per_hour": 1}})

    def admitted(talked: float) -> list[bool]:
        memory, found = make_memory(), []
        for number in range(8):
            call = dataclasses.replace(CALL, id=f"{number}")
            sustained = memory.observe(call, policy, number * 600.0).sustained
            found.append(sustained is not None and sustained.admitted)
            memory.ended(call, Ending(talked=talked, seconds=35), policy, number * 600.0 + 35)
        return found

    assert all(admitted(talked=25))
    assert not all(admitted(talked=5))


def test_a_copied_signature_earns_no_trust_and_makes_no_caller_welcome() -> None:
    first = dataclasses.replace(make_call(attestation=Attestation.A), id="1", identity="one PASSporT")
    copy = dataclasses.replace(first, id="2")
    memory, strict = make_memory(), make_policy(preset="strict")
    assert judge(memory, first, strict, 0.0).treatment is Treatment.PASS

    assert judge(memory, copy, strict, 10.0).treatment is Treatment.CAPTCHA
    memory.learn(copy, PASSED, strict, 20.0)
    memory.ended(copy, Ending(talked=90, seconds=99), strict, 110.0)

    earned = memory.observe(dataclasses.replace(first, id="3"), strict, 200.0).trust
    assert {trust.earned_with for trust in earned} == {Attestation.FAILED}


def test_a_caller_who_was_let_in_unsigned_is_welcome_unsigned_although_it_was_signed_since() -> None:
    memory, strict = make_memory(), make_policy(preset="strict")
    for number, attestation in enumerate((Attestation.NONE, Attestation.A)):
        call = dataclasses.replace(make_call(attestation=attestation), id=str(number))
        judge(memory, call, POLICY, number * 100.0)

    assert judge(memory, dataclasses.replace(CALL, id="3"), strict, 300.0).treatment is Treatment.PASS


def test_a_mark_of_fine_lifts_the_block_of_the_people_who_were_asked() -> None:
    blocked = Outcome(treatment=Treatment.ANNOUNCE, result=Result.BLOCKED)
    memory = taught(PASSED, blocked)
    assert judge(memory, CALL, POLICY, 1.0).treatment is Treatment.REJECT

    memory.mark(CALLER, True, POLICY, 2.0)

    assert judge(memory, dataclasses.replace(CALL, id="2"), POLICY, 40.0).treatment is Treatment.PASS


def test_hanging_up_on_a_mailbox_s_greeting_is_no_hang_up_in_a_challenge() -> None:
    memory = make_memory()
    gone = Outcome(treatment=Treatment.VOICEMAIL, result=Result.ABANDONED)
    for at in (0.0, 5.0, 15.0):
        memory.observe(CALL, POLICY, at)
        memory.learn(CALL, gone, POLICY, at + 2)

    beat = memory.observe(CALL, POLICY, 40.0).beat
    assert beat is not None
    assert beat.hang_ups == 0


def test_one_call_to_a_made_up_number_does_not_make_it_ours() -> None:
    memory = make_memory()
    memory.observe(make_call(ANOTHER_CALLER, did=CALLER), POLICY, 0.0)
    assert not memory.observe(CALL, POLICY, 1.0).ours

    for _ in range(OURS - 1):
        memory.observe(make_call(ANOTHER_CALLER, did=CALLER), POLICY, 2.0)
    assert memory.observe(CALL, POLICY, 3.0).ours


def test_an_open_window_can_be_prolonged_however_many_there_are() -> None:
    memory = make_memory()
    for number in range(WINDOWS):
        memory.open_window(Window(kind=WindowKind.EXPECTING, until=10.0, did=str(number)))
    memory.open_window(Window(kind=WindowKind.EXPECTING, until=99.0, did="0"))
    memory.open_window(Window(kind=WindowKind.PAUSE, until=99.0))

    assert memory.observe(CALL, POLICY, 50.0).windows == (Window(kind=WindowKind.EXPECTING, until=99.0, did="0"),)
