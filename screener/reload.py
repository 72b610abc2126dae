"""The policy in force, and how another comes in its place: whole, between two calls, or not at all."""

import asyncio
import contextlib
import dataclasses
import logging
import os
from pathlib import Path

from screener.config import Config, ConfigError, load
from screener.feeds.keeper import FeedKeeper
from screener.policy.policy import Policy, compile_policy
from screener.state import State, present, state_path

log = logging.getLogger(__name__)


class PolicyInForce:
    """Holds the policy; `serve` reloads it whenever it was asked to."""

    def __init__(self, file: Path, config: Config, policy: Policy, feeds: FeedKeeper) -> None:
        self._file = file
        self._config = config
        self._policy = policy
        self._feeds = feeds
        self._bare = self._whole = policy
        self._asked = asyncio.Event()
        self._reloads = 0

    def policy(self) -> Policy:
        """Return the policy in force, with what its feeds hold now."""
        # Another thread may put another policy in its place at any moment; each is taken in one piece.
        policy, feeds = self._policy, self._feeds.feeds
        if self._bare is not policy or self._whole.feeds is not feeds:
            self._bare, self._whole = policy, dataclasses.replace(policy, feeds=feeds)
        return self._whole

    def ask(self) -> None:
        """Reload soon; several wishes in a row may be met by one reload."""
        self._asked.set()

    async def serve(self) -> None:
        """Say where we are, and reload when asked, until cancelled."""
        with contextlib.ExitStack() as held:
            path = state_path(self._config.journal.path)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(present(path))
            except OSError as error:
                log.warning("`screener reload` will not find this daemon: %s", error)
            self._tell("")
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self.reload()

    async def reload(self) -> None:
        """Take over what the file says now, if nothing is wrong with it."""
        # In a thread: a list of 100,000 numbers takes seconds to read.
        error = await asyncio.to_thread(self._reload)
        await self._feeds.follow(self._policy.settings)
        self._reloads += 1
        self._tell(error)

    def _reload(self) -> str:
        """Take over what the file says. Returns what is wrong with it, empty if nothing."""
        try:
            config = load(self._file)
        except ConfigError as error:
            for line in str(error).splitlines():
                log.error("reload refused, the old policy stays in force: %s", line)
            return str(error)
        except Exception as error:  # the daemon stays, whatever a file does to the reader
            log.exception("reload failed, the old policy stays in force")
            return f"{self._file}: {error}"
        policy = compile_policy(config.policy)
        log.info("policy %s is in force (it was %s)", policy.version, self._policy.version)
        self._policy = policy
        for name in Config.model_fields:
            if name != "policy" and getattr(config, name) != getattr(self._config, name):
                log.warning("the section %r has changed too: that needs a restart", name)
        return ""

    def _tell(self, error: str) -> None:
        path = state_path(self._config.journal.path)
        state = State(pid=os.getpid(), policy=self._policy.version, reloads=self._reloads, error=error)
        try:
            state.write(path)
        except OSError as error_:
            log.warning("`screener reload` will not find this daemon: %s", error_)
