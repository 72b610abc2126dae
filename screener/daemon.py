"""The daemon: puts the parts together, runs them, and takes them down in the right order."""

import asyncio
import logging
import os
import secrets
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Final

from screener.asterisk.connection import AriConnection
from screener.asterisk.gate import Clocks, Gate
from screener.asterisk.prompts import PLAIN, Prompts, conceal
from screener.config import Config, ConfigError, ari_password, load
from screener.memory.journal import Journal
from screener.memory.local import LocalMemory
from screener.memory.pepper import pepper
from screener.memory.reader import JournalReader, rebuild
from screener.policy.policy import Policy, compile_policy

log = logging.getLogger(__name__)

OK: Final = 0
WRONG_CONFIG: Final = 2
FINISH_SECONDS: Final = 2.0
"""Seconds that calls being judged get at the end; the dialplan's lease is shorter."""
LOG_FORMAT: Final = "%(levelname)s %(name)s: %(message)s"


def run(config_path: Path) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    try:
        config = load(config_path)
        password = ari_password(config.asterisk, os.environ, config_path)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_CONFIG
    # journald adds the time, and sees a line as one event: messages hold no line breaks of strangers.
    logging.basicConfig(level=config.log.level.upper(), format=LOG_FORMAT, stream=sys.stderr)
    asyncio.run(_serve(config, password.get_secret_value()))
    return OK


async def _serve(config: Config, password: str) -> None:
    """Start the parts, wait for the signal to stop, and stop them: no new calls, then the journal."""
    policy = compile_policy(config.policy)
    # The memory's clock starts as the wall clock, to take what the journal tells, and never steps after that.
    behind = time.time() - time.monotonic()
    clocks = Clocks(steady=lambda: time.monotonic() + behind, wall=time.time)
    memory = LocalMemory(seed=secrets.randbits(64), callers=config.memory.callers)
    _remember(memory, config, policy, clocks)
    journal = Journal(config.journal)
    journal.start()
    asterisk = AriConnection(config.asterisk, password)
    gate = Gate(
        asterisk,
        application=config.asterisk.application,
        memory=memory,
        record=journal,
        policy=lambda: policy,
        clocks=clocks,
        pepper=pepper(config.journal.path),
        prompts=_prompts(config),
    )
    try:
        await _until_stopped(asterisk, gate)
    finally:
        await gate.tasks.finish(FINISH_SECONDS)
        journal.close()


async def _until_stopped(asterisk: AriConnection, gate: Gate) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with asyncio.TaskGroup() as group:
        connection = group.create_task(asterisk.run(gate))
        connection.add_done_callback(lambda _task: stopped.set())
        await stopped.wait()
        connection.cancel()


def _remember(memory: LocalMemory, config: Config, policy: Policy, clocks: Clocks) -> None:
    """Put the memory into the state that the journal tells of: a restart gives nobody a fresh bucket."""
    path, now = config.journal.path, clocks.wall()
    if not path.exists():
        return
    try:
        with JournalReader(path) as journal:
            horizon = max(policy.bucket.fills_in_seconds, policy.settings.trust.days * 86_400)
            count = rebuild(memory, journal.replay(since=now - horizon, until=now), policy)
    except (sqlite3.Error, ValueError) as error:
        log.warning("all callers are strangers: the journal %s cannot be read (%s)", path, error)
    else:
        log.info("remembered %d calls and outcomes from %s", count, path)


def _prompts(config: Config) -> Prompts:
    """Return the sounds to speak digits with; without a directory for copies, Asterisk's own."""
    settings = config.prompts
    if settings.directory is None:
        return PLAIN
    try:
        return conceal(settings.sounds, settings.directory, settings.directory_in_asterisk or settings.directory)
    except OSError as error:
        log.warning("the digits of captchas will stand in Asterisk's logs: no copies of its sounds (%s)", error)
        return PLAIN
