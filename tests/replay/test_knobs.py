"""What may be turned, and what comes of turning it."""

import pytest

from screener.policy.settings import PolicySettings
from screener.policy.signals import SIGNALS
from screener.replay.knobs import Knob, figures, points, turned, written

SETTINGS = PolicySettings(region="US")
EVERY_RULE = PolicySettings.model_validate(
    {"region": "US", "signals": {name: {"mode": "live"} for name in type(SETTINGS.signals).model_fields}}
)
WITHOUT_ONE = {"history", "greylist", "listed"}
"""Rules that have several figures for points, or none here: a feed has its own."""


def test_the_points_of_each_rule_are_found() -> None:
    found = {code for code, _ in points(EVERY_RULE)}
    assert found == {rule.code for rule in SIGNALS} - WITHOUT_ONE
    assert len({knob.path for knob in points(EVERY_RULE).values()}) == len(points(EVERY_RULE))


def test_rules_that_do_not_count_are_left_alone() -> None:
    settings = PolicySettings.model_validate({"region": "US", "signals": {"rate": {"mode": "shadow"}}})
    assert ("rate", "") not in points(settings)
    assert not [knob for knob, _ in figures(settings) if knob.path[:2] == ("signals", "rate")]


def test_points_by_attestation_are_a_knob_for_each_level() -> None:
    settings = PolicySettings.model_validate(
        {"region": "US", "signals": {"attestation": {"points": {"C": 2, "none": 0, "failed": 4}}}}
    )
    found = {level: knob for (code, level), knob in points(settings).items() if code == "attestation"}
    assert {level: knob.value for level, knob in found.items()} == {"C": 2, "failed": 4}


@pytest.mark.parametrize(("knob", "value"), [
    pytest.param(knob, value, id=f"{knob.name}={value:g}") for knob, others in figures(EVERY_RULE) for value in others
])  # fmt: skip
def test_each_other_value_of_a_figure_is_a_policy(knob: Knob, value: float) -> None:
    assert value != knob.value
    assert turned(EVERY_RULE, {knob.path: value}) != EVERY_RULE


def test_only_what_was_turned_and_what_was_written_stands_in_the_result() -> None:
    settings = PolicySettings.model_validate({"region": "CH", "lists": {"block": ["+1900*"]}})
    data = written(
        settings, {("signals", "rate", "points"): 2.5, ("ladder", 0, "score"): 2, ("bucket", "capacity"): 4.0}
    )
    assert data["region"] == "CH"
    assert data["lists"]["block"][0]["number"] == "+1900*"
    assert data["signals"] == {"rate": {"points": 2.5}}
    assert data["bucket"] == {"capacity": 4}
    assert [rung["score"] for rung in data["ladder"]] == [2, *(rung.score for rung in settings.ladder[1:])]
    again = PolicySettings.model_validate(data)
    assert again.signals.rate.points == 2.5
    assert again.signals.sweep == settings.signals.sweep


def test_turning_does_not_change_what_it_was_given() -> None:
    before = SETTINGS.model_dump_json()
    turned(SETTINGS, {("ladder", 0, "score"): 1.0, ("signals", "attestation", "points", "C"): 3.0})
    assert SETTINGS.model_dump_json() == before
