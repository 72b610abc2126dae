"""What an administrator does to a running screener: stop, upgrade, reload; and what systemd does when it dies."""

import asyncio
import signal
from pathlib import Path

import pytest

from screener.asterisk.commands import claim
from screener.asterisk.connection import AriConnection
from screener.asterisk.events import CallOffered, Event
from screener.asterisk.inspect import inspect
from screener.asterisk.release import release
from screener.asterisk.settings import AriSettings
from tests.chaos.faults import hand_over
from tests.chaos.ledger import truths
from tests.chaos.storm import Storm, mixed, storm
from tests.lab.daemon import DIALPLAN
from tests.lab.lab import Lab
from tests.lab.pbx import Settings

pytestmark = pytest.mark.pbx

HELD = 200


async def test_release_frees_the_calls_that_a_dead_daemon_held(lab: Lab) -> None:
    calls = mixed()
    placed = [next(calls) for _ in range(HELD)]
    async with storm(lab.root, variables={"SCREENER_LEASE": "60"}) as opened:
        opened.daemon.signal(signal.SIGSTOP)
        running = asyncio.Task(opened.place(placed, rate=100, hold=0.2))
        while f"{HELD} active calls" not in await opened.pbx.cli("core show channels count"):
            assert not running.done()
        opened.daemon.kill()
        await opened.daemon.stop()
        printed = await opened.command("release")
        run = await running
        again = await opened.command("release", "--app", "other")
        found = truths(opened.pbx)
    assert run.failed == 0
    assert printed.splitlines()[-1] == f"{HELD} calls held for screener"
    assert all(line.endswith("sent on") for line in printed.splitlines()[:-1])
    assert again == "0 calls held for other\n"
    assert all(found[call.did].answered for call in placed)
    assert {"+".join(found[call.did].reasons) for call in placed} == {"released"}


async def test_release_says_what_keeps_it_from_asterisk(lab: Lab) -> None:
    async with storm(lab.root) as opened:
        config = opened.daemon.config
        right = config.read_text()
        config.write_text(right.replace(opened.proxy.url, "http://127.0.0.1:1"))
        assert "Asterisk at http://127.0.0.1:1/: the connection to Asterisk failed" in await opened.command("release")
        config.write_text(right.replace("user: screener", "user: nobody"))
        assert "Asterisk answered 401" in await opened.command("release")
        config.write_text(right)
        assert await opened.command("release") == "0 calls held for screener\n"


async def test_release_leaves_calls_alone_that_another_screener_has_claimed(lab: Lab) -> None:
    class Claiming:
        def __init__(self) -> None:
            self.offers: list[str] = []

        def take(self, event: Event) -> None:
            if isinstance(event, CallOffered):
                self.offers.append(event.channel_id)

        async def connected(self) -> None:
            pass

        async def drain(self) -> None:
            pass

    broadcast = {"SCREENER_LEASE": "60", "SCREENER_ENTRY": "broadcast"}
    async with storm(lab.root, screened=False, variables=broadcast) as opened:
        settings = AriSettings.model_validate(
            {
                "url": f"http://127.0.0.1:{opened.pbx.ports.http}",
                "user": opened.pbx.ari_user,
                "application": "screener-a",
            }
        )
        claiming, connection = Claiming(), AriConnection(settings, opened.pbx.ari_password)
        running = asyncio.Task(connection.run(claiming))
        await connection.ready.wait()
        calls = mixed()
        placed = [next(calls) for _ in range(4)]
        callers = asyncio.Task(opened.place(placed, rate=50, hold=0.2))
        claimed: set[str] = set()
        while len(claimed) < 4:
            for offered in [one for one in claiming.offers if one not in claimed]:
                (answer,) = await connection.send(claim("screener-a", offered))
                assert answer.ok
                claimed.add(offered)
            await asyncio.sleep(0)
        other = settings.model_copy(update={"application": "screener-b"})
        assert await release(other, opened.pbx.ari_password) == []
        connection.close()
        await running
        released = await release(settings, opened.pbx.ari_password)
        run = await callers
    assert {one.channel for one in released} == claimed
    assert all(one.status == 204 for one in released)
    assert run.failed == 0


async def test_check_tells_what_is_in_force_on_the_pbx(lab: Lab) -> None:
    async with storm(lab.root) as opened:
        told = (await opened.command("check", "--pbx")).splitlines()
        assert told[0].endswith("mode live)")
        assert [" ".join(line.split()) for line in told[2:]] == [
            "dialplan: screener.conf is loaded", "entry: Stasis(screener)", "lease: 0.7 s (as shipped)",
            "daemon: a daemon is connected as screener", "mailbox 900@default: exists",
        ]  # fmt: skip
        assert not any("check" in line for line in opened.daemon.log)  # the channel that asks is no call
    changed = {"SCREENER_LEASE": "soon", "SCREENER_ENTRY": "broadcast", "SCREENER_APPLICATION": "other"}
    async with storm(lab.root, variables=changed) as opened:
        told = (await opened.command("check", "--pbx")).splitlines()
        assert "but asterisk.application is screener: its daemon gets no calls" in told[3]
        assert "SCREENER_LEASE is 'soon': expected seconds" in told[4]


async def test_check_says_what_to_do_where_the_dialplan_is_not_loaded(lab: Lab) -> None:
    async with lab.passing_pbx() as pbx:
        settings = AriSettings.model_validate({"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user})
        findings = await inspect(settings, pbx.ari_password, ["900@default"])
    assert [finding.about for finding in findings] == ["asterisk", "dialplan"]
    assert findings[-1].wrong
    assert "then `dialplan reload`" in findings[-1].says


async def test_check_says_so_where_the_dialplan_is_older_than_the_program(lab: Lab, tmp_path: Path) -> None:
    old = tmp_path / "screener.conf"
    old.write_text(DIALPLAN.read_text().replace("exten => _v.,1,", "exten => other,1,"))
    async with lab.passing_pbx(Settings(dialplan=[old])) as pbx:
        settings = AriSettings.model_validate({"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user})
        findings = await inspect(settings, pbx.ari_password, [])
    assert findings[-1].wrong
    assert findings[-1].says == "screener.conf is older than this program: copy the new one, then `dialplan reload`"


AGAIN = """[again]
exten => 77,1,Set(SCREENER_LEASED=no)
 same => n,MSet(SCREENER_MAILBOX=1@default,SCREENER_MENU_7=on,SCREENER_TONE=yes,SCREENER_HASH_1=x,SCREENER_NEXT=reject)
 same => n,Gosub(screener,s,1(77))
 same => n,Set(GLOBAL(LEFT)=<${SCREENER_MAILBOX}${SCREENER_MENU_7}${SCREENER_TONE}${SCREENER_HASH_1}${SCREENER_NEXT}>)
 same => n,Hangup()
"""


async def test_a_channel_that_comes_by_twice_finds_nothing_of_its_first_visit(lab: Lab) -> None:
    async with lab.passing_pbx(Settings(dialplan=[DIALPLAN], contexts=AGAIN)) as pbx:
        await pbx.cli("channel originate Local/77@again/n application Wait 9")
        while "LEFT" not in (found := await pbx.cli("dialplan show globals")):
            pass
    assert "LEFT=<>" in found


async def test_ten_hand_overs_under_load_lose_nothing(lab: Lab) -> None:
    done = asyncio.Event()

    async def ten(opened: Storm) -> None:
        for _ in range(10):
            await hand_over(opened)
        done.set()

    async with storm(lab.root) as opened:
        result = await opened.weather(ten, calls=400, rate=20)
        assert done.is_set()
        assert len(opened.daemons) == 11
        with opened.daemon.recorded() as journal:
            judged = [call.call.did for call in journal.calls(limit=10_000)]
        said = [line for daemon in opened.daemons for line in daemon.log if "call=" in line and " verdict=" in line]
    assert result.balance.lost == []
    assert result.balance.placed == 400
    assert len(judged) == len(set(judged))
    ids = [line.partition("call=")[2].split()[0] for line in said]
    assert len(ids) == len(set(ids))  # no call was judged by two


async def test_a_reload_is_in_force_when_the_command_says_so(lab: Lab) -> None:
    async with storm(lab.root) as opened:
        config = opened.daemon.config
        right = config.read_text()
        config.write_text(right.replace("capacity: 3", "capacity: 4"))
        printed = await opened.command("reload")
        assert printed.startswith("policy ")
        assert printed.endswith(" is in force\n")
        config.write_text(right.replace("capacity: 3", "capacity: four"))
        refused = await opened.command("reload")
        assert "policy.bucket.capacity" in refused
        await opened.daemon.logged("is in force (it was")
        config.write_text(right)
        opened.daemon.kill()
        await opened.daemon.stop()
        assert "no daemon is running here" in await opened.command("reload")
