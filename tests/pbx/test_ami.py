"""What the manager interface tells us and does for us, on a real PBX with the rights that are shipped."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from screener.asterisk.ami import Ami
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.clocks import Clocks
from screener.asterisk.errors import AmiRefusedError, AmiUnavailableError
from screener.asterisk.families import Families
from screener.asterisk.inspect_ami import inspect_ami
from screener.asterisk.outbound import Outbound
from screener.policy.policy import Policy
from screener.policy.remembered import Window, WindowKind
from tests.lab.ami import Event
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.office import PHONE, TRUNKS, Office, open_office
from tests.lab.places import REPO
from tests.pbx.said import Said
from tests.policy.builders import make_policy

pytestmark = pytest.mark.pbx

STRANGER = '"Bob" <sip:+12125550150@127.0.0.1>'
BLOCK_ME = """
[from-trunk](+)
exten => 6001,1,Set(DB(blacklist/${CALLERID(num)})=1)
"""
LAST = "+13105550199"
"""Called at the end of a story: what was to be seen before it has been seen."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(lab: Lab) -> AsyncIterator[Office]:
    async with open_office(lab, contexts=BLOCK_ME, others=True) as opened:
        yield opened


class Learned:
    """A memory that keeps what it is told."""

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.windows: list[Window] = []
        self.connections = 0
        self.news = asyncio.Event()

    def dialled(self, number: str, _policy: Policy, _now: float) -> None:
        self.numbers.append(number)
        self.news.set()

    def open_window(self, window: Window) -> None:
        self.windows.append(window)
        self.news.set()

    async def connected(self) -> None:
        self.connections += 1
        self.news.set()

    async def until(self, *, number: str | None = None, connections: int = 0) -> None:
        async with asyncio.timeout(30):
            while (number is not None and number not in self.numbers) or self.connections < connections:
                self.news.clear()
                await self.news.wait()


class Unwritten:
    """A journal that is not looked at."""

    def dialled(self, number: str, at: float) -> None:
        pass

    def opened(self, window: Window, at: float) -> None:
        pass


class Watching:
    """A connection that runs, and what it learns."""

    def __init__(self, settings: AmiSettings, secret: str) -> None:
        self.learned = Learned()
        self.ami = Ami(settings, secret)
        policy = make_policy()
        self.outbound = Outbound(
            self.ami, settings, memory=self.learned, record=Unwritten(), policy=lambda: policy,
            clocks=Clocks(steady=lambda: 1000.0, wall=time.time),
        )  # fmt: skip
        self.hints: list[str] = []

    def dial_began(self, channel: str) -> None:
        self.hints.append(channel)
        self.outbound.dial_began(channel)

    async def connected(self) -> None:
        await self.learned.connected()


@contextlib.asynccontextmanager
async def watching(office: Office, secret: str | None = None, **changed: Any) -> AsyncIterator[Watching]:
    watch = Watching(office.settings(**changed), secret or office.secret)
    running = asyncio.Task(watch.ami.run(watch))
    try:
        yield watch
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await watch.outbound.tasks.finish(5)


async def learned_from(office: Office, watch: Watching, *calls: tuple[str, str], header: str = "") -> list[str]:
    """Make the calls, then one of which we know that it teaches; return what the others taught."""
    await watch.learned.until(connections=1)
    for sender, to in calls:
        await office.call(sender, to, header=header or "X-Nothing: here")
    await office.call(PHONE, f"9{LAST[1:]}")
    await watch.learned.until(number=LAST)
    await watch.outbound.tasks.finish(5)
    return [number for number in watch.learned.numbers if number != LAST]


@pytest.fixture
def said() -> Iterator[Said]:
    with Said("screener.asterisk") as heard:
        yield heard


# --------------------------------------------------------------------------------------------------- whom we called


async def test_whom_our_people_call_is_learned_however_the_call_leaves(office: Office) -> None:
    calls = [
        (PHONE, "912125550101"),  # PJSIP/number@carrier
        (PHONE, "812125550102"),  # PJSIP/carrier/sip:number@host
        (PHONE, "712125550103"),  # through a Local channel
        (PHONE, "612125550104"),  # by a PBX that wants a 9 before it
        (PHONE, "9011442079460105"),  # with the international prefix
        (PHONE, "92125550106"),  # ten digits, as the route leaves them
    ]
    async with watching(office) as watch:
        learned = await learned_from(office, watch, *calls)
    assert learned == [
        "+12125550101", "+12125550102", "+12125550103", "+12125550104", "+442079460105", "+12125550106",
    ]  # fmt: skip


async def test_a_click_to_dial_call_is_a_call_of_ours(office: Office) -> None:
    async with watching(office) as watch:
        await watch.learned.until(connections=1)
        own = await office.pbx.connect_ami(events=False)
        await own.action("Originate", Channel="PJSIP/phone", Context="from-agent", Exten="912125550107", Priority="1",
                         Async="true")  # fmt: skip
        own.close()
        await watch.learned.until(number="+12125550107")


@pytest.mark.parametrize("did", ["7001", "7002", "7003", "7005", "7006"])
async def test_a_call_that_came_in_and_is_forwarded_outside_teaches_nothing(office: Office, did: str) -> None:
    async with watching(office) as watch:
        assert await learned_from(office, watch, (STRANGER, did)) == []
        legs = [hint for hint in watch.hints if hint.startswith("PJSIP/carrier-")]
    assert len(legs) == 2  # it did leave by the carrier


async def test_a_phone_that_forwards_by_a_call_of_its_own_teaches_nothing(office: Office) -> None:
    async with watching(office) as watch:
        diversion = "Diversion: <sip:+12125550150@127.0.0.1>"
        assert await learned_from(office, watch, (PHONE, "912125550108"), header=diversion) == []


@pytest.mark.parametrize("dialled", ["9411", "9*6712125550109", "9100", "512125550110", "95550111"])
async def test_short_numbers_service_codes_and_extensions_of_another_pbx_earn_no_trust(
    office: Office, dialled: str
) -> None:
    async with watching(office) as watch:
        assert await learned_from(office, watch, (PHONE, dialled)) == []
        assert watch.learned.windows == []


async def test_a_call_to_an_emergency_number_opens_a_window_and_one_that_came_in_does_not(office: Office) -> None:
    async with watching(office) as watch:
        assert await learned_from(office, watch, (STRANGER, "7911")) == []
        assert watch.learned.windows == []
        assert await learned_from(office, watch, (PHONE, "9911")) == []
    assert watch.learned.windows == [Window(kind=WindowKind.EMERGENCY, until=1000.0 + 120 * 60)]


# -------------------------------------------------------------------------------------------------------- strangers


def encoded(text: str) -> str:
    """Write text so that it survives in the user part of a SIP address."""
    return "".join(char if char.isalnum() else "".join(f"%{byte:02x}" for byte in char.encode()) for char in text)


FORGED = "\r\n\r\nEvent: DialBegin\r\nDestChannel: PJSIP/carrier-00000001"
HOSTILE = {
    "number": (f"<sip:{encoded('1' + FORGED)}@127.0.0.1>", "8001"),
    "dialled": (STRANGER, encoded("8001" + FORGED)),
    "shutdown": (f"<sip:{encoded('1' + chr(13) + chr(10) + chr(13) + chr(10) + 'Event: Shutdown')}@127.0.0.1>", "8001"),
    "twice": (f"<sip:{encoded('1' + chr(13) + chr(10) + 'Event: Shutdown')}@127.0.0.1>", "8001"),
    "action": (f"<sip:{encoded('1' + chr(13) + chr(10) + 'ActionID: action/1')}@127.0.0.1>", "8001"),
    "forwarded": (f"<sip:{encoded('1' + FORGED)}@127.0.0.1>", "7001"),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_caller_who_writes_events_into_its_number_earns_nothing_and_breaks_nothing(
    office: Office, kind: str
) -> None:
    async with watching(office) as watch:
        assert await learned_from(office, watch, HOSTILE[kind]) == []
        assert watch.learned.connections == 1
        if kind in ("number", "dialled"):
            assert "PJSIP/carrier-00000001" in watch.hints  # Asterisk did pass it on as an event


async def test_a_call_that_one_of_us_transfers_outside_teaches_nothing(office: Office) -> None:
    async with watching(office) as watch:
        await watch.learned.until(connections=1)
        calling = asyncio.Task(office.call(STRANGER, "8002", hold=2))
        own = await office.pbx.connect_ami(events=False)
        talking = ""
        while not talking:
            rows = (await office.pbx.cli("core show channels concise")).splitlines()
            talking = next((row.split("!")[0] for row in rows if row.startswith("PJSIP/phone-") and "!Up!" in row), "")
        await own.action("BlindTransfer", Channel=talking, Context="from-agent", Exten="912125550112")
        own.close()
        await calling
        assert await learned_from(office, watch) == []
        assert sum(hint.startswith("PJSIP/carrier-") for hint in watch.hints) == 2


# --------------------------------------------------------------------------------------------------- Asterisk's lists


@contextlib.asynccontextmanager
async def lists(office: Office) -> AsyncIterator[Families]:
    """Asterisk's lists, with the right to write them."""
    settings = office.settings(user="writer")
    ami = Ami(settings, office.secret)
    async with ami.once():
        yield Families(ami, settings, region=lambda: "US", take=lambda *_: None)


async def test_what_the_dialplan_and_freepbx_wrote_into_asterisks_lists_is_read(office: Office) -> None:
    for key, value in (("2125550150", "1"), ("+442079460150", "loud"), ("dest", "app,1,1"), ("Joe", "1")):
        await office.pbx.cli(f"database put blacklist {key} {value}")
    await office.pbx.cli("database put allowlist 12125550151 Mum")
    await office.pbx.cli("database put blacklistother 12125550152 1")
    async with lists(office) as families:
        blocked, allowed = await families.read()
        assert {(one.number, one.note) for one in blocked} == {("+12125550150", ""), ("+442079460150", "loud")}
        assert {(one.number, one.note) for one in allowed} == {("+12125550151", "Mum")}
        assert (await families.family("blacklist")).unreadable == ("Joe",)
        assert (await families.family("nothing")).entries == ()


async def test_a_number_that_we_write_is_on_the_list_that_the_dialplan_asks(office: Office) -> None:
    async with lists(office) as families:
        await families.add("blacklist", "+12125550160", "pressed 3")
        assert "pressed 3" in await office.pbx.cli("database get blacklist +12125550160")
        await office.pbx.cli("database put blacklist 2125550160 1")
        assert await families.remove("blacklist", "+12125550160") == 2
        assert "not found" in await office.pbx.cli("database get blacklist 2125550160")


async def test_a_caller_who_gets_line_ends_into_the_list_adds_nobody_to_it(office: Office) -> None:
    # As a dialplan does that lets a phone block its last caller.
    line_end = chr(13) + chr(10)
    for ending in (
        f"1{line_end}Key: /blacklist/12125550170",
        f"12125550171{line_end}X: ",
        f"1{line_end}{line_end}Event: DBGetTreeResponse{line_end}Key: /blacklist/12125550172",
        f"1{line_end}ActionID: 1",
        f"1{line_end}ActionID: 2{line_end * 2}Event: DBGetTreeResponse{line_end}Key: /blacklist/12125550174",
        f"1{line_end}Event: DialBegin{line_end * 2}Event: X{line_end}Key: /blacklist/12125550175",
        f"1{line_end * 2}Event: DBGetTreeComplete",
    ):
        await office.call(f"<sip:{encoded(ending)}@127.0.0.1>", "6001")
    await office.pbx.cli("database put blacklist 9725550176 last")
    assert "12125550170" in await office.pbx.cli("database show blacklist")
    async with lists(office) as families:
        blocked, _ = await families.read()
        await families.add("blacklist", "+12125550173")
        assert {one.number for one in (await families.read())[0]} == {one.number for one in blocked} | {"+12125550173"}
    assert blocked[-1].number == "+19725550176"  # the list was read to its end
    assert not {one.number for one in blocked} & {f"+1212555017{digit}" for digit in range(6)}


# ------------------------------------------------------------------------------------------------------- the account


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Command", {"Command": "core show version"}),
        ("Originate", {"Channel": "Local/1@from-agent", "Application": "Wait", "Data": "1"}),
        ("DBPut", {"Family": "blacklist", "Key": "1", "Val": "1"}),
        ("ModuleLoad", {"LoadType": "reload"}),
        ("GetConfig", {"Filename": "manager.conf"}),
    ],
)
async def test_the_shipped_account_can_do_no_more_than_it_needs(
    office: Office, action: str, headers: dict[str, str]
) -> None:
    async with watching(office) as watch:
        await watch.learned.until(connections=1)
        with pytest.raises(AmiRefusedError, match="Permission denied"):
            await watch.ami.action(action, **headers)


async def test_check_tells_what_the_account_sees_and_may_do(office: Office) -> None:
    settings = office.settings(trunks=["carrier", "carier"])
    told = [(finding.about, finding.says, finding.wrong) for finding in await inspect_ami(settings, office.secret)]
    assert told == [
        ("manager interface", f"screener is let in at 127.0.0.1:{office.pbx.ports.ami}", False),
        ("its rights", "reads Asterisk's lists", False),
        ("its rights", "moves calls", False),
        ("trunk carrier", "a PJSIP endpoint; its calls come in at from-trunk", False),
        ("trunk carier", "no PJSIP endpoint is named so", False),
    ]
    (refused,) = await inspect_ami(settings, "a wrong one")
    assert refused.wrong
    assert "it refuses the user 'screener' or the secret" in refused.says
    poor = await inspect_ami(office.settings(user="poor", trunks=[]), office.secret)
    assert [(finding.about, finding.wrong) for finding in poor] == [
        ("manager interface", False), ("its rights", True), ("its rights", True), ("trunks", False),
    ]  # fmt: skip


async def test_a_line_end_in_a_value_begins_no_header(office: Office) -> None:
    async with watching(office) as watch:
        await watch.learned.until(connections=1)
        with pytest.raises(AmiRefusedError, match="No such channel"):
            await watch.ami.action("Getvar", Channel="x\r\nAction: Logoff\r\n\r\n", Variable="EPOCH")
        assert (await watch.ami.action("Getvar", Variable="EPOCH"))[0]["Value"].isdigit()


# ------------------------------------------------------------------------------------------------------ what breaks


async def gone(ami: Ami) -> None:
    """Send actions until one fails."""
    with contextlib.suppress(AmiUnavailableError):
        while True:
            await ami.action("Ping")


async def test_an_asterisk_that_is_killed_is_found_again_and_actions_meanwhile_fail_at_once(lab: Lab) -> None:
    async with open_office(lab) as office, watching(office) as watch:
        await watch.learned.until(connections=1)
        await office.pbx.kill()
        await gone(watch.ami)
        with pytest.raises(AmiUnavailableError, match="not connected"):
            await watch.ami.action("Ping")
        await office.pbx.start()
        await watch.learned.until(connections=2)
        assert await learned_from(office, watch, (PHONE, "912125550120")) == ["+12125550120"]


async def test_an_asterisk_that_hangs_is_noticed_by_its_silence(
    lab: Lab, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screener.asterisk.ami.PING_SECONDS", 0.2)
    async with open_office(lab) as office, watching(office, action_seconds=0.5) as watch:
        await watch.learned.until(connections=1)
        office.pbx.signal(signal.SIGSTOP)
        await said.line("did not answer Ping within 0.5 s")
        assert not watch.ami.connected
        office.pbx.signal(signal.SIGCONT)
        await watch.learned.until(connections=2)


async def test_a_wrong_secret_is_told_once_and_tried_on(
    office: Office, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screener.asterisk.ami.REFUSED_SECONDS", 0.05)
    fifth, tries = asyncio.Event(), 0

    def refused(_: Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 5:
            fifth.set()

    office.pbx.ami.on("ChallengeResponseFailed", refused)
    async with watching(office, secret="a wrong one") as watch, asyncio.timeout(30):
        await fifth.wait()
        assert not watch.ami.connected
    (line,) = [one for one in said.lines if "it refuses the user 'screener' or the secret" in one]
    assert "a wrong one" not in line


# ------------------------------------------------------------------------------------------------------- the daemon

SUSPICIOUS = {
    "signals": {"attestation": {"points": {"none": 5}}},
    "ladder": [{"score": 5, "treatment": "reject"}],
}
CALLED = "+12125550190"


def daemon_of(office: Office, secret: str = "", **ami: Any) -> Daemon:
    daemon = Daemon(office.pbx, SUSPICIOUS)
    kept = daemon.directory / "ami-secret"
    kept.touch(0o600)
    kept.write_text(secret or office.secret)
    daemon.more = {
        "ami": {
            "port": office.pbx.ports.ami,
            "user": "screener",
            "secret_file": str(kept),
            "trunks": list(TRUNKS),
            "families_minutes": 0.1,
            **ami,
        }
    }
    return daemon


async def verdict(office: Office, observer: Observer, caller: str, did: str) -> str:
    """Call in, and return what was done with the call and why."""
    await office.call(f"<sip:{caller}@127.0.0.1>", did)
    journey = await observer.journey(did=did)
    return f"{journey.variables['SCREENER_TREATMENT']}: {journey.variables['SCREENER_REASONS']}"


async def test_whom_we_called_gets_through_and_asterisks_lists_hold(lab: Lab) -> None:
    async with open_office(lab) as office:
        observer = Observer(office.pbx)
        await office.pbx.cli("database put blacklist 2125550191 loud")
        await office.pbx.cli("database put allowlist 2125550192 Mum")
        async with daemon_of(office) as daemon:
            await daemon.logged("Asterisk's own lists: 1 blocked, 1 allowed")
            assert (await verdict(office, observer, CALLED, "6101")).startswith("reject: attestation")
            await office.call(PHONE, f"9{CALLED[1:]}")
            await daemon.logged(f"called number={CALLED}")
            assert (await verdict(office, observer, CALLED, "6102")).startswith("pass: trusted")
            assert (await verdict(office, observer, "+12125550192", "6103")).startswith("pass: ")
            assert (await verdict(office, observer, "+12125550191", "6104")).startswith("reject: ")
            await office.pbx.cli("database put blacklist 2125550190 1")
            await daemon.logged("Asterisk's own lists: 2 blocked, 1 allowed")
            await office.pbx.cli("database del blacklist 2125550190")
            await daemon.logged("Asterisk's own lists: 1 blocked, 1 allowed", after=len(daemon.log))
            assert (await verdict(office, observer, CALLED, "6105")).startswith("pass: trusted")


async def command(daemon: Daemon, *arguments: str) -> str:
    """Run a command of the product and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "screener", *arguments, "--config", str(daemon.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=REPO, env=daemon.environment,
    )  # fmt: skip
    return (await process.communicate())[0].decode()


async def test_asterisks_lists_are_shown_and_changed_by_hand(lab: Lab) -> None:
    async with open_office(lab, others=True) as office:
        await office.pbx.cli("database put blacklist 2125550180 loud")
        await office.pbx.cli("database put blacklist Joe 1")
        async with daemon_of(office, user="writer", families_minutes=60) as daemon:
            await daemon.logged("Asterisk's own lists: 1 blocked, 0 allowed")
            assert (await command(daemon, "families")).splitlines() == [
                "blacklist    +12125550180     loud",
                "blacklist    Joe              is no number",
                "allowlist is empty",
            ]
            printed = await command(daemon, "families", "--block", "(212) 555-0181", "--note", "pressed 3")
            assert printed == (
                "2125550181 is on blacklist\nthe daemon reads it within 60 minutes, or at `screener reload`\n"
            )
            assert "is on allowlist" in await command(daemon, "families", "--allow", "+12125550182")
            assert "pressed 3" in await office.pbx.cli("database get blacklist 2125550181")
            assert (await command(daemon, "reload")).endswith("is in force\n")
            await daemon.logged("Asterisk's own lists: 2 blocked, 1 allowed")
            printed = await command(daemon, "families", "--remove", "2125550180")
            assert printed.startswith(
                "+12125550180: 1 key removed from blacklist\n+12125550180: 0 keys removed from allowlist\n"
            )
            assert await command(daemon, "families", "--block", "12") == (
                "'12' is no telephone number of US, nor one that begins with +\n"
            )
        async with daemon_of(office) as daemon:
            assert "Asterisk refuses DBPut: Permission denied" in await command(daemon, "families", "--block", CALLED)


async def test_an_emergency_call_lets_everybody_in(lab: Lab) -> None:
    async with open_office(lab) as office:
        observer = Observer(office.pbx)
        async with daemon_of(office) as daemon:
            await daemon.logged("connected to the manager interface")
            assert (await verdict(office, observer, "+12125550194", "6111")).startswith("reject: ")
            await office.call(PHONE, "9911")
            await daemon.logged("911 was called: everybody gets in for 120 minutes")
            assert (await verdict(office, observer, "+12125550194", "6112")).startswith("pass: emergency")


async def test_calls_are_screened_without_the_manager_interface(lab: Lab) -> None:
    async with open_office(lab) as office:
        observer = Observer(office.pbx)
        async with daemon_of(office, secret="a wrong one") as daemon:
            await daemon.logged("not connected to the manager interface")
            assert (await verdict(office, observer, CALLED, "6121")).startswith("reject: attestation")
            assert not any("a wrong one" in line for line in daemon.log)
            assert not any("Traceback" in line for line in daemon.log)


async def test_what_was_learned_outlives_the_daemon_and_asterisk(lab: Lab) -> None:
    async with open_office(lab) as office:
        async with daemon_of(office) as daemon:
            await daemon.logged("connected to the manager interface")
            await office.call(PHONE, f"9{CALLED[1:]}")
            await daemon.logged(f"called number={CALLED}")
            await office.call(PHONE, "9911")
            await daemon.logged("911 was called")
            await office.pbx.kill()
            before = len(daemon.log)
            await office.pbx.start()
            await daemon.logged("connected to the manager interface", after=before)
            await daemon.logged("connected to Asterisk at", after=before)
            observer = Observer(office.pbx)
            await office.call(PHONE, "912125550196")
            await daemon.logged("called number=+12125550196", after=before)
            await daemon.stop()
            before = len(daemon.log)
            await daemon.start()
            await daemon.logged("connected to the manager interface", after=before)
            # The window is open still; the first rule that settles it names the verdict.
            assert (await verdict(office, observer, CALLED, "6131")).startswith("pass: ")
            assert (await verdict(office, observer, "+12125550197", "6132")).startswith("pass: emergency")
            with daemon.recorded() as journal:
                reasons = [reason.code for call in journal.calls() for reason in call.verdict.reasons]
        assert "emergency" in reasons
