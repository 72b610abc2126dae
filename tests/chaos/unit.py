"""The shipped unit under a real systemd, with calls: what its tests and `make chaos` share."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from tests.chaos.faults import nothing
from tests.chaos.storm import POLICY, Result, Storm, storm, together
from tests.lab.daemon import POLICY as COMMON
from tests.lab.places import REPO, LabError
from tests.lab.systemd import Machine, ensure_machine

UNIT = "screener.service"
CONFIG = "/etc/screener/screener.yaml"
PASSWORD = "/etc/screener/ari-password"
PATIENCE_SECONDS = 40.0


@asynccontextmanager
async def ready_machine() -> AsyncIterator[Machine]:
    """Boot a Debian on which the unit is installed."""
    async with Machine(ensure_machine(print)) as booted:
        await booted.run("useradd", "--system", "--home-dir", "/var/lib/screener", "screener")
        await install_unit(booted, (REPO / "config" / UNIT).read_text())
        yield booted


async def install_unit(machine: Machine, unit: str, name: str = UNIT) -> None:
    """Install a unit."""
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
async def installed(root: Path, machine: Machine, **settings: str) -> AsyncIterator[Storm]:
    """Start a PBX, and do on the machine what the README says; `settings` are [globals] of the dialplan."""
    async with storm(root, screened=False, variables=settings) as opened:
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
    """Start the unit, which ends when it is ready."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await machine.run("systemctl", "start", UNIT)
    except (TimeoutError, LabError):
        raise LabError(f"the unit does not start:\n{await journal(machine)}") from None


async def journal(machine: Machine) -> str:
    """Return what the unit wrote."""
    return await machine.run("journalctl", "-u", UNIT, "--no-pager", "--output=cat")


async def main_pid(machine: Machine) -> str:
    """Return the daemon's process id, as the machine sees it."""
    return await machine.show(UNIT, "MainPID")


async def send(machine: Machine, number: signal.Signals) -> None:
    """Send the daemon a signal."""
    await machine.run("systemctl", "kill", f"--signal={number.name}", "--kill-whom=main", UNIT)


async def struck(root: Path, number: signal.Signals, *, times: int, rate: float, **settings: str) -> Result:
    """Send the daemon a signal so many times, each once systemd has it running again, with calls all the while."""
    async with ready_machine() as machine, installed(root, machine, **settings) as opened:
        await start(machine)

        async def strike() -> None:
            for count in range(1, times + 1):
                await send(machine, number)
                await until_restarted(machine, count)

        results, striking = [], asyncio.Task(strike())
        while not striking.done():
            results.append(await opened.weather(nothing, calls=round(rate * 10), rate=rate))
        await striking
    return together(results)
