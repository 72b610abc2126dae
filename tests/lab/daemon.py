"""The product as it runs: `screener run` as a process of its own, with a configuration file and a journal."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import yaml

from screener.memory.reader import JournalReader
from tests.lab.pbx import Pbx
from tests.lab.places import REPO, LabError, run_directory
from tests.lab.process import INSIDE, until_stopped

DIALPLAN: Final = REPO / "dialplan" / "screener.conf"
"""What is shipped."""
START_SECONDS: Final = 20.0
BOX: Final = "900@default"
"""The lab's quarantine mailbox."""

ALONE: Final[Mapping[str, Any]] = {
    name: {"mode": "off"} for name in ("neighbourhood", "sweep", "surge", "rhythm", "group")
}
"""Signals under which each caller is judged alone: a test's callers come in seconds, from one block, to one PBX."""
POLICY: Final[Mapping[str, Any]] = {
    "mode": "live",
    "region": "US",
    "voicemail": {"mailbox": BOX, "options": "s"},
    "signals": ALONE,
}
"""A policy that acts; tests add what they are about."""


NOT_RUNNING: Final = "the daemon is not running."
PROGRAM: Final = ("-m", "screener")
"""What Python runs."""


class Daemon:
    """A screener beside a PBX."""

    begins = "connected to Asterisk"
    """What it says when calls may come."""

    def __init__(
        self,
        pbx: Pbx,
        policy: Mapping[str, Any],
        *,
        asterisk: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
        name: str = "screener",
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """`policy` and `asterisk` are sections of the configuration; what they leave out is as shipped. `more` are
        further sections.

        `program` is what Python runs, for tests of what is not as shipped.
        """
        self.policy = {**POLICY, **policy}
        self.asterisk = {"url": f"http://127.0.0.1:{pbx.ports.http}", "user": pbx.ari_user, **(asterisk or {})}
        self.more = more or {}
        self.program = program
        self.pbx = pbx
        self.directory = run_directory(name)
        self.config = self.directory / "screener.yaml"
        self.journal = self.directory / "journal.sqlite"
        self.log: list[str] = []
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start, and return when it is connected."""
        prompts = {
            "directory": str(self.pbx.directory / "prompts"),
            "directory_in_asterisk": f"{INSIDE}/prompts",
            "sounds": str(self.pbx.root / "usr/share/asterisk/sounds"),
        }
        sections = {
            "policy": self.policy,
            "asterisk": self.asterisk,
            "journal": {"path": str(self.journal)},
            "prompts": prompts,
            **self.more,
        }
        self.config.write_text(yaml.safe_dump(sections, sort_keys=False))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self.program, "run", "--config", str(self.config),
            stderr=PIPE,
            cwd=REPO,
            env=self.environment,
        )  # fmt: skip
        before = len(self.log)
        self._reading = asyncio.Task(self._read(self._process))
        await self.logged(self.begins, after=before)

    async def logged(self, text: str, *, timeout: float = START_SECONDS, after: int = 0) -> str:
        """Wait for a line of its log, number `after` or later, that holds `text`, and return it."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._news.clear()
                    for line in self.log[after:]:
                        if text in line and f"not {text}" not in line:
                            return line
                    await self._news.wait()
        except TimeoutError:
            said = "\n".join(self.log[-20:])
            raise LabError(f"the daemon did not say {text!r} within {timeout:g} s, but:\n{said}") from None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of its commands."""
        return {**os.environ, "SCREENER_ARI_PASSWORD": self.pbx.ari_password}

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise LabError(NOT_RUNNING)
        return self._process.pid

    def kill(self) -> None:
        """Kill it as the kernel would for want of memory."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is None:
            raise LabError(NOT_RUNNING)
        self._process.send_signal(number)
        if number is signal.SIGSTOP and self.running:
            until_stopped(self.pid)

    def another(self, name: str) -> "Daemon":
        """Return a second daemon with the same configuration, as an upgrade starts it."""
        other = Daemon(self.pbx, self.policy, asterisk=self.asterisk, more=self.more, name=name, program=self.program)
        other.journal = self.journal
        return other

    async def ended(self) -> None:
        """Wait until it ends by itself."""
        if self._process is not None:
            async with asyncio.timeout(START_SECONDS):
                await self._process.wait()

    async def stop(self) -> int:
        """End it in order, and return its exit status."""
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            async with asyncio.timeout(15):
                status = await process.wait()
        except TimeoutError:
            process.kill()
            status = await process.wait()
        if self._reading is not None:
            await self._reading
        self._process = None
        return status

    def recorded(self) -> JournalReader:
        """Open its journal."""
        return JournalReader(self.journal)

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.log.append(line.decode(errors="replace").rstrip("\n"))
            self._news.set()
