"""The shipped unit under a real systemd: ready, watched, reloaded, restarted, and in its sandbox."""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import yaml

from tests.chaos.faults import Fault, nothing
from tests.chaos.storm import Storm, storm
from tests.chaos.unit import (
    CONFIG,
    PASSWORD,
    UNIT,
    install,
    install_unit,
    installed,
    journal,
    main_pid,
    ready_machine,
    send,
    start,
    until,
    until_restarted,
)
from tests.feeds.source import serving
from tests.lab.lab import Lab
from tests.lab.places import REPO, LabError
from tests.lab.systemd import Machine

pytestmark = pytest.mark.pbx


@pytest_asyncio.fixture(loop_scope="session")
async def machine() -> AsyncIterator[Machine]:
    async with ready_machine() as booted:
        yield booted


async def test_started_means_that_asterisk_hands_over_its_calls(lab: Lab, machine: Machine) -> None:
    async with installed(lab.root, machine) as opened:
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


async def test_feeds_are_fetched_and_read_in_the_sandbox_of_the_unit(lab: Lab, machine: Machine) -> None:
    async with installed(lab.root, machine) as opened, serving() as source:
        source.body = b"+12013450160\n"
        sections = yaml.safe_load(machine.path(CONFIG).read_text())
        sections["policy"]["feeds"] = [
            {"name": "fetched", "url": source.url, "list": "block"},
            {"name": "barred", "url": "http://192.0.2.1/list", "list": "block"},
            {"name": "read", "file": "/etc/screener/list.txt", "list": "allow"},
        ]
        machine.path(CONFIG).write_text(yaml.safe_dump(sections))
        machine.path("/etc/screener/list.txt").write_text("+12013450161\n")
        await start(machine)

        async def taken_over() -> bool:
            said = await journal(machine)
            barred = "let it out?" in said
            return barred and all(f"feed {name}: 1 number" in said for name in ("fetched", "read"))

        await until(machine, taken_over)
        shown = await machine.run("screener", "feeds")
        assert opened.pbx.ari_password not in shown
    assert [line.split()[:3] for line in shown.splitlines()] == [
        ["fetched", "block", "1"],
        ["barred", "block", "nothing"],
        ["read", "allow", "1"],
    ]


async def test_started_waits_for_an_asterisk_that_is_away(lab: Lab, machine: Machine) -> None:
    async with installed(lab.root, machine) as opened:
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

    async with installed(lab.root, machine) as opened:
        await start(machine)
        result = await opened.weather(Fault(says="kill -9 under systemd", strike=kill).go_on, calls=400, rate=40)
    assert kills >= 2
    assert result.balance.lost == []
    assert result.sipp.failed == 0


async def test_calls_that_it_held_when_it_was_killed_are_freed_by_the_unit(lab: Lab, machine: Machine) -> None:
    async with installed(lab.root, machine, SCREENER_LEASE="60") as opened:
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
    async with installed(lab.root, machine) as opened:
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
    async with installed(lab.root, machine):
        await start(machine)
        await send(machine, signal.SIGSTOP)
        await until_restarted(machine, 1)
        assert "Watchdog timeout" in await journal(machine)


async def test_reload_says_what_is_wrong_and_keeps_the_policy(lab: Lab, machine: Machine) -> None:
    async with installed(lab.root, machine):
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
