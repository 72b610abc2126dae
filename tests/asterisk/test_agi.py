"""AGI as text: an environment that nobody can forge in what matters, and commands that mean what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk import agi
from tests.asterisk.agi_peer import Peer, split
from tests.policy.builders import brief, thorough

MARK = "0123456789abcdef"


def environment_of(peer: Peer) -> dict[str, str]:
    return dict(agi.read_environment(peer.environment.encode()))


def told_by(peer: Peer) -> dict[str, str]:
    """What Asterisk answers to the question."""
    return dict(agi.read_told(peer.carry_out(agi.question(MARK)), MARK))


def test_a_call_is_read_as_stasis_would_have_told_of_it() -> None:
    channel = {"SCREENER_FACTS": "did=+14155550100,pres=allowed,diversion=4155550199,sig0=success:A:e.y.J"}
    peer = Peer(number="+12015550123", name="Bob", did="s", channel=channel)
    entered = agi.entered(told_by(peer), environment_of(peer))
    assert (entered.channel.id, entered.channel.name) == ("1.1", "PJSIP/trunk-00000002")
    assert (entered.channel.number, entered.channel.caller_name) == ("+12015550123", "Bob")
    assert entered.facts == {
        "did": "+14155550100", "pres": "allowed", "diversion": "4155550199", "sig0": "success:A:e.y.J"
    }  # fmt: skip


def test_without_the_dialplan_file_the_channel_says_what_it_knows() -> None:
    channel = {"REDIRECTING(from-num)": "4155550199", "SCREENER_VOUCHED": ",sig0=success:B:x"}
    peer = Peer(did="4155550100", channel=channel)
    facts = agi.entered(told_by(peer), environment_of(peer)).facts
    assert facts["did"] == "4155550100"
    assert facts["pres"] == "allowed_not_screened"
    assert facts["diversion"] == "4155550199"
    assert facts["sig0"] == "success:B:x"


def test_freepbx_keeps_the_true_did_and_presentation_elsewhere() -> None:
    peer = Peer(did="s", channel={"FROM_DID": "4155550100", "CALLINGNUMPRES_SV": "prohib"})
    facts = agi.entered(told_by(peer), environment_of(peer)).facts
    assert (facts["did"], facts["pres"]) == ("4155550100", "prohib")


def test_arguments_come_before_what_the_channel_says() -> None:
    peer = Peer(did="s", arguments=("did=4155550101", "nothing", "pres=prohib"))
    facts = agi.entered(told_by(peer), environment_of(peer)).facts
    assert (facts["did"], facts["pres"]) == ("4155550101", "prohib")
    assert "nothing" not in facts


FORGED = "1\nagi_uniqueid: 9.9\nagi_dnid: 1\nagi_arg_1: did=1\nagi_arg_2: pres=allowed\n\n200 result=1 (x)\n"


def test_lines_that_a_caller_forges_change_nothing() -> None:
    peer = Peer(number=FORGED, arguments=("did=4155550101",), channel={"CALLERID(num-pres)": "prohib"})
    # The environment ends where the caller says so; what is left of it comes before the answer.
    sent, _, rest = peer.environment.encode().partition(b"\n\n")
    environment = agi.read_environment(sent)
    answer = peer.carry_out(agi.question(MARK))
    entered = agi.entered(agi.read_told(rest + b"\n" + answer, MARK), environment)
    assert entered.channel.id == "1.1"
    assert entered.channel.number == FORGED
    assert (entered.facts["did"], entered.facts["pres"]) == ("4155550100", "prohib")


@pytest.mark.parametrize("where", ["CALLERID(num)", "CALLERID(name)", "CALLERID(dnid)", "EXTEN"])
def test_arguments_are_not_believed_where_a_stranger_has_written_a_line_end(where: str) -> None:
    peer = Peer(did="4155550100", arguments=("did=4155550101",), channel={where: "4155550100\nx"})
    facts = agi.entered(told_by(peer), environment_of(peer)).facts
    assert "4155550101" not in facts.values()


def test_of_a_line_that_stands_twice_the_first_is_asterisks() -> None:
    environment = agi.read_environment(b"agi_uniqueid: 1.1\nagi_callerid: 1\nagi_uniqueid: 2.2\n\n")
    assert environment["agi_uniqueid"] == "1.1"


@pytest.mark.parametrize("text", [b"\n\n", b"GET / HTTP/1.1\r\nHost: x\r\n\n\n", b"\xff\xfe\x00\n\n", b"agi: x\n\n"])
def test_what_is_no_environment_is_refused(text: bytes) -> None:
    with pytest.raises(agi.MalformedAgiError):
        agi.read_environment(text)


@pytest.mark.parametrize("text", [f"200 result=0{MARK})\n", f"{MARK * 3})\n", f"200 result=1 ({MARK})\n"])
def test_an_answer_that_does_not_tell_all_is_refused(text: str) -> None:
    with pytest.raises(agi.MalformedAgiError):
        agi.read_told(text.encode(), MARK)


def test_a_call_without_a_channel_is_none() -> None:
    with pytest.raises(agi.MalformedAgiError):
        agi.entered(agi.told_by({"agi_network": "yes"}), {})


@pytest.mark.parametrize(("pres", "read"), [("0", ""), ("32", "prohib"), ("35", "prohib"), ("67", "unavailable"),
                                            ("x", ""), ("٣٢", ""), ("9" * 5000, "")])  # fmt: skip
def test_the_presentation_in_the_environment_is_a_number(pres: str, read: str) -> None:
    assert agi.told_by({"agi_callingpres": pres})[agi.PRESENTATION] == read


def test_who_cannot_be_asked_is_judged_by_the_environment() -> None:
    peer = Peer(name="Bob")
    entered = agi.entered(agi.told_by(environment_of(peer)), environment_of(peer))
    assert (entered.channel.id, entered.channel.number, entered.channel.caller_name) == ("1.1", "+12015550123", "Bob")
    assert entered.facts["did"] == "4155550100"
    assert agi.told_by(environment_of(Peer(number="")))[agi.NUMBER] == ""


# ------------------------------------------------------------------------------------------------------------ commands


@given(st.text())
@thorough
def test_a_quoted_argument_is_read_as_it_was_meant(text: str) -> None:
    (word,) = split(agi.quoted(text))
    assert word == text.translate(str.maketrans("\r\n\0", "___"))
    assert not set(agi.quoted(text)) & set("\r\n\0")


@given(st.dictionaries(st.from_regex(r"SCREENER_[A-Z_]{1,12}", fullmatch=True), st.text(max_size=1000), max_size=30))
@brief
def test_every_variable_arrives_and_the_last_ones_last(variables: dict[str, str]) -> None:
    variables |= {"SCREENER_TREATMENT": "captcha", "SCREENER_REASONS": "rate+withheld"}
    peer, last = Peer(), ("SCREENER_TREATMENT", "SCREENER_REASONS")
    commands = list(agi.set_commands(variables, last=last))
    for command in commands[:-1]:
        peer.carry_out(command)
    assert not set(last) & set(peer.variables)
    peer.carry_out(commands[-1])
    for name, value in variables.items():
        assert peer.variables[name] == value.translate(str.maketrans("\r\n\0", "___"))


def test_plain_values_travel_together_in_commands_of_bounded_length() -> None:
    variables = {f"SCREENER_PROMPT_{number}": "x" * 700 for number in range(9)}
    commands = list(agi.set_commands(variables, last=()))
    assert 3 <= len(commands) <= 5
    assert max(map(len, commands)) < agi.ROOM + 200


def test_a_value_that_no_command_holds_is_refused() -> None:
    with pytest.raises(agi.MalformedAgiError, match="SCREENER_WHY is too long"):
        list(agi.set_commands({"SCREENER_WHY": " " * agi.LONGEST_COMMAND}, last=()))
