"""The shipped presets."""

import pytest
import yaml
from pydantic import ValidationError

from screener.config import load
from screener.policy.policy import compile_policy
from screener.policy.presets import Preset
from screener.policy.settings import PolicySettings
from screener.policy.signal_settings import RuleMode
from tests.lab.places import REPO


def settings(**written: object) -> PolicySettings:
    return PolicySettings.model_validate({"region": "US", **written})


def test_balanced_is_what_holds_where_nothing_is_said() -> None:
    assert settings() == settings(preset="balanced") == settings(preset=None)


def test_what_is_written_comes_before_the_preset() -> None:
    strict = settings(preset="strict", signals={"stranger": {"points": 4}, "rate": {"points": 6}})

    assert strict.signals.stranger.mode is RuleMode.LIVE
    assert (strict.signals.stranger.points, strict.signals.rate.points) == (4, 6)
    assert settings(preset="strict", signals={"stranger": {"mode": "shadow"}}).signals.stranger.mode is RuleMode.SHADOW
    assert settings(preset="gentle", bucket={"capacity": 4}).bucket.capacity == 4
    assert (
        settings(preset="gentle", bucket={"capacity": 4}).bucket.sustained == settings(preset="gentle").bucket.sustained
    )
    assert settings(preset="gentle", bucket={"sustained": False}).bucket.sustained is False


@pytest.mark.parametrize("preset", Preset)
def test_each_preset_lies_ready_as_a_file(preset: Preset) -> None:
    file = REPO / "config" / "presets" / f"{preset}.yaml"
    config = load(file)

    assert config.policy == settings(preset=preset)
    assert compile_policy(config.policy).settings.mode == "shadow"
    assert set(yaml.safe_load(file.read_text())) == {"policy"}


@pytest.mark.parametrize("preset", ["lenient", 3, ["strict"]])
def test_a_preset_that_does_not_exist_is_told(preset: object) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(preset=preset)
    assert [error["loc"] for error in caught.value.errors()] == [("preset",)]


def test_a_mode_alone_leaves_the_preset_s_figures() -> None:
    around = settings(preset="gentle", signals={"neighbourhood": "shadow"}).signals.neighbourhood

    assert around.mode is RuleMode.SHADOW
    assert around.thousand_capacity == settings(preset="gentle").signals.neighbourhood.thousand_capacity


@pytest.mark.parametrize("written", [{"signals": 3}, {"signals": {"stranger": ["live"]}}])
def test_a_wrong_section_is_told_and_not_covered_up(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(preset="strict", **written)
    with pytest.raises(ValidationError):
        PolicySettings.model_validate("strict")
