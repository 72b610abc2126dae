"""Each treatment as a caller meets it on a real PBX, by the dialplan that is shipped."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.demo.scenes import way
from tests.lab.behaviours import choose, guess, hang_up_after, leave_message, listen_and_obey, stay_silent
from tests.lab.callers import Behaviour, CallResult, Line
from tests.lab.daemon import BOX, DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings

pytestmark = pytest.mark.pbx

CALLER = "+16465550150"
TALK = listen_and_obey(stay=0.2)
FREE = "pass > agent answers"


def always(treatment: str, **settings: Any) -> Mapping[str, Any]:
    """A policy by which every call meets one treatment."""
    return {
        "signals": {"attestation": {"points": {"none": 5}}, "history": {"mode": "off"}},
        "ladder": [{"score": 5, "treatment": treatment}],
        **settings,
    }


async def meet(
    lab: Lab, pbx: Pbx, observer: Observer, did: str, policy: Mapping[str, Any], *behaviours: Behaviour
) -> Sequence[tuple[CallResult, Journey]]:
    """Make one call for each behaviour, one after the other, from the same caller."""
    lab.world.connect(pbx)
    met = []
    async with Daemon(pbx, policy) as daemon:
        for behaviour in behaviours:
            before = len(observer.journeys)
            result = await lab.world.call(did, CALLER, behaviour)
            journey = await observer.journey(did=did, after=observer.journeys[before].began_at)
            met.append((result, journey))
        await daemon.stop()
        with daemon.recorded() as journal:
            outcomes = [[(str(o.treatment), str(o.result), o.tries) for o in call.outcomes] for call in journal.calls()]
    for (_, journey), shown in zip(met, outcomes, strict=True):
        journey.variables["OUTCOMES"] = repr(shown)
    return met


def outcomes_of(journey: Journey) -> str:
    return journey.variables["OUTCOMES"]


# ------------------------------------------------------------------------------------------------------------- captcha


async def test_a_captcha_is_spoken_twice_and_who_presses_what_was_spoken_gets_through_and_is_trusted(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    policy = always("captcha", captcha={"seconds": 3, "then": "reject"})
    (first, challenged), (_, trusted) = await meet(lab, pbx, observer, "2125550401", policy, TALK, TALK)
    assert way(challenged) == "captcha > pass > agent answers"
    assert outcomes_of(challenged) == "[('captcha', 'passed', 1)]"
    assert first.pressed == first.digits[:2]
    assert way(trusted) == FREE
    assert trusted.variables["SCREENER_REASONS"].startswith("trusted")


async def test_keys_pressed_while_the_digits_are_spoken_count(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async def hasty(line: Line) -> None:
        await line.press(await line.hear_digits(0.6))
        await line.hear_who()

    policy = always("captcha", captcha={"then": "reject"})
    ((result, journey),) = await meet(lab, pbx, observer, "2125550402", policy, hasty)
    assert way(journey) == "captcha > pass > agent answers"
    assert len(result.digits) == 2  # pressed before the second time


async def test_a_second_attempt_has_other_digits(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async def forgetful(line: Line) -> None:
        first = await line.hear_digits(1.5)
        await line.press("00" if first[:2] != "00" else "11")
        second = await line.hear_digits(1.5)
        await line.press(second[:2])
        await line.hear_who()

    policy = always("captcha", captcha={"digits": 2, "seconds": 3, "then": "reject"})
    ((result, journey),) = await meet(lab, pbx, observer, "2125550403", policy, forgetful)
    assert way(journey) == "captcha > pass > agent answers"
    assert outcomes_of(journey) == "[('captcha', 'passed', 2)]"
    assert result.digits[:2] == result.digits[2:4]  # each is spoken twice
    assert len(result.digits) == 8


@pytest.mark.parametrize(
    ("behaviour", "shown", "did"),
    [(guess("1234567890", after=0.5), "failed", "2125550404"), (stay_silent, "silent", "2125550405")],
)
async def test_who_presses_everything_or_nothing_meets_the_next_treatment(
    lab: Lab, pbx: Pbx, observer: Observer, behaviour: Behaviour, shown: str, did: str
) -> None:
    policy = always("captcha", captcha={"seconds": 1, "attempts": 1, "then": "reject"})
    ((result, journey),) = await meet(lab, pbx, observer, did, policy, behaviour)
    assert way(journey) == "captcha > reject > cause 21"
    assert outcomes_of(journey) == f"[('captcha', '{shown}', 1), ('reject', 'rejected', 0)]"
    assert result.connected_to is None


async def test_who_hangs_up_in_a_captcha_has_abandoned_it(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    ((_, journey),) = await meet(lab, pbx, observer, "2125550406", always("captcha"), hang_up_after(1.5))
    assert outcomes_of(journey) == "[('captcha', 'abandoned', 0)]"


async def test_a_sum_is_answered_by_its_sum(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    async def add(line: Line) -> None:
        spoken = await line.hear_digits(1.5)
        await line.press(str(int(spoken[0]) + int(spoken[1])))
        await line.hear_who()

    policy = always("captcha", captcha={"kind": "sum", "seconds": 3, "then": "reject"})
    ((_, journey),) = await meet(lab, pbx, observer, "2125550407", policy, add)
    assert way(journey) == "captcha > pass > agent answers"


# --------------------------------------------------------------------------------------------- menu, voicemail, reject


async def test_a_menu_leads_where_its_options_say(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    options = [{"prompt": ["to-call-this-number"]}, {"prompt": ["vm-for"], "destination": "sales,s,1"}]
    policy = always("menu", menu={"options": options, "then": "reject"}, trust={"days": 0.000001})
    calls = await meet(lab, pbx, observer, "2125550411", policy, choose(0, stay=0.2), choose(1, stay=0.2))
    assert [way(journey) for _, journey in calls] == ["menu > pass > agent answers", "menu > pass > sales answers"]


async def test_who_presses_nothing_at_a_menu_meets_the_next_treatment(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = always("menu", menu={"seconds": 1, "attempts": 1, "then": "voicemail"})
    ((_, journey),) = await meet(lab, pbx, observer, "2125550412", policy, leave_message())
    assert way(journey) == "menu > voicemail > message in 900"
    assert outcomes_of(journey) == "[('menu', 'silent', 1), ('voicemail', 'recorded', 0)]"


async def test_a_did_has_a_mailbox_of_its_own(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = always("voicemail", dids={"2125550413": {"mailbox": "1000@default"}})
    ((_, journey),) = await meet(lab, pbx, observer, "2125550413", policy, leave_message())
    assert way(journey) == "voicemail > message in 1000"
    assert journey.message is not None
    assert journey.message.with_suffix(".wav").stat().st_size > 8000


async def test_a_mailbox_that_does_not_exist_ends_no_call(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = always("voicemail", voicemail={"mailbox": "404@default"})
    ((_, journey),) = await meet(lab, pbx, observer, "2125550414", policy, TALK)
    assert way(journey) == "voicemail > pass > agent answers"


async def test_a_rejection_has_the_cause_that_is_configured_and_may_have_a_tone(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    policy = always("reject", reject={"cause": 17, "tone": True})
    ((result, journey),) = await meet(lab, pbx, observer, "2125550415", policy, stay_silent)
    assert way(journey) == "reject > cause 17, never answered"
    assert (result.sip_code, result.status) == (486, "BUSY")
    assert "PlayTones" in journey.applications


# ------------------------------------------------------------------------------------------------------------- entries


async def test_several_daemons_share_the_calls_of_a_broadcast(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_ENTRY": "broadcast"})
    async with lab.passing_pbx(settings) as pbx:
        observer = Observer(pbx)
        lab.world.connect(pbx)
        policy = {"lists": {"block": ["+16465550160"]}}
        async with (
            Daemon(pbx, policy, asterisk={"application": "screener-a"}, name="a") as a,
            Daemon(pbx, policy, asterisk={"application": "screener-b"}, name="b") as b,
        ):
            for number in range(6):
                await lab.world.call(f"21255504{number + 20}", "+16465550160", stay_silent)
            journeys = await observer.wait(6)
            a.kill()
            await asyncio.gather(a.stop(), b.logged("call="))
            await lab.world.call("2125550430", "+16465550160", stay_silent)
            survived = await observer.journey(did="2125550430")
            await b.stop()
            judged = []
            for daemon in (a, b):
                with daemon.recorded() as journal:
                    judged += [call.call.did for call in journal.calls()]
    assert {way(journey) for journey in [*journeys, survived]} == {"reject > cause 21, never answered"}
    assert len(set(judged)) == len(judged)  # no call was judged by both
    assert "+12125550430" in judged


async def test_a_broadcast_without_a_daemon_lets_the_call_through(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_ENTRY": "broadcast"})
    async with lab.passing_pbx(settings) as pbx:
        observer = Observer(pbx)
        lab.world.connect(pbx)
        await lab.world.call("2125550431", CALLER, TALK)
        assert way(await observer.journey(did="2125550431")) == FREE


async def test_the_cdr_tells_the_verdict_in_short(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    policy = always("captcha", captcha={"seconds": 1, "attempts": 1, "then": "reject"})
    ((_, journey),) = await meet(lab, pbx, observer, "2125550440", policy, stay_silent)
    (line,) = [line for line in pbx.cdr.read_text().splitlines() if journey.uniqueid in line]
    reasons, score, version = (journey.variables[f"SCREENER_{name}"] for name in ("REASONS", "SCORE", "POLICY"))
    assert "attestation" in reasons.split("+")
    assert f"scr=captcha;r={reasons};s={score};m=live;p={version};o=silent;t=reject" in line


def test_the_quarantine_box_of_these_tests_is_the_one_of_the_sample() -> None:
    assert BOX == "900@default"


async def test_all_that_is_known_of_a_call_arrives_with_a_broadcast(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_ENTRY": "broadcast"})
    async with lab.passing_pbx(settings) as pbx:
        observer = Observer(pbx)
        lab.world.connect(pbx)
        async with Daemon(pbx, {}):
            await lab.world.call("2125550432", CALLER, TALK, withheld=True, asserted=True)
            journey = await observer.journey(did="2125550432")
    assert "withheld" in journey.variables["SCREENER_REASONS"].split("+")
