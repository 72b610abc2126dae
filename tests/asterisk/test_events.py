"""Asterisk's messages become events; whatever else they are, they become nothing worse than MalformedEventError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.events import (
    FILTER,
    CallDialled,
    CalleeAnswered,
    CallEnded,
    CallEntered,
    CallOffered,
    CallTransferred,
    MalformedEventError,
    OutcomeReported,
    Replaced,
    UnknownEventError,
    bridged,
    read,
    survey,
)
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment
from tests.policy.builders import thorough

CHANNEL: dict[str, Any] = {
    "id": "1764000000.1",
    "name": "PJSIP/trunk-00000001",
    "state": "Ring",
    "caller": {"name": "Ann", "number": "+12015550123"},
    "dialplan": {
        "context": "screener",
        "exten": "s",
        "priority": 14,
        "app_name": "Stasis",
        "app_data": "screener,did=1",
    },
    "creationtime": "2026-11-24T01:18:29.006+0000",
    "language": "en",
}
ENTERED = {
    "type": "StasisStart",
    "application": "screener",
    "args": ["did=4155550100", "pres=allowed"],
    "channel": CHANNEL,
}
OFFERED = {"type": "CallBroadcast", "channel": CHANNEL, "caller": "x", "called": "y"}
REPORTED = {
    "type": "ChannelUserevent",
    "eventname": "ScreenerOutcome",
    "userevent": {"eventname": "ScreenerOutcome", "Treatment": "captcha", "Result": "passed", "Tries": "2"},
    "channel": CHANNEL,
}
ENDED = {
    "type": "ChannelDestroyed",
    "cause": 16,
    "cause_txt": "Normal Clearing",
    "channel": CHANNEL,
    "timestamp": "2026-11-24T01:18:31.506+0000",
}
DIALLED = {"type": "Dial", "dialstatus": "ANSWER", "dialstring": "", "caller": CHANNEL, "peer": {**CHANNEL, "id": "2"}}
TRANSFERRED = {
    "type": "BridgeBlindTransfer",
    "result": "Success",
    "channel": {**CHANNEL, "id": "2"},
    "transferee": CHANNEL,
}
"""As Asterisk 22.10.1 sends them, shortened."""


def without(message: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != name}


def test_a_call_enters_with_its_facts() -> None:
    event = read(ENTERED)
    assert isinstance(event, CallEntered)
    assert event.facts == {"did": "4155550100", "pres": "allowed"}
    assert (event.channel.id, event.channel.number, event.channel.caller_name) == (
        "1764000000.1",
        "+12015550123",
        "Ann",
    )


def test_an_argument_that_is_no_text_is_no_fact() -> None:
    event = read({**ENTERED, "args": ["did=1", 5, None, "odd", "a=b=c"]})
    assert isinstance(event, CallEntered)
    assert event.facts == {"did": "1", "odd": "", "a": "b=c"}
    assert read({**ENTERED, "args": "did=1"}) == read(without(ENTERED, "args"))


def test_the_other_events() -> None:
    assert read(OFFERED) == CallOffered(channel_id="1764000000.1")
    assert read(REPORTED) == OutcomeReported(
        channel_id="1764000000.1", outcome=Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=2)
    )
    assert read(ENDED) == CallEnded(channel_id="1764000000.1", cause=16, cause_text="Normal Clearing", seconds=2.5)
    assert read(DIALLED) == CallDialled(channel_id="1764000000.1", status="ANSWER")
    assert read(TRANSFERRED) == CallTransferred(channel_id="1764000000.1")
    assert read({"type": "ApplicationReplaced", "application": "screener"}) == Replaced()


def test_a_leg_without_a_caller_and_a_transfer_that_failed_are_nobodys() -> None:
    assert read(without(DIALLED, "caller")) is None
    assert read(without(TRANSFERRED, "transferee")) is None
    assert read({**TRANSFERRED, "result": "Fail"}) is None


def test_a_dialplan_that_says_busy_leaves_the_channel_in_that_state() -> None:
    ended = read({**ENDED, "channel": {**CHANNEL, "state": "Busy"}})
    assert isinstance(ended, CallEnded)
    assert ended.busy


BRIDGE = {
    "bridge_type": "mixing", "channels": ["1.1", "1.2"], "creationtime": "2026-11-25T02:13:13.219+0000", "id": "x",
}  # fmt: skip


def test_who_talks_with_whom_and_since_when() -> None:
    alone, parked = {**BRIDGE, "channels": ["1.3"]}, {**BRIDGE, "bridge_type": "holding", "channels": ["1.4", "1.5"]}
    assert bridged(json.dumps([BRIDGE, alone, parked])) == {"1.1": 1795572793.219, "1.2": 1795572793.219}


@pytest.mark.parametrize(
    "text",
    ["", "5", "[5]", "[{}]", json.dumps([{**BRIDGE, "channels": [5, 6]}]), json.dumps([{**BRIDGE, "creationtime": 5}])],
)
def test_a_list_of_bridges_that_cannot_be_read_is_malformed(text: str) -> None:
    with pytest.raises(MalformedEventError):
        bridged(text)


def test_a_call_of_unknown_length_ends_all_the_same() -> None:
    ended = read({**ENDED, "timestamp": "yesterday"})
    assert isinstance(ended, CallEnded)
    assert ended.seconds == 0


def test_user_events_of_others_are_none_of_ours() -> None:
    assert read({**REPORTED, "eventname": "X"}) is None


@pytest.mark.parametrize("name", ["ChannelVarset", "NewInAsterisk99"])
def test_an_event_that_the_filter_should_have_kept_back_is_named(name: str) -> None:
    with pytest.raises(UnknownEventError, match=name):
        read({"type": name})


@pytest.mark.parametrize(
    "message",
    [
        {}, {"type": None}, {"type": ["StasisStart"]}, without(ENTERED, "channel"), {**ENTERED, "channel": []},
        {**ENTERED, "channel": without(CHANNEL, "id")}, {**ENTERED, "channel": {**CHANNEL, "id": 5}},
        {**ENTERED, "channel": without(CHANNEL, "caller")}, {**ENTERED, "channel": {**CHANNEL, "caller": {}}},
        {**DIALLED, "dialstatus": 5}, {**DIALLED, "caller": 5}, {**TRANSFERRED, "transferee": {}},
        without(OFFERED, "channel"), without(ENDED, "cause"), {**ENDED, "cause": "16"},
        without(REPORTED, "userevent"), {**REPORTED, "userevent": {"Treatment": "shout", "Result": "passed"}},
        {**REPORTED, "userevent": {"Treatment": "captcha", "Result": "?"}},
        {**REPORTED, "userevent": {"Treatment": "captcha", "Result": "passed", "Tries": "many"}},
    ],
)  # fmt: skip
def test_an_event_that_lacks_what_we_need_is_malformed(message: dict[str, Any]) -> None:
    with pytest.raises(MalformedEventError):
        read(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "type",
        "channel",
        "caller",
        "transferee",
        "dialstatus",
        "state",
        "args",
        "userevent",
        "cause",
        "eventname",
        "timestamp",
        "cause_txt",
    ]
)


@given(st.sampled_from([ENTERED, OFFERED, REPORTED, DIALLED, TRANSFERRED, ENDED]), NAMES, JSON)
@thorough
def test_no_value_in_an_event_raises_anything_else(message: dict[str, Any], name: str, value: Any) -> None:
    try:
        read({**message, name: value})
        read({**message, "channel": {**CHANNEL, name: value}})
        read({**message, "channel": {**CHANNEL, "caller": value, "dialplan": value}})
    except MalformedEventError as error:
        assert str(error)  # noqa: PT017 - that it may be raised is not that it must be


def test_a_survey_tells_who_is_there_and_who_waits_for_us() -> None:
    talking = {**CHANNEL, "id": "2.1", "dialplan": {**CHANNEL["dialplan"], "app_name": "Dial"}}
    others = {**CHANNEL, "id": "3.1"}
    present, waiting = survey(
        json.dumps([CHANNEL, talking, others]), json.dumps({"channel_ids": [CHANNEL["id"], "2.1"]})
    )
    assert present == {CHANNEL["id"], "2.1", "3.1"}
    assert [(one.channel.id, one.facts["did"]) for one in waiting] == [(CHANNEL["id"], "1")]


def test_facts_of_a_broadcast_are_divided_at_colons() -> None:
    dialplan = {"exten": "s", "app_name": "StasisBroadcast", "app_data": "500,^screener.*$,did=1:sig0=success|A|x.y:z="}
    listed = [{**CHANNEL, "dialplan": dialplan}]
    _, (waiting,) = survey(json.dumps(listed), json.dumps({"channel_ids": [CHANNEL["id"]]}))
    assert waiting.facts == {"did": "1", "sig0": "success:A:x.y", "z": ""}
    entered = read({"type": "StasisStart", "channel": CHANNEL, "args": ["did=1", "sig0=success|A|x.y", "z="]})
    assert isinstance(entered, CallEntered)
    assert entered.facts == waiting.facts


def test_a_callee_who_answers_is_told_by_the_dialplan() -> None:
    message = {"type": "ChannelUserevent", "channel": CHANNEL, "eventname": "ScreenerAnswered", "userevent": {}}
    assert read(message) == CalleeAnswered(channel_id=CHANNEL["id"])


NONE_OURS = '{"channel_ids": []}'


@pytest.mark.parametrize(
    ("channels", "application"),
    [("", "{}"), ("[]", "{}"), ("5", NONE_OURS), ('[{"id": 1}]', NONE_OURS), ("[[]]", NONE_OURS),
     ("[]", '{"channel_ids": [[]]}')],
)  # fmt: skip
def test_a_survey_that_cannot_be_read_is_malformed(channels: str, application: str) -> None:
    with pytest.raises(MalformedEventError):
        survey(channels, application)


def test_the_filter_lets_through_what_is_handled_and_the_answers_to_requests() -> None:
    allowed = {entry["type"] for entry in FILTER["allowed"]}
    assert allowed == {
        "StasisStart", "CallBroadcast", "ChannelUserevent", "Dial", "BridgeBlindTransfer", "ChannelDestroyed",
        "ApplicationReplaced", "RESTResponse",
    }  # fmt: skip
