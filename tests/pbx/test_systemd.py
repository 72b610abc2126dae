"""The shipped unit under a real systemd: ready, watched, reloaded, restarted, and in its sandbox."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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
PASSWORD = "/etc/screener/ari-password"
PATIENCE_SECONDS = 40.0


@pytest_asyncio.fixture(loop_scope="session")
async def machine() -> AsyncIterator[Machine]:
    async with Machine(ensure_machine(print)) as booted:
        await booted.run("useradd", "--system", "--home-dir", "/var/lib/screener", "screener")
        await install_unit(booted, (REPO / "config" / UNIT).read_text())
        yield booted


async def install_unit(machine: Machine, unit: str, name: str = UNIT) -> None:
    machine.path(f"/etc/systemd/system/{name}").write_text(unit)
    await machine.run("systemctl", "daemon-reload")


async def install(machine: Machine, opened: Storm, password_file: str | None = PASSWORD) -> None:
    """Do what the README says."""
    machine.path("/etc/screener").mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{opened.pbx.ports.http}"
    sections = {
        "policy": {**COMMON, **POLICY},
        "asterisk": {"url": url, "user": opened.pbx.ari_user, "password_file": password_file},
    }
    machine.path(CONFIG).write_text(yaml.safe_dump(sections))
    await machine.run("install", "-m", "640", "-g", "screener", "/dev/null", PASSWORD)
    machine.path(PASSWORD).write_text(opened.pbx.ari_password)


@asynccontextmanager
async def installed(lab: Lab, machine: Machine, **settings: str) -> AsyncIterator[Storm]:
    async with storm(lab.root, screened=False, variables=settings) as opened:
        await install(machine, opened)
        yield opened


async def until(machine: Machine, come: Callable[[], Awaitable[bool]]) -> None:
    """Ask systemd until something has come; it tells nobody by itself."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await come():
                pass
    except TimeoutError:
        raise LabError(f"it did not come to that:\n{await journal(machine)}") from None


async def until_restarted(machine: Machine, times: int) -> None:
    """Wait until systemd has restarted the unit so often and it is ready again."""

    async def ready() -> bool:
        restarts = int(await machine.show(UNIT, "NRestarts"))
        return restarts >= times and await machine.show(UNIT, "ActiveState") == "active"

    await until(machine, ready)


async def start(machine: Machine) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await machine.run("systemctl", "start", UNIT)
    except (TimeoutError, LabError):
        raise LabError(f"the unit does not start:\n{await journal(machine)}") from None


async def journal(machine: Machine) -> str:
    return await machine.run("journalctl", "-u", UNIT, "--no-pager", "--output=cat")


async def main_pid(machine: Machine) -> str:
    return await machine.show(UNIT, "MainPID")


async def send(machine: Machine, number: signal.Signals) -> None:
    await machine.run("systemctl", "kill", f"--signal={number.name}", "--kill-whom=main", UNIT)


async def test_started_means_that_asterisk_hands_over_its_calls(lab: Lab, machine: Machine) -> None:
    async with installed(lab, machine) as opened:
        await start(machine)
        assert "screener" in await opened.pbx.cli("ari show apps")
        assert "connected over the WebSocket; 0 calls judged" in await machine.show(UNIT, "StatusText")
        result = await opened.weather(nothing, calls=60, rate=30)
        assert result.balance.as_policy == 60
        # It runs as nobody in particular, and the password is in no environment and no command line.
        pid = await main_pid(machine)
        assert (await machine.run("stat", "-c", "%U", f"/proc/{pid}")).strip() == "screener"
        for place in ("environ", "cmdline"):
            assert opened.pbx.ari_password not in await machine.run("cat", f"/proc/{pid}/{place}")
        assert "verdict=reject" in await journal(machine)
        assert opened.pbx.ari_password not in await journal(machine)
        await machine.run("systemctl", "stop", UNIT)
        assert await machine.show(UNIT, "Result") == "success"


async def test_started_waits_for_an_asterisk_that_is_away(lab: Lab, machine: Machine) -> None:
    async with installed(lab, machine) as opened:
        await opened.pbx.end()
        await machine.run("systemctl", "start", "--no-block", UNIT)

        async def waits() -> bool:
            return "connecting to Asterisk; calls pass" in await machine.show(UNIT, "StatusText")

        async def active() -> bool:
            return await machine.show(UNIT, "ActiveState") == "active"

        await until(machine, waits)
        assert not await active()
        await opened.pbx.start()
        await until(machine, active)
        assert await machine.show(UNIT, "NRestarts") == "0"


async def test_killed_again_and_again_under_load_it_loses_no_call(lab: Lab, machine: Machine) -> None:
    kills = 0

    async def kill(_storm: Storm) -> None:
        nonlocal kills
        await send(machine, signal.SIGKILL)
        kills += 1
        await until_restarted(machine, kills)

    async with installed(lab, machine) as opened:
        await start(machine)
        result = await opened.weather(Fault(says="kill -9 under systemd", strike=kill).go_on, calls=400, rate=40)
    assert kills >= 2
    assert result.balance.lost == []
    assert result.sipp.failed == 0


async def test_calls_that_it_held_when_it_was_killed_are_freed_by_the_unit(lab: Lab, machine: Machine) -> None:
    async with installed(lab, machine, SCREENER_LEASE="60") as opened:
        await start(machine)

        async def stop_and_kill(_storm: Storm) -> None:
            await send(machine, signal.SIGSTOP)

            async def all_held() -> bool:
                return "20 active calls" in await opened.pbx.cli("core show channels count")

            await until(machine, all_held)
            await send(machine, signal.SIGKILL)

        result = await opened.weather(stop_and_kill, calls=20, rate=100, hold=0.2)
        assert "20 calls held for screener" in await journal(machine)
    assert result.balance.lost == []
    assert result.balance.let_through == 20


async def test_with_a_credential_too_the_unit_frees_calls(lab: Lab, machine: Machine) -> None:
    shipped = (REPO / "config" / UNIT).read_text().splitlines()
    kept = [line for line in shipped if not line.startswith("ExecStopPost=")]
    uncommented = [line.removeprefix("#") if line.startswith(("#Load", "#Exec")) else line for line in kept]
    await install_unit(machine, "\n".join(uncommented))
    async with storm(lab.root, screened=False) as opened:
        await install(machine, opened, password_file=None)
        await machine.run("chmod", "600", PASSWORD)
        await machine.run("chown", "root:root", PASSWORD)
        await start(machine)
        await machine.run("systemctl", "reload", UNIT)
        await send(machine, signal.SIGKILL)
        await until_restarted(machine, 1)
        assert "0 calls held for screener" in await journal(machine)


async def test_a_second_unit_that_takes_over_keeps_the_calls(lab: Lab, machine: Machine) -> None:
    second = "screener-new.service"
    await install_unit(machine, (REPO / "config" / UNIT).read_text(), second)
    async with installed(lab, machine) as opened:
        await start(machine)

        async def take_over(_storm: Storm) -> None:
            await machine.run("systemctl", "start", second)

        async def gone() -> bool:
            return await machine.show(UNIT, "ActiveState") == "inactive"

        result = await opened.weather(take_over, calls=160, rate=40)
        await until(machine, gone)
        assert await machine.show(UNIT, "Result") == "success"
        assert "another screener has taken over" in await journal(machine)
        assert await machine.show(second, "ActiveState") == "active"
        assert await machine.show(second, "NRestarts") == "0"
    assert result.balance.lost == []
    assert result.sipp.failed == 0


async def test_a_daemon_that_hangs_is_restarted_by_the_watchdog(lab: Lab, machine: Machine) -> None:
    async with installed(lab, machine):
        await start(machine)
        await send(machine, signal.SIGSTOP)
        await until_restarted(machine, 1)
        assert "Watchdog timeout" in await journal(machine)


async def test_reload_says_what_is_wrong_and_keeps_the_policy(lab: Lab, machine: Machine) -> None:
    async with installed(lab, machine):
        await start(machine)
        right = machine.path(CONFIG).read_text()
        machine.path(CONFIG).write_text(right.replace("capacity", "capcity"))
        with pytest.raises(LabError, match="Job for screener"):
            await machine.run("systemctl", "reload", UNIT)
        assert "did you mean capacity?" in await journal(machine)
        machine.path(CONFIG).write_text(right.replace("capacity: 3", "capacity: 5"))
        pid = await main_pid(machine)
        await machine.run("systemctl", "reload", UNIT)
        assert await main_pid(machine) == pid
        assert "is in force (it was" in await journal(machine)


async def test_its_sandbox_is_as_tight_as_it_can_be(machine: Machine) -> None:
    """The unit works in it, as the other tests show; 1.5 is what we promise, times ten."""
    await machine.run("systemd-analyze", "security", "--offline=true", "--threshold=15", f"/etc/systemd/system/{UNIT}")
