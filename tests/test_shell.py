"""The parts around the gate: what systemd hears, what is logged, and how a policy is reloaded."""

import asyncio
import contextlib
import io
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from screener import logs
from screener.asterisk.load import TICK_SECONDS, Load
from screener.asterisk.settings import OverloadSettings
from screener.config import load
from screener.feeds.keeper import FeedKeeper, feeds_directory
from screener.logs import logging_to
from screener.notify import ALIVE, READY, Notifier
from screener.policy.policy import compile_policy
from screener.reload import PolicyInForce
from screener.state import State, present, state_path

# ------------------------------------------------------------------------------------------------------------- systemd


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_what_it_is_told(tmp_path: Path, abstract: bool) -> None:
    name = f"@screener-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0"))
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "5000000"})
        notifier.tell(READY, ALIVE)
        notifier.status("fine")
        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1\nWATCHDOG=1", b"STATUS=fine"]
        assert notifier.watchdog_seconds == 5


def test_only_a_leading_at_sign_means_an_abstract_socket(tmp_path: Path) -> None:
    (tmp_path / "user@1000").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "user@1000" / "notify"))
        Notifier({"NOTIFY_SOCKET": systemd.getsockname()}).tell(READY)
        assert systemd.recv(100) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "x"}])
def test_without_systemd_nothing_is_told_and_nothing_fails(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    notifier.tell(READY)
    assert notifier.watchdog_seconds is None


# ------------------------------------------------------------------------------------------------------------- logging


class Stuck(io.StringIO):
    """A terminal that nobody reads until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(20)
        return super().write(text)


def test_more_lines_than_the_limit_are_dropped_and_counted() -> None:
    stream, log = io.StringIO(), logging.getLogger("flood")
    with logging_to(stream, rate=10):
        for number in range(1000):
            log.info("line %d", number)
        log.warning("this matters")
    lines = stream.getvalue().splitlines()
    assert len(lines) <= 2 * 10 + 1  # a second may have passed
    assert lines[-1].startswith("WARNING flood: this matters [")
    assert lines[-1].endswith("lines before this one were dropped]")


def test_who_logs_never_waits_for_who_reads() -> None:
    stream, log = Stuck(), logging.getLogger("stuck")
    with logging_to(stream, rate=100_000):
        for number in range(5000):  # more than the queue holds
            log.info("line %d", number)
        stream.go.set()
    assert "line 0" in stream.getvalue()


def test_who_ends_does_not_wait_for_who_reads_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LAST_WORDS_SECONDS", 0.01)
    stream = Stuck()
    with logging_to(stream):
        logging.getLogger("stuck").info("a line that the writer has taken and cannot write")
    assert stream.getvalue() == ""
    stream.go.set()


def test_a_stream_that_is_broken_costs_lines_and_nothing_else() -> None:
    stream = Path("/dev/full").open("w")  # noqa: SIM115 - closed below, with what closing it says
    with logging_to(stream):
        logging.getLogger("full").info("x" * 100_000)
    with contextlib.suppress(OSError):
        stream.close()


# ------------------------------------------------------------------------------------------------------------ overload


async def test_a_loop_that_is_blocked_is_seen_to_lag() -> None:
    times, measured = [0.0, 5.0 + TICK_SECONDS], asyncio.Event()

    def clock() -> float:
        if not times:
            measured.set()
            return 0.0
        return times.pop(0)

    capacity = Load(OverloadSettings(), clock)
    watching = asyncio.Task(capacity.watch())
    await measured.wait()
    assert capacity.excess(1) == "the screener lags 5.0 seconds behind, the limit is 0.3"
    watching.cancel()


def test_calls_at_once_have_a_limit() -> None:
    capacity = Load(OverloadSettings(), lambda: 0.0)
    assert capacity.excess(200) is None
    assert capacity.excess(201) == "201 calls are being judged at once, the limit is 200"


# -------------------------------------------------------------------------------------------------------------- reload


def write(file: Path, capacity: object) -> None:
    file.write_text(
        f'policy: {{region: "US", bucket: {{capacity: {capacity}}}}}\njournal: {{path: "{file.parent}/j.sqlite"}}\n'
    )


@contextlib.asynccontextmanager
async def in_force(file: Path) -> AsyncIterator[PolicyInForce]:
    config = load(file)
    feeds = FeedKeeper(feeds_directory(config.journal.path))
    feeds.load(config.policy)
    policies = PolicyInForce(file, config, compile_policy(config.policy), feeds)
    with present(state_path(config.journal.path)):
        yield policies


async def reloaded(file: Path, policies: PolicyInForce, reloads: int) -> State:
    await policies.reload()
    state = State.read(state_path(file.parent / "j.sqlite"))
    assert state is not None
    assert state.reloads == reloads
    return state


async def test_a_reload_takes_over_the_policy_whole(tmp_path: Path) -> None:
    file = tmp_path / "screener.yaml"
    write(file, 3)
    async with in_force(file) as policies:
        before = policies.policy()
        write(file, 7)
        state = await reloaded(file, policies, 1)
        assert policies.policy().bucket.capacity == 7
        assert before.bucket.capacity == 3
        assert (state.policy, state.error, state.pid) == (policies.policy().version, "", os.getpid())


async def test_a_reload_with_a_fault_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "screener.yaml"
    write(file, 3)
    async with in_force(file) as policies:
        before = policies.policy()
        for number, wrong in enumerate(("0", "many", "[", "{a: b"), start=1):
            write(file, wrong)
            state = await reloaded(file, policies, number)
            assert policies.policy() is before
            assert state.policy == before.version
            assert state.error.startswith(f"{file}:")
        file.unlink()
        assert "cannot be read" in (await reloaded(file, policies, 5)).error
        assert "reload refused, the old policy stays in force" in caplog.text
        write(file, 4)
        assert (await reloaded(file, policies, 6)).error == ""
        assert policies.policy().bucket.capacity == 4


async def test_other_sections_that_changed_are_said_to_need_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "screener.yaml"
    write(file, 3)
    async with in_force(file) as policies:
        file.write_text(file.read_text() + "memory: {callers: 2048}\n")
        await reloaded(file, policies, 1)
    assert "the section 'memory' has changed too: that needs a restart" in caplog.text


async def test_a_daemon_tells_where_it_is_while_it_is_there(tmp_path: Path) -> None:
    file, path = tmp_path / "screener.yaml", tmp_path / "screener.state"
    write(file, 3)
    config = load(file)
    feeds = FeedKeeper(feeds_directory(config.journal.path))
    feeds.load(config.policy)
    policies = PolicyInForce(file, config, compile_policy(config.policy), feeds)
    for _ in range(2):
        assert State.read(path) is None
        serving = asyncio.Task(policies.serve())
        await asyncio.sleep(0)  # its first step
        assert (state := State.read(path)) is not None
        assert state.pid == os.getpid()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def test_the_state_of_a_daemon_that_is_gone_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "screener.state"
    assert State.read(path) is None
    State(pid=1 << 22, policy="x").write(path)
    assert State.read(path) is None
    # Another process that has got the number since is not to be sent a signal that may end it.
    with present(path):
        State(pid=os.getpid(), policy="x").write(path)
        assert State.read(path) is not None
    assert State.read(path) is None
    with present(path):
        for damaged in ("", "{", "[]", '{"pid": "x"}', '{"other": 1}'):
            path.write_text(damaged)
            assert State.read(path) is None
