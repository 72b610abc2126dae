"""AGI, Asterisk's line protocol, as text: what we are told, what we ask, and what we set.

A connection begins with the environment: lines `agi_NAME: value` up to an empty one. Asterisk (res/res_agi.c) writes
the caller's number and name into them as they came, line ends and all: a caller can forge the lines that follow, and
the empty one too. So the environment is not believed in what matters. The first command asks for the facts, between
marks that nobody can know beforehand, and whatever was forged before them is passed over.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from screener.asterisk.events import CallEntered, Channel, read_facts

PLAIN: Final = re.compile(r"[A-Za-z0-9_./&+:@-]*")
"""Values that mean nothing to the parser of ARRAY()'s arguments."""
LARGEST: Final = 64 << 10
"""Bytes of an environment, and of an answer. A number of 8 kB was seen; the facts have some 4 kB at the most."""
LONGEST_COMMAND: Final = 8_000
"""Bytes of a command. Asterisk reads 65,535; our values have some 1,000 characters at the most."""
ROOM: Final = 1_500
"""Characters of values that are set by one command."""

UNIQUEID, CHANNEL, LANGUAGE, EXTEN = "${UNIQUEID}", "${CHANNEL}", "${CHANNEL(language)}", "${EXTEN}"
NUMBER, NAME, DIALLED = "${CALLERID(num)}", "${CALLERID(name)}", "${CALLERID(dnid)}"
PRESENTATION, FORWARDED_BY = "${CALLERID(num-pres)}", "${REDIRECTING(from-num)}"
FREEPBX_DID, FREEPBX_PRESENTATION = "${FROM_DID}", "${CALLINGNUMPRES_SV}"
FACTS, VOUCHED = "${SCREENER_FACTS}", "${SCREENER_VOUCHED}"
ASKED: Final = (
    UNIQUEID, CHANNEL, LANGUAGE, EXTEN, NUMBER, NAME, DIALLED, PRESENTATION, FORWARDED_BY, FREEPBX_DID,
    FREEPBX_PRESENTATION, FACTS, VOUCHED,
)  # fmt: skip
"""What is asked for, as the dialplan writes it. The last two are dialplan/screener.conf's: what it gives to Stasis()
too, and the part of that which says who vouches for the caller ID."""
STRANGERS: Final = (NUMBER, NAME, DIALLED, EXTEN, FORWARDED_BY)
"""Of these, what stands in the environment and is a stranger's text."""

_LINE: Final = re.compile(r"(agi_[a-z0-9_]+): (.*)")
_ARGUMENT: Final = re.compile(r"agi_arg_[0-9]+")
_IN_ENVIRONMENT: Final[Mapping[str, str]] = {
    UNIQUEID: "agi_uniqueid", CHANNEL: "agi_channel", LANGUAGE: "agi_language", EXTEN: "agi_extension",
    NUMBER: "agi_callerid", NAME: "agi_calleridname", DIALLED: "agi_dnid", FORWARDED_BY: "agi_rdnis",
}  # fmt: skip
_UNKNOWN: Final = "unknown"
"""What Asterisk writes there for a number, or a name, that is not known."""
_PRESENTATION_BITS: Final = 0x60
_PRESENTATIONS: Final = {0x20: "prohib", 0x40: "unavailable"}
"""AST_PRES_RESTRICTION in include/asterisk/callerid.h."""
_LINE_ENDS: Final = str.maketrans(dict.fromkeys("\r\n\0", "_"))


class MalformedAgiError(ValueError):
    """What came is not what an Asterisk sends."""


def read_environment(text: bytes) -> Mapping[str, str]:
    """Read the lines `agi_NAME: value`; of a name that stands twice the first, which Asterisk itself wrote.

    Raises MalformedAgiError where there is no such line.
    """
    environment: dict[str, str] = {}
    for line in text.decode(errors="replace").split("\n"):
        if (found := _LINE.fullmatch(line)) is not None:
            environment.setdefault(found[1], found[2])
    if not environment:
        raise MalformedAgiError("no line of an AGI environment")
    return environment


def script(environment: Mapping[str, str]) -> str:
    """Return the path of the address that the dialplan named: `screen` of agi://127.0.0.1:4573/screen."""
    return environment.get("agi_network_script", "").partition("?")[0].strip("/")


def question(mark: str) -> str:
    """Return the command that asks for the facts, between marks."""
    return f'GET FULL VARIABLE "{mark.join(("", *ASKED, ""))}"'


def last_words(mark: str) -> bytes:
    """Return how the answer to that ends."""
    return f"{mark})\n".encode()


def read_told(text: bytes, mark: str) -> Mapping[str, str]:
    """Read the answer, and whatever came before it. Raises MalformedAgiError."""
    parts = text.decode(errors="replace").split(mark)
    if len(parts) != len(ASKED) + 2:
        raise MalformedAgiError(f"an answer of {len(parts)} parts where {len(ASKED) + 2} were asked for")
    return dict(zip(ASKED, parts[1:-1], strict=True))


def told_by(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the facts as the environment has them, for who speaks AGI and cannot be asked: no Asterisk."""
    told = dict.fromkeys(ASKED, "")
    for name, written in _IN_ENVIRONMENT.items():
        value = environment.get(written, "")
        told[name] = "" if value == _UNKNOWN else value
    pres = environment.get("agi_callingpres", "")
    if pres.isascii() and pres.isdigit():
        told[PRESENTATION] = _PRESENTATIONS.get(int(pres[:4]) & _PRESENTATION_BITS, "")
    return told


def entered(told: Mapping[str, str], environment: Mapping[str, str]) -> CallEntered:
    """Return the call as Stasis would have told of it.

    The arguments `name=value` of AGI() come before what the channel says; they are believed where no caller can have
    forged them, that is, where nothing of a stranger's has a line end. Raises MalformedAgiError.
    """
    if not told[UNIQUEID] or not told[CHANNEL]:
        raise MalformedAgiError("the channel is not named")
    facts = {
        "did": told[FREEPBX_DID] or told[DIALLED],
        # FreePBX overwrites the presentation, and keeps the true one.
        "pres": told[FREEPBX_PRESENTATION] or told[PRESENTATION],
        "diversion": told[FORWARDED_BY],
    }
    facts |= read_facts((told[FACTS] or told[VOUCHED]).split(","))
    if not any("\n" in told[name] for name in STRANGERS):
        facts |= read_facts(value for name, value in environment.items() if _ARGUMENT.fullmatch(name) and "=" in value)
    channel = Channel(
        id=told[UNIQUEID],
        name=told[CHANNEL],
        number=told[NUMBER],
        caller_name=told[NAME],
        exten=told[EXTEN],
        language=told[LANGUAGE],
    )
    return CallEntered(channel=channel, facts=facts)


def set_commands(variables: Mapping[str, str], *, last: Collection[str]) -> Iterator[str]:
    """Return commands that set variables, as few as may be; those in `last` at the end.

    Asterisk carries them out one by one: a connection that breaks on the way leaves the last ones as they were. Raises
    MalformedAgiError for a value that no command holds.
    """
    yield from _set_all({name: value for name, value in variables.items() if name not in last})
    yield from _set_all({name: value for name, value in variables.items() if name in last})


def quoted(text: str) -> str:
    """Return `text` as one argument of a command; a line end, which no command can hold, becomes `_`."""
    safe = text.translate(_LINE_ENDS).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'


def _set_all(variables: Mapping[str, str]) -> Iterator[str]:
    """Set variables, those with plain values together by the dialplan function ARRAY()."""
    together: dict[str, str] = {}
    for name, value in variables.items():
        if not PLAIN.fullmatch(value):
            yield _set(name, value)
            continue
        if together and sum(map(len, together.values())) + len(value) > ROOM:
            yield _set_array(together)
            together = {}
        together[name] = value
    if together:
        yield _set_array(together)


def _set_array(variables: Mapping[str, str]) -> str:
    return _set(f"ARRAY({','.join(variables)})", ",".join(variables.values()))


def _set(name: str, value: str) -> str:
    command = f"SET VARIABLE {quoted(name)} {quoted(value)}"
    if len(command.encode(errors="replace")) > LONGEST_COMMAND:
        raise MalformedAgiError(f"{name} is too long to be set")
    return command
