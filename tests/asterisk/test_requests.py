"""What we ask of Asterisk for one call, and the variables that the dialplan gets."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk import commands
from screener.asterisk.prompts import PLAIN
from screener.asterisk.rest import Answer, Request, channel_path
from screener.asterisk.variables import channel_variables, summary
from screener.policy.decide import decide
from screener.policy.remembered import Failures, Remembered
from screener.policy.verdict import Treatment
from tests.lab.places import REPO
from tests.policy.builders import CALLER, DID, REFUSED, TAKEN, make_call, make_policy, thorough

DIALPLAN = (REPO / "dialplan" / "screener.conf").read_text()
SALT = "00ff"


def variables_of(treatment: Treatment, **policy: object) -> dict[str, str]:
    common = {"ladder": [{"score": 5, "treatment": str(treatment)}], "announce": {"dial": "PJSIP/reception"}}
    compiled = make_policy(**{**common, **policy})
    call = make_call()
    verdict = decide(call, Remembered(rate=REFUSED), compiled, 0.0)
    assert verdict.acted is treatment
    return dict(
        channel_variables(call, verdict, compiled, now=0.0, prompts=PLAIN, below=lambda bound: bound - 1, salt=SALT)
    )


def test_ids_are_data() -> None:
    assert channel_path("../applications/x?a=b&c", "continue") == "channels/..%2Fapplications%2Fx%3Fa%3Db%26c/continue"
    assert commands.claim("app", "1&application=other").uri == (
        "events/claim?channelId=1%26application%3Dother&application=app"
    )


@pytest.mark.parametrize("status", [404, 409, 412])
def test_a_call_that_moved_on_is_gone_and_no_error(status: int) -> None:
    assert Answer(status=status).gone
    assert not Answer(status=status).ok
    assert Answer(status=204).ok


def test_a_uri_without_a_query_is_the_path() -> None:
    assert Request(method="GET", path="asterisk/ping").uri == "asterisk/ping"


# ---------------------------------------------------------------------------------------------- variables and dialplan


def test_every_treatment_has_its_context_and_every_context_its_treatment() -> None:
    contexts = set(re.findall(r"^\[screener-(\w+)\]", DIALPLAN, re.MULTILINE))
    steps = {
        "inbound",
        "vouched",
        "joined",
        "begin",
        "forget",
        "limit",
        "next",
        "bypass",
        "answer",
        "ask",
        "moved",
        "agi",
        "treat",
    }
    assert contexts - steps == {str(treatment) for treatment in Treatment}


@pytest.mark.parametrize("treatment", Treatment)
def test_the_dialplan_reads_every_variable_that_a_treatment_sets(treatment: Treatment) -> None:
    written = set(variables_of(treatment))
    read = set(re.findall(r"(?:\$\{|IMPORT\(\$\{SCREENER_CALLER\},)(SCREENER_\w+)", DIALPLAN))
    for name in written - set(summary(decide(make_call(), Remembered(rate=TAKEN), make_policy(), 0), make_policy())):
        assert any(re.fullmatch(f"{known}\\w*" if known.endswith("_") else known, name) for known in read), name


def test_the_answer_to_a_captcha_is_in_no_variable_but_as_a_salted_hash() -> None:
    variables = variables_of(Treatment.CAPTCHA, captcha={"digits": 3, "attempts": 2, "then": "reject"})
    assert variables["SCREENER_HASH_1"] == hashlib.sha1(f"{SALT}999".encode()).hexdigest()
    assert variables["SCREENER_LENGTH_1"] == "3"
    assert variables["SCREENER_TRIES"] == "2"
    assert "SCREENER_HASH_3" not in variables
    assert "999" not in variables.values()


def test_a_captcha_is_spoken_twice_and_the_second_says_that_it_is_another() -> None:
    variables = variables_of(Treatment.CAPTCHA)
    once = "vm-press&digits/9&digits/9"
    assert variables["SCREENER_PROMPT_1"] == f"{once}&silence/1&{once}"
    assert variables["SCREENER_PROMPT_2"] == f"please-try-again&{once}&silence/1&{once}"


def test_a_menu_gives_each_option_a_key_of_its_own() -> None:
    options = [{"prompt": ["a"], "destination": "sales,s,1"}, {"prompt": ["b"]}]
    variables = variables_of(Treatment.MENU, menu={"options": options})
    keys = {name[-1]: value for name, value in variables.items() if re.fullmatch(r"SCREENER_MENU_\d", name)}
    assert sorted(keys.values()) == ["on", "sales,s,1"]
    assert len(keys) == 2
    for key in keys:
        assert f"digits/{key}" in variables["SCREENER_MENU_PROMPT"].split("&")


def test_voicemail_and_rejection_have_what_they_need_also_as_the_treatment_after_a_captcha() -> None:
    assert variables_of(Treatment.VOICEMAIL)["SCREENER_MAILBOX"] == "600@default"
    assert variables_of(Treatment.CAPTCHA)["SCREENER_MAILBOX"] == "600@default"
    assert variables_of(Treatment.CAPTCHA, captcha={"then": "reject"}, reject={"cause": 17})["SCREENER_CAUSE"] == "17"
    assert variables_of(Treatment.REJECT, reject={"tone": True})["SCREENER_TONE"] == "yes"


def test_a_code_is_known_by_the_hashes_of_its_keys_one_after_the_other() -> None:
    bypass = [{"code": "4805"}, {"code": "481516"}]
    joined = variables_of(Treatment.CAPTCHA, bypass=bypass)["SCREENER_BYPASS"]
    assert variables_of(Treatment.MENU, bypass=bypass)["SCREENER_BYPASS"] == joined
    expected = []
    for code in ("4805", "481516"):
        sealed = ""
        for key in code:
            sealed = hashlib.sha1(f"{SALT}{sealed}{key}".encode()).hexdigest()
        expected.append(sealed)
    assert joined.split("-") == expected


def test_who_talks_on_at_a_captcha_has_the_mailbox_whatever_comes_next() -> None:
    rejecting = {"seconds": 1, "then": "reject"}
    assert variables_of(Treatment.CAPTCHA, captcha=rejecting)["SCREENER_MAILBOX"] == "600@default"
    silent = variables_of(Treatment.CAPTCHA, captcha={**rejecting, "talking": "none"})
    assert silent["SCREENER_TALKING"] == ""
    assert "SCREENER_MAILBOX" not in silent


def test_whom_to_ring_is_said_for_each_did_and_the_reason_is_a_word() -> None:
    dial = {"dial": "PJSIP/reception", "call_from": ["from"], "options": ["keys"]}
    variables = variables_of(Treatment.ANNOUNCE, announce=dial)
    assert variables["SCREENER_DIAL"] == "PJSIP/reception"
    assert variables["SCREENER_NUMBER"] == CALLER
    assert variables["SCREENER_OPTIONS"] == "simul-call-limit-reached&keys"  # it calls too often
    own = variables_of(Treatment.ANNOUNCE, announce=dial, dids={DID: {"announce": "Local/1@doctors"}})
    assert own["SCREENER_DIAL"] == "Local/1@doctors"


def test_a_withheld_or_impossible_number_is_not_shown_to_the_callee() -> None:
    policy = make_policy(ladder=[{"score": 2, "treatment": "announce"}], announce={"dial": "PJSIP/reception"})
    for raw in ("", "1&SIP/evil"):
        call = make_call(raw)
        verdict = decide(call, Remembered(rate=TAKEN), policy, 0.0)
        shown = channel_variables(call, verdict, policy, now=0.0, prompts=PLAIN, below=lambda bound: 0, salt=SALT)
        assert shown["SCREENER_NUMBER"] == ""


def test_a_tarpit_and_the_busy_tone_have_their_bounds() -> None:
    tarpit = variables_of(Treatment.TARPIT, tarpit={"seconds": 30, "calls": 5, "answer": True})
    assert (tarpit["SCREENER_HOLD"], tarpit["SCREENER_HELD"], tarpit["SCREENER_ANSWER"]) == ("30", "5", "yes")
    assert variables_of(Treatment.BUSY, busy={"cause": 34})["SCREENER_CAUSE"] == "34"


@given(st.text(max_size=500))
@thorough
def test_the_reason_on_the_channel_means_nothing_to_a_dialplan(raw: str) -> None:
    call, policy = make_call(raw), make_policy()
    verdict = decide(call, Remembered(rate=REFUSED, failures=Failures(count=1, last_at=0.0)), policy, 1.0)
    why = summary(verdict, policy)["SCREENER_WHY"]
    assert not set(why) & set("${}[]\"'\\&|<>^!\r\n\x00")
    assert why.isascii()
    assert len(why) <= 400


def test_the_samples_of_asterisk_name_the_application_that_is_the_default() -> None:
    sample = Path(REPO / "config/asterisk/ari.conf").read_text()
    assert "[screener]" in sample
