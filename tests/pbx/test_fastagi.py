"""FastAGI on a real PBX: the same verdicts, and whatever becomes of the daemon, the call goes through."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio

from screener.asterisk import agi
from screener.asterisk.agi_wire import AgiWire, HungUpError
from screener.memory.reader import Recorded
from screener.policy.verdict import Treatment
from tests.demo.scenes import way
from tests.lab.behaviours import choose, listen_and_obey
from tests.lab.callee import callee
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import SCENARIOS
from tests.lab.ports import free_ports
from tests.lab.sipp import run_sipp
from tests.pbx.test_announce import Scene, announced
from tests.pbx.test_lease import LEASE, ROOM, moments
from tests.pbx.test_torture import SENDERS, marks, ordinary, wire

pytestmark = pytest.mark.pbx

FREE: Final = "pass > agent answers"
TALK: Final = listen_and_obey(stay=0.2)
(PORT,) = free_ports(socket.SOCK_STREAM, 1)
BARE: Final = f"""
[from-trunk](+)
exten => _41555580XX,1,AGI(agi://127.0.0.1:{PORT}/screen,did=${{FILTER(0-9,${{EXTEN}})}})
 same => n,Set(SCREENER_SEEN=${{SCREENER_TREATMENT}} ${{AGISTATUS}} ${{CHANNEL(state)}})
 same => n,Gosub(screener-treat,s,1)
 same => n,Dial(PJSIP/agent,20)
"""
"""An administrator's own dialplan, without our entry."""
VARIABLES: Final = {"SCREENER_ENTRY": "agi", "SCREENER_AGI": f"127.0.0.1:{PORT}"}

_dids = count(4155556000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(lab: Lab) -> AsyncIterator[Pbx]:
    async with lab.passing_pbx(Settings(dialplan=[DIALPLAN], contexts=BARE, variables=VARIABLES)) as running:
        yield running


class Listening(Daemon):
    """A daemon that is asked by FastAGI."""

    begins = "FastAGI at"

    def __init__(self, pbx: Pbx, policy: Mapping[str, Any], **fastagi: Any) -> None:
        super().__init__(pbx, policy, more={"fastagi": {"enabled": True, "port": PORT, **fastagi}})

    async def start(self) -> None:
        await super().start()
        if "SCREENER_ARI_PASSWORD" in self.environment:
            await self.logged("connected to Asterisk")

    def calls(self) -> list[Recorded]:
        """Return what its journal has, the oldest call first."""
        with self.recorded() as journal:
            return journal.calls(limit=1000)

    async def all_ended(self, number: int) -> list[Recorded]:
        """Wait until the journal has so many calls and their ends, and return them."""
        while len(found := [one for one in self.calls() if one.cause is not None]) < number:
            await self.pbx.cli("core show channels count")
        return found


class Alone(Listening):
    """One that knows no ARI password."""

    @property
    def environment(self) -> Mapping[str, str]:
        return {name: value for name, value in os.environ.items() if name != "SCREENER_ARI_PASSWORD"}


async def one_call(
    lab: Lab, observer: Observer, caller: str = "+12125550177", did: str = "", behaviour: Any = TALK
) -> Journey:
    did = did or str(next(_dids))
    await lab.world.call(did, caller, behaviour)
    return await observer.journey(did=did)


def seconds_of_agi(journey: Journey) -> float:
    asked = next(place for place, step in enumerate(journey.steps) if step.application == "AGI")
    return journey.steps[asked + 1].at - journey.steps[asked].at


# ---------------------------------------------------------------------------------------------------- the same verdicts


async def test_a_call_passes_and_its_end_is_learned(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Listening(pbx, {}) as daemon:
        journey = await one_call(lab, observer)
        (recorded,) = await daemon.all_ended(1)
    assert way(journey) == FREE
    assert "Stasis" not in journey.applications
    assert journey.variables["SCREENER_REASONS"] == "none"
    assert (recorded.call.id, recorded.call.did) == (journey.uniqueid, f"+1{journey.did}")
    assert (recorded.call.caller.key, recorded.call.trunk) == ("+12125550177", "trunk")
    assert recorded.cause == 16


async def test_a_caller_who_calls_too_often_meets_a_captcha_and_is_trusted_afterwards(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    policy = {
        "bucket": {"capacity": 1, "refill_per_hour": 1, "sustained": False},
        "ladder": [{"score": 5, "treatment": "captcha"}],
    }
    async with Listening(pbx, policy) as daemon:
        journeys = [await one_call(lab, observer, "+12125550178") for _ in range(3)]
        await daemon.stop()
        recorded = daemon.calls()
    assert [way(one) for one in journeys] == [FREE, "captcha > pass > agent answers", FREE]
    assert journeys[1].variables["SCREENER_REASONS"].startswith("rate")
    assert [str(outcome.result) for one in recorded for outcome in one.outcomes] == ["passed"]


async def test_a_menu_and_a_rejection_arrive_whole(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    policy = {
        "lists": {"block": ["+12125550179"]},
        "ladder": [{"score": 0, "treatment": "menu"}],
        "menu": {"options": [{"prompt": ["to-call-this-number"], "destination": "sales,s,1"}]},
    }
    async with Listening(pbx, policy):
        menu = await one_call(lab, observer, "+12125550180", behaviour=choose(0, stay=0.2))
        blocked = await one_call(lab, observer, "+12125550179")
    assert way(menu) == "menu > pass > sales answers"
    assert way(blocked) == "reject > cause 21, never answered"


async def test_a_call_is_announced_as_by_any_other_way(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with callee(lab.world) as phone, Listening(pbx, announced()) as daemon:
        scene = Scene(lab, pbx, observer, phone, daemon)
        await scene.connected()
        await phone.hang_up()
        await scene.line.ended(timeout=10)
        journey = await scene.over()
        assert await scene.outcomes() == ["announce accepted"]
    assert way(journey) == "announce > cause 16"


async def test_agi_alone_sets_the_variables_and_nothing_else(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Listening(pbx, {"lists": {"block": ["+12125550181"]}}) as daemon:
        passed = await one_call(lab, observer, did="4155558001")
        blocked = await one_call(lab, observer, "+12125550181", did="4155558002")
        await daemon.stop()
        dids = [one.call.did for one in daemon.calls()]
    absent = await one_call(lab, observer, did="4155558003")
    assert passed.variables["SCREENER_SEEN"] == "pass SUCCESS Ring"
    assert blocked.variables["SCREENER_SEEN"] == "reject SUCCESS Ring"
    assert absent.variables["SCREENER_SEEN"] == " FAILURE Ring"
    assert [way(one) for one in (passed, blocked, absent)] == [FREE, "reject > cause 21, never answered", FREE]
    assert dids == ["+14155558001", "+14155558002"]


async def test_without_ari_calls_are_judged_all_the_same(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Alone(pbx, {"lists": {"block": ["+12125550182"]}}) as daemon:
        assert await daemon.logged("no ARI password: FastAGI only")
        blocked = await one_call(lab, observer, "+12125550182")
        passed = await one_call(lab, observer, "+12125550183")
        assert await daemon.stop() == 0
        assert len(daemon.calls()) == 2
    assert [way(one) for one in (blocked, passed)] == ["reject > cause 21, never answered", FREE]


async def test_without_ari_the_unit_is_ready_when_calls_can_be_judged(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0screener-test-{os.getpid()}")
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@screener-test-{os.getpid()}")
        async with Alone(pbx, {}), asyncio.timeout(20):
            told = ""
            while "STATUS=FastAGI at" not in told:
                told += (await asyncio.get_running_loop().sock_recv(systemd, 4096)).decode() + "\n"
    assert "READY=1" in told
    assert f"STATUS=FastAGI at 127.0.0.1:{PORT}; ARI not connected; 0 calls judged" in told


async def test_check_tells_the_entry(lab: Lab, pbx: Pbx) -> None:
    async def told(daemon: Daemon) -> list[str]:
        argv = (sys.executable, "-m", "screener", "check", "--pbx", str(daemon.config))
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=daemon.environment)
        said, _ = await process.communicate()
        return [" ".join(line.split()) for line in said.decode().splitlines()[2:]]

    async with Listening(pbx, {}) as daemon:
        assert (await told(daemon))[:5] == [
            "dialplan: screener.conf is loaded", f"entry: AGI(agi://127.0.0.1:{PORT}/screen)",
            "lease: 0.7 s (as shipped)", f"daemon: one listens at 127.0.0.1:{PORT}",
            "learning: a daemon is connected as screener",
        ]  # fmt: skip
        await daemon.stop()
        assert f"daemon: none listens at 127.0.0.1:{PORT}: calls pass unscreened" in await told(daemon)
        right = daemon.config.read_text()
        daemon.config.write_text(right.replace(f"port: {PORT}", "port: 4574"))
        assert f"entry: AGI(agi://127.0.0.1:{PORT}/screen); but fastagi.port is 4574" in await told(daemon)
        daemon.config.write_text(right.replace("enabled: true", "enabled: false"))
        assert any("fastagi.enabled is false: its daemon gets no calls" in line for line in await told(daemon))


# ------------------------------------------------------------------------------------------------------ hostile callers


async def test_hostile_names_and_numbers_are_text_and_nothing_else(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    begun = len(observer.journeys)
    forged = b"1%0aagi_dnid: 1%0aagi_arg_1: did=1%0a%0a200 result=1 (x)%0a"
    senders = {**SENDERS, "forged lines of AGI": b"<sip:" + forged.replace(b" ", b"%20") + b"@{us}>"}
    dids = [str(next(_dids)) for _ in senders]
    async with Listening(pbx, {"ladder": []}) as daemon, wire(pbx.ports.sip) as opened:
        for sender, did in zip(senders.values(), dids, strict=True):
            opened.send(sender, did)
        last = await ordinary(pbx, observer)
        while "0 active channels" not in await pbx.cli("core show channels count"):
            pass
        await daemon.stop()
        recorded = daemon.calls()
    assert marks(pbx) == []
    assert not any("Traceback" in line or "ERROR" in line for line in daemon.log)
    # Each call that the PBX took was judged, under the DID that was dialled.
    taken = [one.uniqueid for one in observer.journeys[begun:]]
    assert sorted(one.call.id for one in recorded) == sorted(taken)
    assert {one.call.did for one in recorded} <= {f"+1{did}" for did in (*dids, last.did)}
    assert {"malformed", "foreign-script", "number"} <= {str(one.call.caller.kind) for one in recorded}


NASTY: Final = {
    "SCREENER_Q": 'say "no" and \\ or \\" or \\\\',
    "SCREENER_E": "${EXTEN} $[1+1] ${SHELL(id)}",
    "SCREENER_S": " a, b; c | d & e ' f\t",
    "SCREENER_L": "one\r\nSET VARIABLE SCREENER_X 1\0",
    "SCREENER_U": "é \N{TELEPHONE RECEIVER} \u202e",
    "SCREENER_0": "",
    "SCREENER_B": "x" * 7000,
}


async def test_what_is_written_back_arrives_as_it_was_meant(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    read: dict[str, str] = {}

    async def serve(wire: AgiWire) -> None:
        await wire.environment(5)
        for command in agi.set_commands(NASTY, last=()):
            await wire.ask(command)
        for name in NASTY:
            wire.writer.write(f'GET FULL VARIABLE "<${{{name}}}>"\n'.encode())
            answer = await wire._read(b">)\n", 5)
            read[name] = answer.decode().removeprefix("200 result=1 (<").removesuffix(">)\n")
        wire.hang_up()

    async with serving(serve):
        assert way(await one_call(lab, observer)) == FREE
    assert read == {name: value.translate(str.maketrans("\r\n\0", "___")) for name, value in NASTY.items()}


# ------------------------------------------------------------------------------------- whatever fails, the call goes on


@asynccontextmanager
async def serving(serve: Callable[[AgiWire], Awaitable[None]]) -> AsyncIterator[None]:
    """A FastAGI server in the daemon's place, that does as it likes."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(HungUpError, ConnectionError):
            await serve(AgiWire(reader, writer, 20))
        writer.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", PORT)
    try:
        yield
    finally:
        server.close()


async def test_connections_that_are_no_calls_keep_no_call_waiting(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Listening(pbx, {}, header_seconds=60) as daemon:
        opened = [await asyncio.open_connection("127.0.0.1", PORT) for _ in range(400)]
        for place, (_, writer) in enumerate(opened):
            writer.write((b"", b"agi_network: y", b"x" * 60_000, b"agi_network_script: screen\n")[place % 4])
        journey = await one_call(lab, observer)
        for _, writer in opened:
            writer.transport.abort()
        await daemon.all_ended(1)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_REASONS"] == "none"


async def test_no_daemon_lets_the_call_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    journey = await one_call(lab, observer)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_WHY"] == "not screened: no verdict by AGI (FAILURE)"
    assert journey.variables["SCREENER_REASONS"] == "unscreened"


async def test_a_daemon_that_hangs_lets_the_call_through_by_the_lease(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with Listening(pbx, {}) as daemon:
        daemon.signal(signal.SIGSTOP)
        journey = await one_call(lab, observer)
        daemon.signal(signal.SIGCONT)
        assert way(journey) == FREE
        assert journey.variables["SCREENER_REASONS"] == "lease"
        assert seconds_of_agi(journey) < LEASE + ROOM
        # It wakes up, finds the call gone, and judges the next.
        while (after := await one_call(lab, observer)).variables["SCREENER_REASONS"] in ("overloaded", "lease"):
            pass
        assert after.variables["SCREENER_POLICY"] != "none"
        await daemon.stop()
        assert journey.uniqueid not in [one.call.id for one in daemon.calls()]


async def test_a_daemon_killed_with_the_call_in_its_hands_lets_it_through(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    async with Listening(pbx, {}) as daemon:
        daemon.signal(signal.SIGSTOP)
        did = str(next(_dids))
        line = await lab.world.dial(did, "+12125550184")
        while "AGI" not in await pbx.cli("core show channels concise"):
            pass
        daemon.kill()
        assert await line.hear_who() == "agent"
        await line.hang_up()
        journey = await observer.journey(did=did)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_REASONS"] in ("unscreened", "lease")


async def test_a_server_that_breaks_off_half_way_lets_the_call_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)

    async def half(wire: AgiWire) -> None:
        await wire.environment(5)
        rejection = {"SCREENER_WHY": "a b", "SCREENER_TREATMENT": "reject", "SCREENER_REASONS": "half"}
        first, *_ = agi.set_commands(rejection, last=("SCREENER_TREATMENT", "SCREENER_REASONS"))
        await wire.ask(first)

    async def garbage(wire: AgiWire) -> None:
        wire.writer.write(b"\x00\xff HTTP/1.1 400 Bad Request\r\n\r\n" * 50)
        await wire.environment(5)

    for serve in (half, garbage):
        async with serving(serve):
            journey = await one_call(lab, observer)
        assert way(journey) == FREE
        assert journey.variables["SCREENER_REASONS"] == "unscreened"


async def test_a_treatment_that_is_none_of_ours_lets_the_call_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)

    async def odd(wire: AgiWire) -> None:
        await wire.environment(5)
        for command in agi.set_commands({"SCREENER_TREATMENT": "oddity", "SCREENER_REASONS": "odd"}, last=()):
            await wire.ask(command)
        wire.hang_up()

    async with serving(odd):
        journey = await one_call(lab, observer)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_REASONS"] == "odd"


async def test_an_asterisk_without_agi_lets_the_call_through(lab: Lab, observer: Observer) -> None:
    async with lab.passing_pbx(Settings(dialplan=[DIALPLAN], variables=VARIABLES)) as bare:
        assert "Unloaded res_agi.so" in await bare.cli("module unload -f res_agi.so")
        there = Observer(bare)
        lab.world.connect(bare)
        journey = await one_call(lab, there)
    assert way(journey) == FREE
    assert journey.variables["SCREENER_WHY"] == "not screened: no verdict by AGI (no res_agi)"


async def test_where_no_more_connections_are_taken_the_call_goes_through(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    with socket.socket() as full:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", PORT))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", PORT))
        journey = await one_call(lab, observer)
        for one in waiting:
            one.close()
    assert way(journey) == FREE
    assert journey.variables["SCREENER_REASONS"] in ("unscreened", "lease")


async def silent(wire: AgiWire) -> None:
    await wire.environment(5)
    while True:
        await wire._read(b"\n", 60)


async def test_a_caller_who_hangs_up_meanwhile_leaves_nothing_behind(lab: Lab, observer: Observer) -> None:
    settings = Settings(dialplan=[DIALPLAN], variables={**VARIABLES, "SCREENER_LEASE": "60"})
    async with lab.passing_pbx(settings) as slow, serving(silent):
        there = Observer(slow)
        lab.world.connect(slow)
        line = await lab.world.dial("4155556900", "+12125550185")
        while "AGI" not in await slow.cli("core show channels concise"):
            pass
        await line.hang_up()
        journey = await there.journey(did="4155556900")
        assert "0 active channels" in await slow.cli("core show channels count")
    assert journey.dialled == []


@pytest.mark.parametrize("treatment", [Treatment.PASS, Treatment.REJECT])
async def test_a_verdict_that_races_the_lease_is_carried_out_once_or_not_at_all(
    lab: Lab, pbx: Pbx, observer: Observer, treatment: Treatment
) -> None:
    lab.world.connect(pbx)
    when = list(moments())
    waits = iter(when)

    async def late(wire: AgiWire) -> None:
        begun = time.monotonic()
        await wire.environment(5)
        await asyncio.sleep(max(next(waits) - (time.monotonic() - begun), 0))
        verdict = {"SCREENER_WHY": "a race", "SCREENER_TREATMENT": str(treatment), "SCREENER_REASONS": "raced"}
        for command in agi.set_commands(verdict, last=("SCREENER_TREATMENT", "SCREENER_REASONS")):
            await wire.ask(command)
        wire.hang_up()

    dids = [str(next(_dids)) for _ in when]
    async with serving(late):
        run = await run_sipp(
            lab.root, pbx.ports.sip, [("+12125550133", did) for did in dids],
            rate=40, count=len(dids), hold=1.5, scenario=SCENARIOS / "uac_any.xml",
        )  # fmt: skip
        journeys = await observer.wait(len(dids), matches=lambda one: one.did in dids)
    assert run.failed == 0, run.errors[-1000:]
    rejected = [one for one in journeys if one.user_events]
    passed = [one for one in journeys if one.dialled]
    assert len(rejected) + len(passed) == len(dids)
    assert all(len(one.user_events) == 1 and not one.dialled for one in rejected)
    assert all(one.dialled == ["agent"] and one.answered_by == "agent" for one in passed)
    assert {one.variables["SCREENER_REASONS"] for one in journeys} == {"raced", "lease"}
    if treatment is Treatment.REJECT:
        # What the dialplan did is what its variables say.
        assert {one.variables["SCREENER_REASONS"] for one in rejected} == {"raced"}
        assert {one.variables["SCREENER_REASONS"] for one in passed} == {"lease"}


def dids_of(number: int) -> Iterator[str]:
    return (str(next(_dids)) for _ in range(number))


async def test_every_call_of_a_busy_hour_is_judged(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    calls = [(f"+1212555{number:04}", did) for number, did in enumerate(dids_of(200))]
    async with Listening(pbx, {"ladder": []}) as daemon:
        run = await run_sipp(
            lab.root, pbx.ports.sip, calls, rate=40, count=len(calls), hold=0.2, scenario=SCENARIOS / "uac_any.xml"
        )
        dids = {did for _, did in calls}
        await observer.wait(len(calls), matches=lambda one: one.did in dids)
        recorded = await daemon.all_ended(len(calls))
    assert run.failed == 0
    assert {one.call.did for one in recorded} == {f"+1{did}" for did in dids}
