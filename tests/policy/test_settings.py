"""The settings refuse an illegal value where it is written."""

from typing import Any

import pytest
from pydantic import ValidationError

from screener.policy.call import Attestation
from screener.policy.challenge import ChallengeKind
from screener.policy.line_settings import DEFAULT_LADDER
from screener.policy.list_settings import ListEntry
from screener.policy.section import Section
from screener.policy.settings import (
    BucketSettings,
    MenuOption,
    PolicySettings,
)
from screener.policy.verdict import Mode, Treatment
from tests.policy.builders import DID, make_settings


def refusal(**written: Any) -> list[tuple[tuple[int | str, ...], str]]:
    """Return where and why these settings are refused."""
    with pytest.raises(ValidationError) as caught:
        PolicySettings.model_validate({"region": "US", **written})
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


def test_the_country_is_all_that_must_be_said_and_nothing_is_acted_upon_yet() -> None:
    settings = PolicySettings(region="US")

    assert settings.mode is Mode.SHADOW
    assert settings.bucket == BucketSettings(capacity=3, refill_per_hour=12)
    assert settings.preset == "balanced"
    assert settings.ladder == DEFAULT_LADDER
    assert settings.signals.attestation.points == {Attestation.FAILED: 3, Attestation.B: 1, Attestation.C: 1}
    assert settings.captcha.kind is ChallengeKind.DIGITS
    assert settings.menu.options == (MenuOption(prompt=("to-call-this-number",), destination=None),)
    assert settings.voicemail.mailbox is None
    assert settings.reject.cause == 21
    assert settings.dids == {}


def test_without_a_country_there_is_no_policy() -> None:
    with pytest.raises(ValidationError, match="region"):
        PolicySettings.model_validate({})


@pytest.mark.parametrize("region", ["us", "UK", "USA", "001", "ZZ", ""])
def test_a_country_that_does_not_exist_is_refused(region: str) -> None:
    with pytest.raises(ValidationError, match="expected a country's two letters in capitals, such as US, GB or CH"):
        PolicySettings(region=region)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"modus": "live"}, ("modus",)),
        ({"bucket": {"capcity": 3}}, ("bucket", "capcity")),
        ({"signals": {"rat": {}}}, ("signals", "rat")),
        ({"ladder": [{"score": 3, "treatment": "menu", "because": ""}]}, ("ladder", 0, "because")),
        ({"trust": {"hours": 3}}, ("trust", "hours")),
        ({"lists": {"grey": []}}, ("lists", "grey")),
        ({"lists": {"block": [{"number": "+12", "reason": ""}]}}, ("lists", "block", 0, "reason")),
        ({"never_screen": {"dids": []}}, ("never_screen", "dids")),
        ({"captcha": {"digit": 2}}, ("captcha", "digit")),
        ({"menu": {"options": [{"key": "1"}]}}, ("menu", "options", 0, "key")),
        ({"voicemail": {"box": "1"}}, ("voicemail", "box")),
        ({"reject": {"code": 21}}, ("reject", "code")),
        ({"dids": {DID: {"bucket": {}}}}, ("dids", DID, "bucket")),
    ],
)
def test_an_unknown_key_is_an_error_in_every_section(written: dict[str, Any], place: tuple[int | str, ...]) -> None:
    assert (place, "extra_forbidden") in refusal(**written)


@pytest.mark.parametrize("section", Section.__subclasses__(), ids=lambda section: section.__name__)
def test_every_section_explains_each_of_its_settings_or_is_explained_by_its_type(section: type[Section]) -> None:
    assert section.model_config.get("extra") == "forbid"
    assert section.__doc__
    for name, field in section.model_fields.items():
        explained = field.description or getattr(field.annotation, "__doc__", None)
        assert explained, name


@pytest.mark.parametrize("scores", [(3, 3), (5, 3), (1, 5, 5), (8, 3, 9)])
def test_a_ladder_that_does_not_rise_is_refused_for_the_pbx_and_for_a_did(scores: tuple[float, ...]) -> None:
    ladder = [{"score": score, "treatment": "menu"} for score in scores]

    assert refusal(ladder=ladder) == [(("ladder",), "value_error")]
    assert refusal(dids={DID: {"ladder": ladder}}) == [(("dids", DID, "ladder"), "value_error")]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_step_that_no_score_reaches_is_refused(score: float) -> None:
    assert refusal(ladder=[{"score": score, "treatment": "menu"}]) == [(("ladder", 0, "score"), "finite_number")]


def test_a_ladder_of_one_step_and_one_of_none_are_ladders() -> None:
    assert make_settings(ladder=[]).ladder == ()
    assert len(make_settings(ladder=[{"score": -5, "treatment": "captcha"}]).ladder) == 1
    assert make_settings(dids={DID: {"ladder": None}}).dids[DID].ladder is None


def test_a_ladder_without_end_is_refused() -> None:
    ladder = [{"score": score, "treatment": "menu"} for score in range(21)]

    assert refusal(ladder=ladder) == [(("ladder",), "too_long")]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"bucket": {"capacity": 0}}, ("bucket", "capacity")),
        ({"bucket": {"capacity": 1001}}, ("bucket", "capacity")),
        ({"bucket": {"refill_per_hour": 0}}, ("bucket", "refill_per_hour")),
        ({"bucket": {"refill_per_hour": 1e-300}}, ("bucket", "refill_per_hour")),
        ({"bucket": {"refill_per_hour": 3601}}, ("bucket", "refill_per_hour")),
        ({"bucket": {"refill_per_hour": float("nan")}}, ("bucket", "refill_per_hour")),
        ({"signals": {"rate": {"points": 101}}}, ("signals", "rate", "points")),
        ({"signals": {"rate": {"points": float("nan")}}}, ("signals", "rate", "points")),
        ({"signals": {"attestation": {"points": {"A": -101}}}}, ("signals", "attestation", "points", "A")),
        ({"signals": {"attestation": {"points": {"D": 1}}}}, ("signals", "attestation", "points", "D", "[key]")),
        ({"signals": {"challenge_failed": {"hours": 0}}}, ("signals", "challenge_failed", "hours")),
        ({"trust": {"days": -1}}, ("trust", "days")),
        ({"trust": {"days": float("inf")}}, ("trust", "days")),
        ({"lists": {"block": ["1"]}}, ("lists", "block", 0, "number")),
        ({"lists": {"block": [4155550100]}}, ("lists", "block", 0)),
        ({"never_screen": {"endpoints": [""]}}, ("never_screen", "endpoints", 0)),
        ({"never_screen": {"numbers": [""]}}, ("never_screen", "numbers", 0)),
        ({"captcha": {"kind": "colours"}}, ("captcha", "kind")),
        ({"captcha": {"digits": 0}}, ("captcha", "digits")),
        ({"captcha": {"attempts": 6}}, ("captcha", "attempts")),
        ({"captcha": {"then": "captcha"}}, ("captcha", "then")),
        ({"captcha": {"prompt": ["beep,noanswer"]}}, ("captcha", "prompt", 0)),
        ({"captcha": {"prompt": ["${SECRET}"]}}, ("captcha", "prompt", 0)),
        ({"menu": {"options": []}}, ("menu", "options")),
        ({"menu": {"options": [{}] * 10}}, ("menu", "options")),
        ({"menu": {"options": [{"destination": "sales"}]}}, ("menu", "options", 0, "destination")),
        ({"menu": {"options": [{"destination": "sales,s,1\n"}]}}, ("menu", "options", 0, "destination")),
        ({"menu": {"options": [{"destination": "a,${X},1"}]}}, ("menu", "options", 0, "destination")),
        ({"voicemail": {"mailbox": "600@default,u"}}, ("voicemail", "mailbox")),
        ({"voicemail": {"options": "u,x"}}, ("voicemail", "options")),
        ({"reject": {"cause": 0}}, ("reject", "cause")),
        ({"reject": {"cause": 128}}, ("reject", "cause")),
        ({"reject": {"announcement": "a&b"}}, ("reject", "announcement")),
        ({"reject": {"repeat_seconds": -1}}, ("reject", "repeat_seconds")),
        ({"mode": "dry-run"}, ("mode",)),
        ({"dids": {DID: {"mailbox": ""}}}, ("dids", DID, "mailbox")),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_its_place(
    written: dict[str, Any], place: tuple[int | str, ...]
) -> None:
    assert place in [where for where, _why in refusal(**written)]


def test_a_number_on_a_list_may_be_written_alone() -> None:
    settings = make_settings(lists={"allow": ["+12015550123"], "block": [{"number": "+1900*", "note": "premium"}]})

    assert settings.lists.allow == (ListEntry(number="+12015550123"),)
    assert settings.lists.block == (ListEntry(number="+1900*", note="premium"),)


def test_settings_in_force_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_settings().bucket.capacity = 5  # type: ignore[misc]


TO_VOICEMAIL = [{"score": 5, "treatment": "voicemail"}]
TO_MENU = [{"score": 5, "treatment": "menu"}]
TO_CAPTCHA = [{"score": 5, "treatment": "captcha"}]
ENDS = {"menu": {"then": "pass"}}
OTHER = "+14155550101"


@pytest.mark.parametrize(
    "written",
    [
        {"mode": "live"},
        {"mode": "live", "ladder": TO_VOICEMAIL},
        {"dids": {DID: {"mode": "live"}}},
        {"ladder": TO_MENU, "dids": {DID: {"mode": "live", "ladder": TO_VOICEMAIL}}, **ENDS},
        {"mode": "live", "ladder": TO_MENU, "dids": {DID: {"ladder": TO_VOICEMAIL}}, **ENDS},
        {"dids": {DID: {"mode": "live"}, OTHER: {"mailbox": "601"}}},
        # After a challenge that was not passed, voicemail comes unless something else is said.
        {"mode": "live", "ladder": TO_MENU},
        {"mode": "live", "ladder": TO_CAPTCHA, **ENDS},
    ],
)
def test_calls_are_not_sent_to_a_mailbox_that_nobody_named(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"to voicemail, .*no mailbox"):
        PolicySettings.model_validate({"region": "US", **written})


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"mode": "live", "voicemail": {"mailbox": "600"}},
        {"mode": "live", "ladder": TO_MENU, **ENDS},
        {"mode": "live", "ladder": []},
        {"mode": "live", "dids": {DID: {"mailbox": "601@default"}}},
        {"dids": {DID: {"mode": "live", "mailbox": "601"}}},
        {"dids": {DID: {"mode": "live", "ladder": TO_MENU}}, **ENDS},
        {"mode": "live", "voicemail": {"mailbox": "600"}, "dids": {DID: {"ladder": TO_VOICEMAIL}}},
        {"mode": "live", "ladder": TO_MENU, "dids": {DID: {"mode": "shadow", "ladder": TO_VOICEMAIL}}, **ENDS},
    ],
)
def test_a_mailbox_is_asked_for_only_where_calls_go_to_it(written: dict[str, Any]) -> None:
    assert PolicySettings.model_validate({"region": "US", **written}).region == "US"


def test_a_failed_challenge_goes_to_voicemail_unless_it_is_said_otherwise() -> None:
    settings = make_settings(captcha={"then": "reject"}, menu={"then": "pass"})

    assert make_settings().captcha.then is Treatment.VOICEMAIL
    assert (settings.captcha.then, settings.menu.then) == (Treatment.REJECT, Treatment.PASS)
