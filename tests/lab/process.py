"""Runs programs inside the lab's root, in namespaces of their own: nothing stays mounted, and all dies with us."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.lab.places import LabError

# `exec` keeps the process id: the child of unshare is the program itself, the first of its pid namespace. The tree is
# mounted read-only, so that whatever an instance writes is in its own directory.
_ENTER: Final = """
set -e
ROOT=$(realpath "$ROOT")
mount --bind "$ROOT" "$ROOT"
mount --bind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
mkdir -p "$ROOT/lab"
mount --bind "$INSTANCE" "$ROOT/lab"
mount -o remount,bind,ro "$ROOT"
exec chroot "$ROOT" "$@"
"""

STOP_SECONDS: Final = 20.0

INSIDE: Final = "/lab"
"""Where a program in the root sees its instance's directory."""


class Caged:
    """One program in the root, with its instance directory on /lab."""

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self.name = name

    @property
    def pid(self) -> int:
        """The program's own process id, as the host sees it."""
        children = children_of(self.process.pid)
        if not children:
            raise LabError(f"{self.name} is not running any more.")
        return children[0]

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.process.returncode is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself; SIGSTOP returns when it has stopped."""
        os.kill(self.pid, number)
        if number is signal.SIGSTOP:
            until_stopped(self.pid)

    async def run(self, *argv: str) -> str:
        """Run a second program beside the first, and return what it printed."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--root", "--wd"]
        process = await asyncio.create_subprocess_exec(
            *dying_with_us(enter), *argv, stdin=DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=STDOUT
        )
        printed, _ = await process.communicate()
        return printed.decode(errors="replace")

    async def end(self, grace: float = 5.0) -> None:
        """Ask the program to end, and kill it after `grace` seconds."""
        if self.running:
            try:
                self.signal(signal.SIGCONT)  # it may have been stopped by a test
                self.signal(signal.SIGTERM)
                async with asyncio.timeout(grace):
                    await self.process.wait()
            except (TimeoutError, LabError, OSError):
                # The death of unshare kills the program, and with it everything in its pid namespace.
                self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """Kill the program and all it started, at once."""
        if self.running:
            with suppress(ProcessLookupError):
                # Not Popen's kill(), which may reap the process before asyncio does.
                os.kill(self.process.pid, signal.SIGKILL)


async def cage(
    root: Path,
    instance: Path,
    argv: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    *,
    own_pids: bool = True,
) -> Caged:
    """Start `argv` inside `root` with `instance` mounted on /lab; what it prints goes to the file `output`.

    Without `own_pids` the program has a process id that no other has, and must not leave processes behind.
    """
    namespaces = ["--mount", "--pid"] if own_pids else ["--mount"]
    inherited = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb", "HOME": "/tmp"}
    with output.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *dying_with_us(["unshare", *namespaces, "--fork", "--kill-child"]),
            "sh",
            "-c",
            _ENTER,
            "sh",
            *argv,
            stdin=DEVNULL,
            stdout=sink,
            stderr=STDOUT,
            cwd="/",
            start_new_session=True,  # the terminal's Ctrl-C is for us alone, who then end it in order
            env={**inherited, **environment, "ROOT": str(root), "INSTANCE": str(instance)},
        )
    return Caged(process, argv[0])


def until_stopped(pid: int) -> None:
    """Wait until all threads of a process that was sent SIGSTOP have stopped: on a busy machine some may go on a while.

    Raises LabError if they do not, within the seconds that even a very busy one needs.
    """
    ends = time.monotonic() + STOP_SECONDS
    while any(_state(task) not in "TtZX" for task in Path(f"/proc/{pid}/task").iterdir()):
        if time.monotonic() > ends:
            raise LabError(f"process {pid} does not stop.")


def _state(task: Path) -> str:
    """Return the state of a thread: proc_pid_stat(5), field 3; X if it is gone."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def children_of(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def dying_with_us(command: Sequence[str]) -> list[str]:
    """Have `command` killed when the thread that starts it ends, a SIGKILL to this process included."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]
