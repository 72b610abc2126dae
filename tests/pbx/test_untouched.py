"""A call that was screened may do in the administrator's dialplan whatever it may do without us."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.lab.ami import Event
from tests.lab.behaviours import listen_and_obey
from tests.lab.callers import Behaviour, Line
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx, Settings

pytestmark = pytest.mark.pbx

ADMINISTRATORS = """
[administrators]
exten => _X.,1,Gosub(screener,s,1(${EXTEN}))
 same => n,Set(DB(tests/x)=1)
 same => n,UserEvent(May,Stat: ${STAT(e,/lab/etc/asterisk.conf)},Shell: ${SHELL(printf yes)},Db: ${DB(tests/x)})
 same => n,Dial(PJSIP/agent,20)
 same => n,Hangup()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def administered(lab: Lab) -> AsyncIterator[Pbx]:
    """A PBX whose administrator uses the functions that Asterisk calls dangerous: FreePBX asks DB() all the time."""
    settings = Settings(dialplan=[DIALPLAN], contexts=ADMINISTRATORS, trunk="context = administrators")
    async with lab.passing_pbx(settings) as pbx:
        yield pbx


async def name_and_talk(line: Line) -> None:
    await line.hear_beep()
    await line.press("#")
    await line.hear_who()


def always(treatment: str, **settings: Any) -> Mapping[str, Any]:
    return {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [{"score": 5, "treatment": treatment}],
        **settings,
    }


TALK = listen_and_obey(stay=0.2)


@pytest.mark.parametrize(
    ("policy", "behaviour", "did"),
    [
        (None, TALK, "2125550901"),
        ({}, TALK, "2125550902"),
        (always("captcha", captcha={"seconds": 3}), TALK, "2125550903"),
        (always("announce", announce={"dial": "PJSIP/nobody", "hold": []}), name_and_talk, "2125550904"),
        (
            always("announce", announce={"dial": "PJSIP/silent@agent", "ring_seconds": 3, "then": "pass", "hold": []}),
            name_and_talk,
            "2125550905",
        ),
    ],
    ids=["no daemon", "pass", "captcha", "announce, nobody", "announce, unanswered"],
)
async def test_a_screened_call_may_do_what_any_call_may(
    lab: Lab, administered: Pbx, policy: Mapping[str, Any] | None, behaviour: Behaviour, did: str
) -> None:
    lab.world.connect(administered)
    seen: list[Event] = []
    administered.ami.on("UserEvent", lambda event: seen.append(event) if event["UserEvent"] == "May" else None)
    observer = Observer(administered)
    if policy is None:
        await lab.world.call(did, "+13125550100", behaviour)
    else:
        async with Daemon(administered, policy):
            await lab.world.call(did, "+13125550100", behaviour)
    journey = await observer.journey(did=did)
    assert journey.answered_by == "agent"
    assert [(event["Stat"], event["Shell"], event["Db"]) for event in seen] == [("1", "yes", "1")]
