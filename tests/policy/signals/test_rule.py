"""The table of signals, and how a policy applies each of them."""

import dataclasses

import pytest

from screener.policy.decide import decide
from screener.policy.remembered import STRANGER, Remembered
from screener.policy.settings import PolicySettings
from screener.policy.signals import SIGNALS, Rule
from tests.lab.places import REPO
from tests.policy.builders import REFUSED, make_call, make_policy

CODES = (
    "rate neighbourhood sweep surge group rhythm alike hang-up withheld malformed foreign-script unassigned premium "
    "own-number neighbour country name-warning odd-name attestation challenge-failed history listed stranger greylist"
)


def test_the_codes_stand_in_cdrs_and_are_never_renamed() -> None:
    assert [rule.code for rule in SIGNALS] == CODES.split()


def test_every_section_has_a_signal_and_every_signal_its_section() -> None:
    sections = type(PolicySettings(region="US").signals).model_fields
    assert {rule.section for rule in SIGNALS} == set(sections)


@pytest.mark.parametrize("rule", [rule for rule in SIGNALS if rule.section not in ("stranger", "greylist")])
def test_of_a_stranger_with_a_number_no_signal_has_anything_to_say(rule: Rule) -> None:
    assert rule.look(make_call(), STRANGER, make_policy(), 0) is None


def test_every_module_of_signals_has_its_own_tests() -> None:
    modules = {path.stem for path in (REPO / "screener/policy/signals").glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_") for path in (REPO / "tests/policy/signals").glob("test_*.py")}
    assert modules <= tests


@pytest.mark.parametrize(("mode", "score", "shadow"), [("live", 5, False), ("shadow", 0, True)])
def test_a_rule_in_shadow_is_shown_and_not_counted(mode: str, score: float, shadow: bool) -> None:
    verdict = decide(make_call(), Remembered(rate=REFUSED), make_policy(signals={"rate": {"mode": mode}}), 0)

    assert verdict.score == score
    assert [(reason.code, reason.points, reason.shadow) for reason in verdict.reasons] == [("rate", 5, shadow)]


@pytest.mark.parametrize("off", ["off", False])  # YAML makes a truth of the word
def test_a_rule_that_is_off_is_not_looked_at(off: object) -> None:
    policy = make_policy(signals={"rate": {"mode": off}})

    assert decide(make_call(), Remembered(rate=REFUSED), policy, 0).reasons == ()


@pytest.mark.parametrize(("written", "score"), [("off", 0), (False, 0), ("shadow", 0), ("live", 5)])
def test_a_mode_alone_stands_for_its_section(written: object, score: float) -> None:
    policy = make_policy(signals={"rate": written})

    assert decide(make_call(), Remembered(rate=REFUSED), policy, 0).score == score


def test_a_rule_that_guards_itself_is_in_shadow() -> None:
    relaxed = dataclasses.replace(STRANGER, rate=REFUSED, relaxed=frozenset({"rate"}))

    assert decide(make_call(), relaxed, make_policy(), 0).score == 0


def test_a_canary_acts_for_its_share_of_callers_and_always_for_the_same_ones() -> None:
    policy = make_policy(signals={"rate": {"canary": 0.25}})
    calls = [make_call(f"+1201{number:07}") for number in range(2_000_000, 2_002_000)]

    def acted() -> list[bool]:
        return [not decide(call, Remembered(rate=REFUSED), policy, 0).reasons[0].shadow for call in calls]

    assert acted() == acted()
    assert 0.2 < sum(acted()) / len(calls) < 0.3
