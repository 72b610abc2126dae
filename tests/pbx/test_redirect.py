"""A call in progress is moved to another treatment, whatever it does, on a real PBX with the shipped rights."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.demo.scenes import way
from tests.lab.ami import Event
from tests.lab.callers import Line
from tests.lab.daemon import BOX, DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.office import shipped_account
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import REPO

pytestmark = pytest.mark.pbx

SECRET: Final = secrets.token_hex(16)
POOR: Final = secrets.token_hex(16)
CALLER: Final = "+12125550150"
ALWAYS: Final = {
    "signals": {"attestation": {"points": {"none": 5}}},
    "ladder": [{"score": 5, "treatment": "captcha"}],
    "captcha": {"seconds": 20, "attempts": 1, "then": "reject"},
}
NEVER: Final[Mapping[str, Any]] = {"ladder": []}
ACCOUNTS: Final = f"""{shipped_account("screener", SECRET)}
[poor]
secret = {POOR}
read = call
write = reporting
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(lab: Lab) -> AsyncIterator[Pbx]:
    async with lab.passing_pbx(Settings(dialplan=[DIALPLAN], ami=ACCOUNTS)) as running:
        yield running


def daemon_of(pbx: Pbx, policy: Mapping[str, Any], *, user: str = "screener", secret: str = SECRET) -> Daemon:
    daemon = Daemon(pbx, policy)
    kept = daemon.directory / "ami-secret"
    kept.touch(0o600)
    kept.write_text(secret)
    daemon.more = {"ami": {"port": pbx.ports.ami, "user": user, "secret_file": str(kept)}}
    return daemon


async def command(daemon: Daemon, *arguments: str) -> tuple[int, str]:
    """Run a command of the product; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "screener", *arguments, "--config", str(daemon.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=REPO, env=daemon.environment,
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def moved(daemon: Daemon, channel: str, to: str) -> str:
    status, printed = await command(daemon, "redirect", channel, "--to", to)
    assert status == 0, printed
    return printed


async def begun(observer: Observer, did: str) -> Journey:
    """Wait for the call's beginning at the PBX."""
    async with asyncio.timeout(15):
        while True:
            for journey in observer.journeys:
                if journey.did == did:
                    return journey
            await asyncio.sleep(0.01)


async def ringing(pbx: Pbx, journey: Journey) -> None:
    """Wait until the phone of the agent rings for the call."""
    rings = asyncio.Event()

    def state(event: Event) -> None:
        if event["ChannelStateDesc"] == "Ringing" and event["Linkedid"] == journey.uniqueid:
            rings.set()

    pbx.ami.on("Newstate", state)
    if journey.dialled_at is None:
        async with asyncio.timeout(15):
            await rings.wait()


async def keys(line: Line, pause: float = 1.0) -> None:
    """Press what is spoken."""
    await line.press((await line.hear_digits(pause))[:2])


async def test_a_call_in_a_captcha_is_let_through(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with daemon_of(pbx, ALWAYS) as daemon:
        line = await lab.world.dial("2125550801", CALLER)
        await line.hear_digits(0.4)
        journey = await begun(observer, "2125550801")
        printed = await moved(daemon, journey.channel, "pass")
        assert printed == f"{journey.channel}: {CALLER}, moved from captcha to pass\n"
        assert await line.hear_who() == "agent"
        await line.hang_up()
        journey = await observer.journey(did="2125550801")
    assert way(journey) == "captcha > pass > agent answers"
    assert journey.variables["SCREENER_WHY"] == "moved by hand"


async def test_a_call_in_a_captcha_goes_to_the_mailbox_by_its_unique_id(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    async with daemon_of(pbx, ALWAYS) as daemon:
        line = await lab.world.dial("2125550802", CALLER)
        await line.hear_digits(0.4)
        await moved(daemon, (await begun(observer, "2125550802")).uniqueid, "voicemail")
        await line.hear_beep()
        await line.say("1234")
        await line.hang_up()
        journey = await observer.journey(did="2125550802")
        await daemon.stop()
        with daemon.recorded() as journal:
            (call,) = journal.calls()
    assert way(journey).startswith("captcha > voicemail")
    assert journey.mailbox == BOX
    assert [(str(one.treatment), str(one.result)) for one in call.outcomes] == [("voicemail", "recorded")]


async def test_a_call_that_rings_is_asked_and_rings_again_when_it_has_answered(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    await lab.world.agent("ring")
    async with daemon_of(pbx, NEVER) as daemon:
        line = await lab.world.dial("2125550803", CALLER)
        journey = await begun(observer, "2125550803")
        await ringing(pbx, journey)
        await moved(daemon, journey.channel, "captcha")
        await lab.world.agent()
        await keys(line)
        assert await line.hear_who() == "agent"
        await line.hang_up()
        journey = await observer.journey(did="2125550803")
        await daemon.stop()
        with daemon.recorded() as journal:
            (call,) = journal.calls()
    assert journey.dialled == ["agent", "agent"]
    assert way(journey) == "pass > captcha > pass > agent answers"
    assert [(str(one.treatment), str(one.result)) for one in call.outcomes] == [("captcha", "passed")]


async def test_a_caller_who_talks_is_moved_and_who_talked_with_it_is_free(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    await lab.world.agent()
    async with daemon_of(pbx, NEVER) as daemon:
        line = await lab.world.dial("2125550804", CALLER)
        assert await line.hear_who() == "agent"
        journey = await begun(observer, "2125550804")
        listed = await pbx.cli("core show channels concise")
        (other,) = [row.split("!")[0] for row in listed.splitlines() if row.startswith("PJSIP/agent-")]
        status, printed = await command(daemon, "redirect", other, "--to", "captcha")
        assert (status, printed) == (1, f"{other} is the other side of a call: move its caller, {journey.uniqueid}\n")
        await moved(daemon, journey.channel, "captcha")
        await line.hear_digits(0.4)
        assert other not in await pbx.cli("core show channels concise")
        await moved(daemon, journey.channel, "reject")  # out of the captcha that it was moved to
        await line.ended(10)
        journey = await observer.journey(did="2125550804")
    assert way(journey).startswith("pass > captcha > reject")


async def test_what_cannot_be_moved_stays_and_says_why(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    await lab.world.agent()
    policy = {**ALWAYS, "mode": "shadow", "voicemail": {}}
    async with daemon_of(pbx, policy) as daemon:
        line = await lab.world.dial("2125550805", CALLER)
        assert await line.hear_who() == "agent"
        journey = await begun(observer, "2125550805")
        line.receiver.news.clear()
        refused = {
            ("PJSIP/nobody-00000000", "pass"): "there is no channel PJSIP/nobody-00000000: `core show channels`",
            ("x\r\nAction: Logoff", "pass"): "there is no channel x",
            (journey.channel, "voicemail"): "there is no mailbox for calls to +12125550805",
        }
        for (channel, to), message in refused.items():
            status, printed = await command(daemon, "redirect", channel, "--to", to)
            assert status == 1
            assert printed.startswith(message), printed
        plain = await lab.world.dial("92125550806", CALLER)
        assert await plain.hear_who() == "agent"
        unscreened = await begun(observer, "92125550806")
        status, printed = await command(daemon, "redirect", unscreened.channel, "--to", "captcha")
        assert (status, printed) == (1, f"{unscreened.channel} did not come through the screener\n")
        await plain.hang_up()
        assert not line.is_over
        await line.hang_up()
        assert way(await observer.journey(did="2125550805")) == "pass > agent answers"


async def test_without_the_right_to_move_nothing_about_the_call_is_changed(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    await lab.world.agent()
    async with daemon_of(pbx, ALWAYS, user="poor", secret=POOR) as daemon:
        line = await lab.world.dial("2125550807", CALLER)
        digits = await line.hear_digits(0.4)
        journey = await begun(observer, "2125550807")
        status, printed = await command(daemon, "redirect", journey.channel, "--to", "captcha")
        assert status == 1
        assert "may not move calls (manager.conf)" in printed
        await line.press(digits[:2])  # of the challenge that it was given first
        assert await line.hear_who() == "agent"
        await line.hang_up()
        await observer.journey(did="2125550807")


async def test_without_a_manager_interface_the_command_says_what_it_needs(lab: Lab, pbx: Pbx) -> None:
    async with Daemon(pbx, NEVER) as daemon:
        status, printed = await command(daemon, "redirect", "PJSIP/trunk-00000000", "--to", "pass")
        assert status == 1
        assert printed == "this needs Asterisk's manager interface, and no user is set for it (ami.user)\n"
    async with daemon_of(pbx, NEVER, secret="a wrong one") as daemon:
        status, printed = await command(daemon, "redirect", "PJSIP/trunk-00000000", "--to", "pass")
        assert status == 1
        assert "it refuses the user 'screener' or the secret" in printed
        assert "a wrong one" not in printed
