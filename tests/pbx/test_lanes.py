"""Lanes for wanted robots on a real PBX: a voice that talks on reaches the mailbox, a partner's code the bell."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.demo.scenes import way
from tests.lab.behaviours import stay_silent
from tests.lab.callers import Behaviour, CallOver, CallResult, Line
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

LABORATORY = "+12125550185"
CODE, ANOTHER = "480516", "7351"
FREE = "pass > agent answers"


def challenged(treatment: str = "captcha", **settings: Any) -> Mapping[str, Any]:
    """A policy by which every call meets a challenge of one attempt, and is rejected after it."""
    return {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [{"score": 5, "treatment": treatment}],
        treatment: {"seconds": 1, "attempts": 1, "then": "reject", **settings},
        "bypass": [{"code": CODE, "note": "the laboratory"}, {"code": ANOTHER, "note": "the school"}],
    }


async def meet(
    lab: Lab, pbx: Pbx, observer: Observer, did: str, policy: Mapping[str, Any], behaviour: Behaviour
) -> tuple[CallResult, Journey, list[str], str]:
    """Make one call; return it from both sides, what was learned from it, and all that was written about it."""
    lab.world.connect(pbx)
    async with Daemon(pbx, policy) as daemon:
        result = await lab.world.call(did, LABORATORY, behaviour)
        journey = await observer.journey(did=did)
        await daemon.stop()
        with daemon.recorded() as journal:
            (call,) = journal.calls()
        written = [pbx.log.read_text(errors="replace"), pbx.cdr.read_text(), pbx.cel.read_text(), *daemon.log]
        written.append(daemon.journal.read_bytes().decode(errors="replace"))
    return result, journey, [f"{one.treatment} {one.result}" for one in call.outcomes], "\n".join(written)


async def recording(line: Line) -> None:
    """A recorded voice: talks from the answer on, pressing nothing, and knows of no beep."""
    await line.answered()
    while True:
        await line.say("1234567890")


async def talker_once(line: Line) -> None:
    """One who says a word, and then nothing."""
    await line.answered()
    await line.say("1")
    await line.ended()


def type_in(*codes: str) -> Behaviour:
    """A partner's machine: types, whatever it hears, and stays once connected."""

    async def behave(line: Line) -> None:
        await line.answered()
        await line.stay(0.5)
        for code in codes:
            await line.press(code)
            with suppress(TimeoutError):
                async with asyncio.timeout(6):
                    await line.hear_who()
                    return
        raise CallOver

    return behave


# --------------------------------------------------------------------------------------------------- a voice talks on


async def test_a_recorded_voice_goes_to_the_mailbox_instead_of_being_rejected(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    _, journey, outcomes, _ = await meet(lab, pbx, observer, "2125550801", challenged(), recording)
    assert way(journey) == "captcha > voicemail > message in 900"
    assert outcomes == ["captcha talking", "voicemail recorded"]
    assert journey.message is not None
    assert journey.message.with_suffix(".wav").stat().st_size > 8000


@pytest.mark.parametrize(("behaviour", "did"), [(stay_silent, "2125550802"), (talker_once, "2125550803")])
async def test_who_is_silent_is_rejected_as_before(
    lab: Lab, pbx: Pbx, observer: Observer, behaviour: Behaviour, did: str
) -> None:
    _, journey, outcomes, _ = await meet(lab, pbx, observer, did, challenged(), behaviour)
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes == ["captcha silent", "reject rejected"]


async def test_a_voice_is_not_listened_for_where_that_is_switched_off(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = challenged(talking="none")
    _, journey, outcomes, _ = await meet(lab, pbx, observer, "2125550804", policy, recording)
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes == ["captcha silent", "reject rejected"]
    assert "WaitForNoise" not in journey.applications


async def test_a_voice_without_a_mailbox_meets_what_everybody_meets(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = {**challenged(), "voicemail": {"mailbox": "404@default"}}
    _, journey, outcomes, _ = await meet(lab, pbx, observer, "2125550805", policy, recording)
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes == ["captcha talking", "reject rejected"]


# ----------------------------------------------------------------------------------------------------- partners' codes


@pytest.mark.parametrize(
    ("treatment", "typed", "did"),
    [
        ("captcha", f"*{CODE}#", "2125550811"),
        ("captcha", f"*{ANOTHER}", "2125550812"),
        ("menu", f"*{ANOTHER}#", "2125550813"),
    ],
)
async def test_who_types_a_code_passes_at_once_and_it_stands_nowhere(
    lab: Lab, pbx: Pbx, observer: Observer, treatment: str, typed: str, did: str
) -> None:
    result, journey, outcomes, written = await meet(lab, pbx, observer, did, challenged(treatment), type_in(typed))
    assert way(journey) == f"{treatment} > {FREE}"
    assert outcomes == [f"{treatment} passed"]
    assert result.pressed == typed
    assert "screener-bypass" in written
    code = typed.strip("*#")
    assert code not in written
    assert not [name for name, value in journey.variables.items() if code in value]


@pytest.mark.parametrize(
    ("typed", "did"),
    [
        (f"*{CODE}7#", "2125550821"),
        ("*#", "2125550822"),
        ("*4805#", "2125550823"),
        ("*1234567890123#", "2125550824"),
        (f"{CODE}", "2125550825"),
    ],
)
async def test_a_wrong_code_is_a_failed_attempt(lab: Lab, pbx: Pbx, observer: Observer, typed: str, did: str) -> None:
    _, journey, outcomes, _ = await meet(lab, pbx, observer, did, challenged(), type_in(typed))
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes == ["captcha failed", "reject rejected"]


async def test_after_a_wrong_code_the_right_one_is_another_attempt(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = challenged(attempts=2, seconds=6)
    _, journey, outcomes, _ = await meet(lab, pbx, observer, "2125550831", policy, type_in("*999999#", f"*{CODE}#"))
    assert way(journey) == f"captcha > {FREE}"
    assert outcomes == ["captcha passed"]


async def test_without_codes_a_star_is_a_wrong_key(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = {**challenged(), "bypass": []}
    _, journey, outcomes, _ = await meet(lab, pbx, observer, "2125550841", policy, type_in("*#"))
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes == ["captcha failed", "reject rejected"]
