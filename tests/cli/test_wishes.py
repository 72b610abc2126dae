"""What people tell a running daemon by commands."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from screener.cli import main
from screener.memory.journal import Journal
from screener.memory.settings import JournalSettings
from tests.cli.test_commands import CONFIG

NOW = time.time()

Run = Callable[..., Result]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def run(path: Path) -> Run:
    file = path.with_name("screener.yaml")
    file.write_text(CONFIG.format(journal=path))
    with Journal(JournalSettings(path=path)):
        pass

    def command(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(file)])

    return command


def lengths(path: Path) -> list[tuple[str, str | None, float]]:
    """The windows that are not closed, with their minutes."""
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT kind, did, round((until - opened_at) / 60, 3) FROM windows WHERE closed_at IS NULL ORDER BY row"
        return database.execute(query).fetchall()


def test_a_window_is_opened_shown_and_closed(run: Run, path: Path) -> None:
    opened = run("window", "open", "expecting", "--for", "2h", "--did", "415 555 0100")
    assert opened.exit_code == 0
    assert opened.output.startswith("expecting for +14155550100: everybody gets in until ")
    run("window", "open", "pause", "--for", "30m")
    assert lengths(path) == [("expecting", "+14155550100", 120), ("pause", None, 30)]
    shown = run("window", "list").output.splitlines()
    assert len(shown) == 2
    assert shown[1].startswith("pause for all numbers: until ")
    listed = [json.loads(line) for line in run("window", "list", "--json").output.splitlines()]
    assert [(one["kind"], one["did"]) for one in listed] == [("expecting", "+14155550100"), ("pause", None)]
    assert run("window", "close", "pause").output == "pause for all numbers: closed\n"
    again = run("window", "close", "pause")
    assert (again.exit_code, again.output) == (1, "pause for all numbers: no such window is open\n")
    assert run("window", "close", "expecting", "--did", "+14155550100").exit_code == 0
    assert run("window", "list").output == "no window is open\n"


def test_a_window_that_is_open_is_replaced(run: Run, path: Path) -> None:
    for span in ("2h", "10m"):
        run("window", "open", "pause", "--for", span)
    assert lengths(path) == [("pause", None, 10)]


@pytest.mark.parametrize("span", ["", "2", "2x", "-1h", "0m", "31d", "1e9h", "\u0661h", "2h\x1b[2J"])
def test_a_stretch_of_time_is_written_as_people_write_it(run: Run, span: str) -> None:
    refused = run("window", "open", "pause", "--for", span)
    assert refused.exit_code == 2
    assert "write 30m, 2h or 1d" in refused.output
    assert "\x1b" not in refused.output


@pytest.mark.parametrize(("option", "wanted"), [("--wanted", 1), ("--spam", 0)])
def test_a_caller_is_marked(run: Run, path: Path, option: str, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    marked = run("mark", "201 555 0123", option, "--note", "a school\x1b[2J" + "x" * 999)
    assert marked.output == f"+12015550123 is marked as {'wanted' if wanted else 'spam'}\n"
    with closing(sqlite3.connect(path)) as database:
        ((number, stored, at, note, author),) = database.execute("SELECT number, wanted, at, note, author FROM marks")
    assert (number, stored, author) == ("+12015550123", wanted, "ann")
    assert abs(at - NOW) < 600
    assert note.startswith("a school")
    assert "\x1b" not in note
    assert len(note) <= 200


def test_who_marks_says_what_and_whom(run: Run) -> None:
    assert "say which: --wanted or --spam" in run("mark", "+12015550123").output
    assert "is no telephone number" in run("mark", "anonymous", "--spam").output


@pytest.mark.parametrize(
    "words", [("window", "open", "pause", "--for", "1h"), ("window", "close", "pause"), ("window", "list"),
              ("mark", "+12015550123", "--spam")],
)  # fmt: skip
def test_without_a_journal_there_is_nobody_to_tell(run: Run, path: Path, words: tuple[str, ...]) -> None:
    path.unlink()
    told = run(*words)
    assert told.exit_code == 1
    assert f"there is no journal at {path}" in told.output
    path.write_bytes(b"this is no database" * 300)
    told = run(*words)
    assert told.exit_code == 1
    assert "file is not a database" in told.output
