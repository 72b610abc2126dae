"""Every parser that reads what others wrote, with what nobody should have written. Hypothesis keeps what it found."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk import agi
from screener.asterisk.connection import AriConnection
from screener.asterisk.events import Event, MalformedEventError, survey
from screener.asterisk.prompts import PLAIN
from screener.asterisk.settings import AriSettings
from screener.asterisk.socket_rest import SocketRest
from screener.asterisk.variables import channel_variables
from screener.config import ConfigError, parse
from screener.memory.journal import Journal, Judged
from screener.memory.reader import JournalReader
from screener.memory.settings import JournalSettings
from screener.policy.call import Call
from screener.policy.caller import identify
from screener.policy.decide import decide
from screener.policy.remembered import STRANGER
from screener.policy.verdict import Verdict
from screener.state import State, present
from tests.asterisk.agi_peer import ENVIRONMENT
from tests.lab.places import REPO
from tests.policy.builders import PEPPER, brief, make_policy, thorough

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CHANNEL = {
    "id": "1.1", "name": "PJSIP/t-00000001", "caller": {"name": "", "number": "1"},
    "dialplan": {"exten": "s", "app_name": "Stasis", "app_data": "screener,did=1"}, "language": "en",
    "creationtime": "2026-11-24T01:18:29.006+0000",
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "StasisStart", "args": ["did=1"], "channel": CHANNEL},
    {"type": "CallBroadcast", "channel": CHANNEL},
    {"type": "ChannelUserevent", "eventname": "ScreenerOutcome", "channel": CHANNEL,
     "userevent": {"Treatment": "captcha", "Result": "passed", "Tries": "1"}},
    {"type": "ChannelDestroyed", "cause": 16, "cause_txt": "x", "channel": CHANNEL, "timestamp": "2026-11-24T01:18Z"},
    {"type": "ApplicationReplaced"},
    {"type": "RESTResponse", "request_id": "1", "status_code": 200, "message_body": "{}"},
]  # fmt: skip
SAMPLE = (REPO / "config" / "screener.yaml").read_text()


class Taken:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, event: Event) -> None:
        self.events.append(event)

    async def connected(self) -> None:
        pass

    async def drain(self) -> None:
        pass


async def write(_: str) -> None:
    pass


def replaced(data: st.DataObject, of: Any) -> Any:
    """Return `of` with one part of it replaced by anything at all, or left out."""
    if isinstance(of, dict) and of and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(of)))
        if data.draw(st.booleans()):
            return {**of, key: replaced(data, of[key])}
        return {name: value for name, value in of.items() if name != key}
    return data.draw(ANYTHING)


@given(st.data())
@thorough
def test_no_message_of_asterisk_stops_the_reading(data: st.DataObject) -> None:
    connection, taken = AriConnection(AriSettings(), "x"), Taken()
    message = json.dumps(replaced(data, data.draw(st.sampled_from(EVENTS))))
    cut = data.draw(st.integers(0, len(message)))
    rest = SocketRest(write, 1)
    for text in (message, message[:cut], message + message, data.draw(st.text())):
        connection._read(text, rest, taken)
    # What could be read was taken; what could not was counted; nothing was lost without a trace.
    connection._read(json.dumps(EVENTS[0]), rest, taken)
    assert taken.events


@given(st.data())
@brief
def test_no_list_of_channels_raises_anything_else(data: st.DataObject) -> None:
    channels = json.dumps([CHANNEL, replaced(data, CHANNEL)])
    application = json.dumps(replaced(data, {"channel_ids": ["1.1"]}))
    for listed, ours in (
        (channels, application),
        (data.draw(st.text()), application),
        (channels, data.draw(st.text())),
    ):
        try:
            present, waiting = survey(listed, ours)
        except MalformedEventError:
            continue
        assert {one.channel.id for one in waiting} <= present


LINES = ENVIRONMENT.format(script="screen", uniqueid="1.1", number="1", name="x", did="1").splitlines()
MARK = "5f3759df" * 3


@given(st.data())
@thorough
def test_no_agi_line_raises_anything_but_what_it_should(data: st.DataObject) -> None:
    forged = st.sampled_from(LINES) | st.sampled_from(["", "200 result=1 (x)", "HANGUP", "agi_arg_1: did=9"])
    lines = data.draw(st.lists(forged | st.text(), max_size=20))
    sent = "\n".join(data.draw(st.permutations([*LINES, *lines]))).encode("utf-8", "replace") + data.draw(st.binary())
    values = data.draw(st.lists(st.text(), min_size=len(agi.ASKED), max_size=len(agi.ASKED)))
    answer = f"200 result=1 ({MARK.join(('', *values, ''))})\n".encode("utf-8", "replace")
    cut = data.draw(st.integers(0, len(answer)))
    for environment, told in ((sent, answer), (answer, sent + b"\n" + answer), (sent, answer[:cut] + sent)):
        try:
            read = agi.read_environment(environment)
            facts = agi.read_told(told, MARK)
            agi.entered(agi.told_by(read), read)
            call = agi.entered(facts, read)
        except agi.MalformedAgiError:
            continue
        # Whatever stands around it, the true answer is what was read.
        if MARK not in "".join(values) and told.endswith(answer):
            assert (call.channel.id, call.channel.number) == tuple(
                value.encode("utf-8", "replace").decode() for value in (values[0], values[4])
            )


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=300), max_size=8))
@brief
def test_no_variable_breaks_out_of_its_agi_command(variables: dict[str, str]) -> None:
    for command in agi.set_commands(variables, last=()):
        assert not set(command) & set("\r\n\0")


def refused(text: bytes) -> str:
    """Return what is wrong with a configuration, empty if nothing."""
    try:
        parse(text, "f.yaml")
    except ConfigError as error:
        return str(error)
    return ""


@given(st.data())
@thorough
def test_no_change_of_the_sample_raises_anything_but_a_configuration_error(data: st.DataObject) -> None:
    lines = SAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        new = (
            st.sampled_from(["", "  ", "- ", ": ", "'", "{", "!!python/name:os.system x", lines[number] * 2])
            | st.text()
        )
        lines[number] = data.draw(st.sampled_from(["", lines[number], lines[number][: len(lines[number]) // 2]]))
        lines[number] += data.draw(new)
    said = refused("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert all(line.startswith("f.yaml") for line in said.splitlines())
    assert all(character.isprintable() or character == "\n" for character in said)


def judged(number: str, name: str, did: str) -> tuple[Call, Verdict]:
    caller = identify(number, prohibited=False, region="US", pepper=PEPPER)
    call = Call(id="1.1", caller=caller, did=did, name=name)
    return call, decide(call, STRANGER, make_policy(ladder=[{"score": 0, "treatment": "captcha"}]), 0.0)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=40))
@thorough
def test_nothing_on_the_channel_means_anything_to_a_dialplan(number: str, name: str, did: str) -> None:
    call, verdict = judged(number, name, did)
    variables = channel_variables(call, verdict, make_policy(), now=0.0, prompts=PLAIN, below=lambda _: 0, salt="00")
    for key, value in variables.items():
        assert not set(value) & set('${}[]|\r\n\0"\\'), (key, value)
        assert len(value) <= 1024


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=40))
@brief
def test_the_journal_gives_back_what_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, number: str, name: str, did: str
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.sqlite"
    call, verdict = judged(number, name, did)
    with Journal(JournalSettings(path=path)) as journal:
        journal.judged(Judged(call=call, verdict=verdict, at=1e12, took=0, policy_version="x"))
    with JournalReader(path) as reader:
        found = reader.calls()
    # A lone surrogate cannot be written; it is counted and costs nothing else.
    if journal.dropped:
        assert not found
        with pytest.raises(UnicodeEncodeError):
            f"{name}{did}".encode()
    else:
        assert [(one.call, one.verdict) for one in found] == [(call, verdict)]


@given(st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode()))
@brief
def test_no_state_file_is_taken_for_a_daemon(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "screener.state"
    path.write_bytes(text)
    with present(path):
        assert State.read(path) is None
