"""The dialplan's lease bounds what no daemon can: one that takes a call, does something with it, and forgets it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from screener.asterisk import commands
from screener.asterisk.carried import Carrier
from screener.asterisk.connection import AriConnection
from screener.asterisk.events import CallEntered, CallOffered, Event
from screener.asterisk.rest import Answer, Request
from screener.asterisk.settings import AriSettings
from screener.asterisk.tasks import Tasks
from screener.policy.verdict import Treatment
from tests.demo.scenes import way
from tests.lab.daemon import DIALPLAN
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import SCENARIOS
from tests.lab.sipp import run_sipp

pytestmark = pytest.mark.pbx

LEASE = 0.7
ROOM = 5.0
"""Seconds by which the lease may be late on a very busy machine; a call that nobody takes back is held for minutes."""

_dids = count(2125551000)

Deed = Callable[["Forgetful", str], Coroutine[None, None, None]]


class Forgetful:
    """An ARI application that does one thing to each of its calls, and nothing ever after."""

    def __init__(self, deed: Deed) -> None:
        self.connection: AriConnection
        self.answers: list[Answer] = []
        self.tasks = Tasks()
        self._deed = deed

    def take(self, event: Event) -> None:
        if isinstance(event, CallOffered):
            self.tasks.start(self.ask(commands.claim("screener", event.channel_id)))
        if isinstance(event, CallEntered):
            self.tasks.start(self._deed(self, event.channel.id))

    async def ask(self, *requests: Request) -> None:
        self.answers += await self.connection.send(*requests)

    async def connected(self) -> None:
        pass

    async def drain(self) -> None:
        await self.tasks.finish(5)


@asynccontextmanager
async def forgetful(pbx: Pbx, deed: Deed) -> AsyncIterator[Forgetful]:
    application = Forgetful(deed)
    settings = AriSettings.model_validate({"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user})
    application.connection = AriConnection(settings, pbx.ari_password)
    running = asyncio.Task(application.connection.run(application))
    await application.connection.ready.wait()
    try:
        yield application
    finally:
        application.connection.close()
        await running


def post(path: str, **query: str) -> Request:
    return Request(method="POST", path=path, query=query)


async def play(app: Forgetful, channel: str) -> None:
    await app.ask(post(f"channels/{channel}/answer"), post(f"channels/{channel}/play", media="sound:demo-congrats"))


async def mix(app: Forgetful, channel: str) -> None:
    await bridge(app, channel, "mixing")


async def park(app: Forgetful, channel: str) -> None:
    await bridge(app, channel, "holding")


async def bridge(app: Forgetful, channel: str, kind: str) -> None:
    name = f"bridge-{channel}"
    await app.ask(post("bridges", type=kind, bridgeId=name), post(f"bridges/{name}/addChannel", channel=channel))


async def hold(app: Forgetful, channel: str) -> None:
    await app.ask(post(f"channels/{channel}/answer"), post(f"channels/{channel}/moh"))


async def record(app: Forgetful, channel: str) -> None:
    await app.ask(
        post(f"channels/{channel}/answer"), post(f"channels/{channel}/record", name=f"r-{channel}", format="wav")
    )


async def forget(_app: Forgetful, _channel: str) -> None:
    pass


async def call(lab: Lab, observer: Observer) -> Journey:
    """Place a call that its agent ends."""
    did = str(next(_dids))
    await lab.world.agent(stay=0.2)
    try:
        await lab.world.call(did, "+16465550133")
    finally:
        await lab.world.agent()
    return await observer.journey(did=did)


def held_for(journey: Journey) -> float:
    """Return the seconds from Stasis() to the step after it."""
    taken = next(place for place, step in enumerate(journey.steps) if step.application.startswith("Stasis"))
    return journey.steps[taken + 1].at - journey.steps[taken].at


@pytest.mark.parametrize("deed", [play, mix, park, hold, record, forget])
async def test_a_call_that_is_forgotten_goes_on_when_its_lease_ends(
    lab: Lab, pbx: Pbx, observer: Observer, deed: Deed
) -> None:
    lab.world.connect(pbx)
    (pbx.spool / "recording").mkdir(exist_ok=True)
    async with forgetful(pbx, deed) as application:
        journey = await call(lab, observer)
        assert all(answer.ok for answer in application.answers)
    assert journey.variables["SCREENER_REASONS"] == "lease"
    assert journey.dialled == ["agent"]
    assert journey.answered_by == "agent"
    assert held_for(journey) < LEASE + ROOM


async def test_a_call_that_was_claimed_and_forgotten_goes_on_too(lab: Lab) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={"SCREENER_ENTRY": "broadcast"})
    async with lab.passing_pbx(settings) as pbx:
        observer = Observer(pbx)
        lab.world.connect(pbx)
        async with forgetful(pbx, forget) as application:
            journey = await call(lab, observer)
            assert [answer.status for answer in application.answers] == [204]
    assert way(journey) == "pass > agent answers"
    assert held_for(journey) < LEASE + ROOM


def moments() -> Iterator[float]:
    """Yield seconds around the end of the lease, from 0.1 before it to 0.1 after."""
    return (LEASE + offset / 1000 for offset in range(-100, 101, 4))


@pytest.mark.parametrize("treatment", [Treatment.PASS, Treatment.REJECT])
async def test_a_verdict_that_races_the_lease_is_carried_out_once_or_not_at_all(
    lab: Lab, pbx: Pbx, observer: Observer, treatment: Treatment
) -> None:
    lab.world.connect(pbx)
    when = list(moments())
    waits = iter(when)
    begun = len(observer.journeys)
    carrier = Carrier("screener")

    async def late(app: Forgetful, channel: str) -> None:
        await asyncio.sleep(next(waits))
        verdict = {
            "SCREENER_TREATMENT": str(treatment),
            "SCREENER_VERDICT": str(treatment),
            "SCREENER_REASONS": "raced",
        }
        extension, carried = carrier.load(verdict)
        await app.ask(*carried, commands.treat(channel, treatment, extension))

    dids = [str(next(_dids)) for _ in when]
    async with forgetful(pbx, late):
        run = await run_sipp(
            lab.root, pbx.ports.sip, [("+16465550133", did) for did in dids],
            rate=40, count=len(dids), hold=1.5, scenario=SCENARIOS / "uac_any.xml",
        )  # fmt: skip
        journeys = await observer.wait(len(dids), matches=lambda one: one.did in dids)
    # Nobody was cut off: the time limit of the lease is gone from calls that talk for longer than it.
    assert run.failed == 0, run.errors[-1000:]
    rejected = [one for one in journeys if one.user_events]
    passed = [one for one in journeys if one.dialled]
    assert len(rejected) + len(passed) == len(dids) == len(observer.journeys) - begun
    assert all(len(one.user_events) == 1 and not one.dialled for one in rejected)
    assert all(one.dialled == ["agent"] and one.answered_by == "agent" for one in passed)
    # Both ends of the race were run.
    assert {one.variables["SCREENER_REASONS"] for one in journeys} == {"raced", "lease"}
    if treatment is Treatment.REJECT:
        assert rejected
        assert passed
