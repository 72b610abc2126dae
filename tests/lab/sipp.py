"""Many calls, or ill-formed ones: runs SIPp as the callers, and as agents who answer."""

import asyncio
import csv
import itertools
import shutil
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.places import SCENARIOS, LabError, run_directory
from tests.lab.ports import free_ports
from tests.lab.process import INSIDE, Caged, cage

_runs = itertools.count(1)

CALLS_AT_A_TIME: Final = 5_000
"""More than any test makes: SIPp's own limit is three seconds' worth, and then it calls slower without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SippRun:
    """What came of a run."""

    calls: int
    """Calls made."""
    failed: int
    """Calls that did not go as the scenario has it."""
    response_ms: Sequence[float]
    """Milliseconds from each INVITE to its answer, in the order of the answers."""
    errors: str
    """What SIPp wrote about failures."""


async def run_sipp(
    root: Path,
    to: int,
    calls: Iterable[Sequence[str]],
    *,
    rate: float,
    count: int,
    hold: float = 1.0,
    scenario: Path = SCENARIOS / "uac_plain.xml",
    timeout: float = 120.0,
) -> SippRun:
    """Make `count` calls, `rate` a second, to 127.0.0.1:`to` (UDP), and return when the last has ended.

    `calls` are the fields of the scenario, one line for each call, over again when they run out; the shipped ones want
    the caller's number (hostile: the whole of From), what is dialled, and (hostile) a further header line. A field may
    hold anything but semicolons and line ends; bytes that are no UTF-8 are written as surrogates. A call is held for
    `hold` seconds.
    """
    directory = _lay_out(scenario)
    lines = ["SEQUENTIAL", *(";".join(fields) + ";" for fields in calls)]
    (directory / "calls.csv").write_bytes("\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
    argv = [
        *("-inf", "calls.csv", "-r", f"{rate:g}", "-m", f"{count}", "-d", f"{hold * 1000:.0f}"),
        *("-l", f"{CALLS_AT_A_TIME}", "-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-fd", "3600", "-trace_err"),
        *("-deadcall_wait", "0"),
        *("-timeout", f"{timeout:.0f}s", "-recv_timeout", f"{timeout * 1000:.0f}", f"127.0.0.1:{to}"),
    ]
    (port,) = free_ports(socket.SOCK_DGRAM, 1)
    try:
        caged = await _sipp(root, directory, port, argv)
        try:
            async with asyncio.timeout(timeout + 5):
                await caged.process.wait()
        finally:
            await caged.end(grace=0.5)
        return _result(directory, caged.process.returncode or 0)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def sipp_agent(root: Path, port: int, scenario: Path = SCENARIOS / "uas_agent.xml") -> AsyncIterator[Caged]:
    """Answer whatever rings at 127.0.0.1:`port` (UDP); lighter than the world, so that it is not what is measured."""
    directory = _lay_out(scenario)
    caged = await _sipp(root, directory, port, ["-trace_err", "127.0.0.1"])
    try:
        yield caged
    finally:
        await caged.end(grace=0.5)
        shutil.rmtree(directory, ignore_errors=True)


async def _sipp(root: Path, directory: Path, port: int, argv: Sequence[str]) -> Caged:
    """Start SIPp in its directory, where it leaves its files."""
    (media,) = free_ports(socket.SOCK_DGRAM, 1)
    common = ["-sf", "scenario.xml", "-i", "127.0.0.1", "-p", f"{port}", "-mp", f"{media}", "-nostdin", "-nd"]
    shell = ["sh", "-c", f'cd {INSIDE} && exec sipp "$@"', "sipp", *common, *argv]
    # SIPp makes its Call-IDs and branches from its process id: two runs with the same would disturb each other.
    return await cage(root, directory, shell, {}, directory / "out", own_pids=False)


def _lay_out(scenario: Path) -> Path:
    directory = run_directory(f"sipp{next(_runs)}")
    shutil.copy(scenario, directory / "scenario.xml")
    return directory


def _result(directory: Path, status: int) -> SippRun:
    statistics = list(directory.glob("scenario_*_.csv"))
    errors = "".join(path.read_text(errors="replace") for path in directory.glob("scenario_*_errors.log"))
    # 0: all calls went well; 1: one at least did not. All else is SIPp's own failure.
    if status not in (0, 1) or not statistics:
        said = (directory / "out").read_text(errors="replace")[-2000:]
        raise LabError(f"SIPp ended with {status}; it said:\n{said}\n{errors[-2000:]}")
    with statistics[0].open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return SippRun(
        calls=int(last["TotalCallCreated"]),
        failed=int(last["FailedCall(C)"]),
        response_ms=[float(row[1]) for path in directory.glob("scenario_*_rtt.csv") for row in _rows(path)],
        errors=errors,
    )


def _rows(path: Path) -> list[list[str]]:
    """Return the lines of a response time file, without its heading."""
    with path.open(newline="") as file:
        return [row for row in csv.reader(file, delimiter=";") if len(row) > 1 and row[0][:1].isdigit()]
