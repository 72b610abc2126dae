"""A daemon that runs does what people ask by the journal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from screener import obey as obey_module
from screener.asterisk.clocks import Clocks
from screener.asterisk.desk import Desk
from screener.asterisk.load import Load
from screener.asterisk.settings import OverloadSettings
from screener.memory import wishes as wishes_module
from screener.memory.journal import Journal
from screener.memory.local import LocalMemory
from screener.memory.settings import JournalSettings
from screener.memory.wishes import Wishes, close_window, mark, open_window
from screener.obey import obey
from screener.policy.remembered import Window, WindowKind
from tests.asterisk.test_gate import Record
from tests.policy.builders import CALLER, make_policy

NOW = 1e9
PAUSE = Window(kind=WindowKind.PAUSE, until=NOW + 600)


class Doing(Desk):
    """A desk that says what it was asked to do."""

    def __init__(self) -> None:
        policy = make_policy()
        super().__init__(
            memory=LocalMemory(seed=1, callers=1024), record=Record(), policy=lambda: policy,
            clocks=Clocks(steady=lambda: NOW, wall=lambda: NOW), load=Load(OverloadSettings(), lambda: 0.0),
        )  # fmt: skip
        self.done: asyncio.Queue[object] = asyncio.Queue()

    def open_window(self, window: Window) -> None:
        self.done.put_nowait(window)

    def close_window(self, kind: WindowKind, did: str | None) -> None:
        self.done.put_nowait((kind, did))

    def mark(self, number: str, *, wanted: bool) -> None:
        self.done.put_nowait((number, wanted))
        if not wanted:
            raise ValueError("a fault of ours")


@asynccontextmanager
async def obeying(path: Path) -> AsyncIterator[Doing]:
    desk = Doing()
    task = asyncio.Task(obey(Wishes(path, NOW), desk, lambda: NOW + 1))
    yield desk
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obey_module, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(obey_module, "TROUBLE_SECONDS", 0.001)


async def test_windows_and_marks_reach_the_desk_also_after_one_that_failed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j.sqlite"
    async with obeying(path) as desk:  # it is there before the journal
        with Journal(JournalSettings(path=path)):
            pass
        mark(path, CALLER, wanted=False, at=NOW + 1, note="", author="")
        assert await desk.done.get() == (CALLER, False)
        open_window(path, PAUSE, NOW + 1)
        assert await desk.done.get() == PAUSE
        close_window(path, WindowKind.PAUSE, None, NOW + 1)
        assert await desk.done.get() == (WindowKind.PAUSE, None)
    assert "what was asked by the journal could not be done" in caplog.text


async def test_a_journal_that_cannot_be_read_is_told_once_and_read_when_it_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Counting(Wishes):
        tries = 0

        def look(self, now: float) -> list[wishes_module.Wish]:
            self.tries += 1
            if self.tries == 3:
                loop.call_soon_threadsafe(looked.set)
            return super().look(now)

    monkeypatch.setattr("tests.test_obey.Wishes", Counting)
    path = tmp_path / "j.sqlite"
    path.write_bytes(b"this is no database" * 300)
    async with obeying(path) as desk:
        await looked.wait()
        path.unlink()
        with Journal(JournalSettings(path=path)):
            pass
        open_window(path, PAUSE, NOW + 1)
        assert await desk.done.get() == PAUSE
    assert caplog.text.count("what people ask by the journal is not seen: file is not a database") == 1
