"""The shipped unit under a real systemd: ready, watched, reloaded, restarted, and in its sandbox."""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import yaml

from tests.chaos.faults import Fault, nothing
from tests.chaos.storm import POLICY, Storm, storm
from tests.lab.daemon import POLICY as COMMON
from tests.lab.lab import Lab
from tests.lab.places import REPO, LabError
from tests.lab.systemd import Machine, ensure_machine

pytestmark = pytest.mark.pbx

UNIT = "screener.service"
CONFIG = "/etc/screener/screener.yaml"


@pytest_asyncio.fixture(loop_scope="session")
async def machine() -> AsyncIterator[Machine]:
    async with Machine(ensure_machine(print)) as booted:
        await booted.run("useradd", "--system", "--home-dir", "/var/lib/screener", "screener")
        unit = (REPO / "config" / UNIT).read_text().replace("#LoadCredential=", "LoadCredential=")
        booted.path(f"/etc/systemd/system/{UNIT}").write_text(unit)
        await booted.run("systemctl", "daemon-reload")
        yield booted


async def install(machine: Machine, opened: Storm) -> None:
    """Do what the README says."""
    machine.path("/etc/screener").mkdir(exist_ok=True)
    sections = {
        "policy": {**COMMON, **POLICY},
        "asterisk": {"url": f"http://127.0.0.1:{opened.pbx.ports.http}", "user": opened.pbx.ari_user},
    }
    machine.path(CONFIG).write_text(yaml.safe_dump(sections))
    password = machine.path("/etc/screener/ari-password")
    password.write_text(opened.pbx.ari_password)
    password.chmod(0o600)


async def until_restarted(machine: Machine, times: int) -> None:
    """Wait until systemd has restarted the unit so often and it is ready again."""
    while int(await machine.show(UNIT, "NRestarts")) < times or await machine.show(UNIT, "ActiveState") != "active":
        pass


async def main_pid(machine: Machine) -> str:
    return await machine.show(UNIT, "MainPID")


async def test_started_means_that_asterisk_hands_over_its_calls(lab: Lab, machine: Machine) -> None:
    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened)
        await machine.run("systemctl", "start", UNIT)
        assert "screener" in await opened.pbx.cli("ari show apps")
        assert "connected over the WebSocket; 0 calls judged" in await machine.show(UNIT, "StatusText")
        result = await opened.weather(nothing, calls=60, rate=30)
        assert result.balance.as_policy == 60
        # It runs as nobody in particular, and the password is in no environment and no command line.
        pid = await main_pid(machine)
        assert (await machine.run("stat", "-c", "%U", f"/proc/{pid}")).strip() == "screener"
        for place in ("environ", "cmdline"):
            assert opened.pbx.ari_password not in await machine.run("cat", f"/proc/{pid}/{place}")
        log = await machine.run("journalctl", "-u", UNIT, "--no-pager")
        assert "verdict=reject" in log
        assert opened.pbx.ari_password not in log
        await machine.run("systemctl", "stop", UNIT)
        assert await machine.show(UNIT, "Result") == "success"


async def test_started_waits_for_an_asterisk_that_is_away(lab: Lab, machine: Machine) -> None:
    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened)
        await opened.pbx.end()
        await machine.run("systemctl", "start", "--no-block", UNIT)
        while "connecting to Asterisk; calls pass" not in await machine.show(UNIT, "StatusText"):
            pass
        assert await machine.show(UNIT, "ActiveState") == "activating"
        await opened.pbx.start()
        while await machine.show(UNIT, "ActiveState") != "active":
            pass
        assert await machine.show(UNIT, "NRestarts") == "0"


async def test_killed_again_and_again_under_load_it_loses_no_call(lab: Lab, machine: Machine) -> None:
    kills = 0

    async def kill(_storm: Storm) -> None:
        nonlocal kills
        await machine.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", UNIT)
        kills += 1
        await until_restarted(machine, kills)

    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened)
        await machine.run("systemctl", "start", UNIT)
        result = await opened.weather(Fault(says="kill -9 under systemd", strike=kill).go_on, calls=400, rate=40)
    assert kills >= 2
    assert result.balance.lost == []
    assert result.sipp.failed == 0


async def test_calls_that_it_held_when_it_was_killed_are_freed_by_the_unit(lab: Lab, machine: Machine) -> None:
    async with storm(lab.root, screened=False, variables={"SCREENER_LEASE": "60"}) as opened:
        await install(machine, opened)
        await machine.run("systemctl", "start", UNIT)

        async def stop_and_kill(_storm: Storm) -> None:
            await machine.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", UNIT)
            while "20 active calls" not in await opened.pbx.cli("core show channels count"):
                pass
            await machine.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", UNIT)

        result = await opened.weather(stop_and_kill, calls=20, rate=100, hold=0.2)
        log = await machine.run("journalctl", "-u", UNIT, "--no-pager")
    assert result.balance.lost == []
    assert result.balance.let_through > 0
    assert "calls held for screener" in log


async def test_a_daemon_that_hangs_is_restarted_by_the_watchdog(lab: Lab, machine: Machine) -> None:
    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened)
        await machine.run("systemctl", "start", UNIT)
        await machine.run("systemctl", "kill", f"--signal={signal.SIGSTOP.name}", "--kill-whom=main", UNIT)
        await until_restarted(machine, 1)
        assert "Watchdog timeout" in await machine.run("journalctl", "-u", UNIT, "--no-pager")


async def test_reload_says_what_is_wrong_and_keeps_the_policy(lab: Lab, machine: Machine) -> None:
    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened)
        await machine.run("systemctl", "start", UNIT)
        right = machine.path(CONFIG).read_text()
        machine.path(CONFIG).write_text(right.replace("capacity", "capcity"))
        with pytest.raises(LabError, match="Job for screener"):
            await machine.run("systemctl", "reload", UNIT)
        assert "did you mean capacity?" in await machine.run("journalctl", "-u", UNIT, "--no-pager")
        machine.path(CONFIG).write_text(right.replace("capacity: 3", "capacity: 5"))
        pid = await main_pid(machine)
        await machine.run("systemctl", "reload", UNIT)
        assert await main_pid(machine) == pid
        assert "is in force (it was" in await machine.run("journalctl", "-u", UNIT, "--no-pager")


async def test_its_sandbox_is_as_tight_as_that_of_redis(machine: Machine) -> None:
    ask = ("systemd-analyze", "security", "--offline=true", "--threshold=12")
    said = await machine.run(*ask, f"/etc/systemd/system/{UNIT}")
    assert "Overall exposure level" in said
