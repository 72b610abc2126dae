"""What a command writes, a daemon sees once."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from screener.memory.history import Marked
from screener.memory.journal import Journal
from screener.memory.settings import JournalSettings
from screener.memory.wishes import Closed, Opened, Wishes, close_window, mark, open_window
from screener.policy.remembered import Window, WindowKind
from tests.policy.builders import CALLER, DID

NOW = 1e9
PAUSE = Window(kind=WindowKind.PAUSE, until=NOW + 600)
EXPECTING = Window(kind=WindowKind.EXPECTING, until=NOW + 600, did=DID)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal(JournalSettings(path=tmp_path / "j.sqlite")):
        pass
    return tmp_path / "j.sqlite"


def say(path: Path, at: float, *, wanted: bool = True) -> None:
    mark(path, CALLER, wanted=wanted, at=at, note="", author="")


def test_what_was_there_before_is_known_and_what_comes_is_seen_once(path: Path) -> None:
    open_window(path, PAUSE, NOW - 10)
    say(path, NOW - 10)
    wishes = Wishes(path, NOW)
    assert wishes.look(NOW) == []
    open_window(path, EXPECTING, NOW + 1)
    say(path, NOW + 1, wanted=False)
    assert wishes.look(NOW + 2) == [Marked(number=CALLER, wanted=False, at=NOW + 1), Opened(window=EXPECTING)]
    assert wishes.look(NOW + 3) == []
    assert close_window(path, WindowKind.PAUSE, None, NOW + 4)
    assert not close_window(path, WindowKind.PAUSE, None, NOW + 4)
    assert wishes.look(NOW + 5) == [Closed(kind=WindowKind.PAUSE, did=None)]
    wishes.close()


def test_what_was_asked_before_the_first_look_is_not_lost(path: Path) -> None:
    """Between the moment in which memory was told the journal and the first look."""
    wishes = Wishes(path, NOW)
    open_window(path, PAUSE, NOW + 1)
    say(path, NOW + 1)
    assert wishes.look(NOW + 2) == [Marked(number=CALLER, wanted=True, at=NOW + 1), Opened(window=PAUSE)]


def test_a_window_that_is_opened_anew_has_its_new_end(path: Path) -> None:
    wishes = Wishes(path, NOW)
    open_window(path, PAUSE, NOW)
    wishes.look(NOW)
    later = Window(kind=WindowKind.PAUSE, until=NOW + 6000)
    open_window(path, later, NOW + 1)
    assert wishes.look(NOW + 2) == [Opened(window=later)]
    assert close_window(path, WindowKind.PAUSE, None, NOW + 3)
    assert wishes.look(NOW + 4) == [Closed(kind=WindowKind.PAUSE, did=None)]


def test_a_window_that_ended_by_itself_is_nobodys_wish(path: Path) -> None:
    open_window(path, PAUSE, NOW - 10)
    wishes = Wishes(path, NOW)
    wishes.look(NOW)
    say(path, NOW + 1)
    assert wishes.look(NOW + 700) == [Marked(number=CALLER, wanted=True, at=NOW + 1)]
    assert not close_window(path, WindowKind.PAUSE, None, NOW + 700)


def test_a_clock_that_stepped_back_hides_no_window(path: Path) -> None:
    wishes = Wishes(path, NOW)
    wishes.look(NOW)
    open_window(path, PAUSE, NOW + 60)
    assert wishes.look(NOW + 1) == [Opened(window=PAUSE)]


def test_a_look_that_fails_half_way_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = Wishes(path, NOW)
    wishes.look(NOW)
    say(path, NOW + 1)

    def fail(*_: object) -> dict[tuple[str, str | None], float]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("screener.memory.wishes._open_windows", fail)
    with pytest.raises(sqlite3.OperationalError):
        wishes.look(NOW + 1)
    monkeypatch.undo()
    assert wishes.look(NOW + 1) == [Marked(number=CALLER, wanted=True, at=NOW + 1)]


def renew(path: Path) -> None:
    """Put a new journal in the place of a damaged one."""
    path.rename(path.with_name("aside"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    with Journal(JournalSettings(path=path)):
        pass


def test_a_journal_that_was_damaged_is_another_file(path: Path) -> None:
    wishes = Wishes(path, NOW)
    say(path, NOW + 1)
    assert len(wishes.look(NOW + 1)) == 1
    renew(path)
    assert wishes.look(NOW + 2) == []
    say(path, NOW + 3)
    assert wishes.look(NOW + 4) == [Marked(number=CALLER, wanted=True, at=NOW + 3)]


@pytest.mark.parametrize(
    ("damage", "error"),
    [(lambda path: path.unlink(), OSError), (lambda path: path.write_bytes(b"x" * 4096), sqlite3.Error)],
)
def test_a_file_that_cannot_be_read_is_told_and_read_when_it_can_be(
    path: Path, damage: Callable[[Path], None], error: type[Exception]
) -> None:
    wishes = Wishes(path, NOW)
    aside = path.read_bytes()
    damage(path)
    with pytest.raises(error):
        wishes.look(NOW)
    path.write_bytes(aside)
    say(path, NOW + 1)
    assert wishes.look(NOW + 2) == [Marked(number=CALLER, wanted=True, at=NOW + 1)]
