"""What is written comes back as it was, a bad disk costs entries and never a call, and the file stays bounded."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from screener.memory import journal as journal_module
from screener.memory.history import rebuild
from screener.memory.journal import Ended, Journal, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.memory.pepper import pepper
from screener.memory.reader import JournalReader, Recorded
from screener.memory.rows import Told
from screener.memory.settings import JournalSettings
from screener.policy.decide import unjudged
from screener.policy.remembered import Notice, Outcome, Result, Window, WindowKind
from screener.policy.verdict import Reason, Treatment
from tests.policy.builders import ANOTHER_CALLER, CALLER, make_call, make_policy

CAPTCHA_PASSED = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED, tries=2)
NOW = time.time()


def settings_at(path: Path, **changed: float) -> JournalSettings:
    return JournalSettings.model_validate({"path": path, **changed})


def memory() -> LocalMemory:
    return LocalMemory(seed=1, callers=1024)


def judged(id_: str, *, raw: str = CALLER, at: float = NOW, name: str = "") -> Judged:
    policy = make_policy()
    call = replace(
        make_call(raw),
        id=id_,
        name=name,
        trunk="carrier",
        language="de",
        diversion="+4412345",
        signer="x",
        identity="y",
    )
    verdict = judge(memory(), call, policy, at)
    return Judged(call=call, verdict=verdict, at=at, took=0.002, policy_version=policy.version)


def until(condition: Callable[[], bool]) -> None:
    """Wait for the writer's thread, which tells nobody when it has written."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_what_is_recorded_is_read_as_it_was(tmp_path: Path) -> None:
    told = judged("1.1", name="Ann")
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(told)
        journal.outcome("1.1", CAPTCHA_PASSED, NOW + 1)
        ended = Ended(at=NOW + 9, cause=16, cause_text="Normal Clearing", seconds=9.5, talked=7.5, busy=True)
        journal.ended("1.1", ended)
    with JournalReader(tmp_path / "j.sqlite") as reader:
        (read,) = reader.calls()
        assert (read.call, read.verdict, read.at, read.took, read.policy_version) == (
            told.call, told.verdict, NOW, 0.002, told.policy_version,
        )  # fmt: skip
        assert read.outcomes == (CAPTCHA_PASSED,)
        assert (read.ended_at, read.cause, read.cause_text, read.seconds) == (NOW + 9, 16, "Normal Clearing", 9.5)
        assert (read.talked, read.busy) == (7.5, True)
        assert reader.outcomes() == [(1, Told(call=told.call, outcome=CAPTCHA_PASSED, at=NOW + 1))]
        assert reader.last_rows() == (1, 1)


def test_a_reason_in_shadow_is_one_when_it_is_read(tmp_path: Path) -> None:
    told = judged("1.1")
    reasons = (Reason(code="a", points=1, text="live"), Reason(code="b", points=2, text="shadow", shadow=True))
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(replace(told, verdict=replace(told.verdict, reasons=reasons)))
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert reader.calls()[0].verdict.reasons == reasons


def test_notices_are_read_newest_last(tmp_path: Path) -> None:
    notices = [Notice(code="surge-began", about=f"{number}", text="so many", at=NOW + number) for number in range(3)]
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        for notice in notices:
            journal.notice(notice, notice.at)
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert reader.notices() == notices
        assert reader.notices(limit=2) == notices[1:]


def test_no_table_grows_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT", 10)
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path, rows=1000)) as journal:
        journal.dialled("+12015550199", NOW - 3651 * 86_400)
        for number in range(1010):
            journal.dialled(f"+1201555{number:04}", NOW)
        for number in range(15):
            journal.mark(CALLER, wanted=True, at=NOW, note=f"{number}")
            journal.opened(Window(kind=WindowKind.PAUSE, until=NOW), NOW)
            journal.notice(Notice(code="x", about="y", text="z", at=NOW), NOW)
    with Journal(settings_at(path, rows=1000)):
        pass  # the first thing that a journal does is to prune
    with closing(sqlite3.connect(path)) as database:
        tables = ("dialled", "marks", "windows", "notices")
        kept = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    assert kept == [1000, 10, 10, 10]


@pytest.mark.parametrize(
    "hostile", ["'; DROP TABLE calls; --", "\x1b[2J\x00\r\n", "=cmd|' /C calc'!A0", "<b>", "\u202e"]
)
def test_hostile_text_is_only_text(tmp_path: Path, hostile: str) -> None:
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(judged("1.1", raw=hostile, name=hostile))
    with JournalReader(tmp_path / "j.sqlite") as reader:
        (read,) = reader.calls()
    assert read.call.name == hostile  # the edge that reads events has made it printable long before


def test_calls_of_one_caller_and_calls_after_a_row(tmp_path: Path) -> None:
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        for number, raw in enumerate((CALLER, ANOTHER_CALLER, CALLER)):
            journal.judged(judged(f"1.{number}", raw=raw, at=NOW + number))
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert [one.call.id for one in reader.calls()] == ["1.0", "1.1", "1.2"]
        assert [one.call.id for one in reader.calls(limit=2)] == ["1.1", "1.2"]
        assert [one.call.id for one in reader.calls(caller=make_call(CALLER).caller.key)] == ["1.0", "1.2"]
        assert [one.call.id for one in reader.calls(after_row=2)] == ["1.2"]


def test_replay_tells_calls_and_outcomes_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(judged("1.2", at=NOW + 20))
        journal.judged(judged("1.1", at=NOW + 10))
        journal.outcome("1.1", CAPTCHA_PASSED, NOW + 15)
    with JournalReader(tmp_path / "j.sqlite") as reader:
        happened = list(reader.replay())
        assert [type(one) for one in happened] == [Recorded, Told, Recorded]
        assert [round(one.at - NOW) for one in happened] == [10, 15, 20]
        assert [round(one.at - NOW) for one in reader.replay(since=NOW + 12, told_since=NOW + 12, until=NOW + 18)] == [
            15
        ]
        assert list(reader.replay(caller="nobody")) == []


def test_a_memory_that_is_rebuilt_judges_as_the_one_that_was_lost(tmp_path: Path) -> None:
    policy, lost, begun = make_policy(bucket={"capacity": 2, "refill_per_hour": 1}), memory(), 1_000_000.0
    with Journal(settings_at(tmp_path / "j.sqlite", days=3650)) as journal:
        for number, raw in enumerate((CALLER, CALLER, CALLER, ANOTHER_CALLER)):
            call = replace(make_call(raw), id=f"1.{number}")
            at = time.time() - 100 + number
            verdict = judge(lost, call, policy, at)
            journal.judged(Judged(call=call, verdict=verdict, at=at, took=0, policy_version=""))
        lost.learn(call, CAPTCHA_PASSED, policy, at + 1)
        journal.outcome(call.id, CAPTCHA_PASSED, at + 1)
    again = memory()
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert rebuild(again, reader.history(), policy) == 5
    assert begun < at
    for raw in (CALLER, ANOTHER_CALLER):
        assert judge(again, make_call(raw), policy, at + 5) == judge(lost, make_call(raw), policy, at + 5)


@pytest.mark.parametrize(("code", "tokens"), [("overloaded", 2), ("error", 2), ("late", 1)])
def test_a_call_that_took_no_token_takes_none_when_a_memory_is_rebuilt(tmp_path: Path, code: str, tokens: int) -> None:
    policy = make_policy(bucket={"capacity": 2, "refill_per_hour": 1})
    verdict = unjudged(code, "not judged")
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(Judged(call=make_call(), verdict=verdict, at=NOW, took=0, policy_version=""))
    again = memory()
    with JournalReader(tmp_path / "j.sqlite") as reader:
        rebuild(again, reader.history(), policy)
    taken = [again.observe(make_call(), policy, NOW).rate.admitted for _ in range(3)]
    assert taken.count(True) == tokens


@pytest.mark.parametrize("there", [None, b"", b"short"])
def test_the_pepper_is_made_where_there_is_none_to_be_used(tmp_path: Path, there: bytes | None) -> None:
    if there is not None:
        (tmp_path / "pepper").write_bytes(there)
    made = pepper(tmp_path / "j.sqlite")
    assert len(made) == 32
    assert pepper(tmp_path / "j.sqlite") == made
    assert (tmp_path / "pepper").stat().st_mode & 0o777 == 0o600


def test_a_reader_sees_what_is_written_while_the_daemon_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("1.1"))
        until(lambda: journal.behind == 0)
        with JournalReader(path) as reader:
            assert len(reader.calls()) == 1
            journal.judged(judged("1.2"))
            until(lambda: journal.behind == 0)
            assert len(reader.calls()) == 2


def test_calls_beyond_the_age_and_the_number_are_deleted_with_their_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path, days=1, rows=1000)) as journal:
        journal.judged(judged("old", at=NOW - 90_000))
        journal.outcome("old", CAPTCHA_PASSED, NOW - 90_000)
        for number in range(1005):
            journal.judged(judged(f"new.{number}", at=NOW - 60))
        until(lambda: journal.behind == 0)
    with Journal(settings_at(path, days=1, rows=1000)):
        pass  # the first thing that a journal does is to prune
    with JournalReader(path) as reader:
        kept = [one.call.id for one in reader.calls(limit=10_000)]
        assert kept == [f"new.{number}" for number in range(5, 1005)]
        assert reader.outcomes() == []


def test_who_records_never_waits_and_what_does_not_fit_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "QUEUED", 10)
    journal = Journal(settings_at(tmp_path / "j.sqlite"))  # never started: a disk that never answers
    for number in range(25):
        journal.judged(judged(f"1.{number}"))
    assert (journal.dropped, journal.behind) == (15, 10)
    journal.start()
    journal.close()
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert [one.call.id for one in reader.calls()] == [f"1.{number}" for number in range(15, 25)]


def test_a_disk_that_refuses_for_long_costs_entries_and_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "QUEUED", 10)
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(journal_module, "LOCKED_SECONDS", 0.001)
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("0.0"))
        until(lambda: journal.behind == 0)
        holder = sqlite3.connect(path)
        holder.execute("BEGIN EXCLUSIVE")
        for number in range(100):
            journal.judged(judged(f"1.{number}"))
            until(lambda: len(journal._waiting) < 10 or len(journal._unwritten) == 10)
        assert journal.behind == 20
        assert journal.dropped == 80
        holder.rollback()
        holder.close()


def test_a_damaged_file_that_cannot_be_moved_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.001)
    refused = threading.Event()

    def refuse(_path: Path, _to: Path) -> Path:
        refused.set()
        raise PermissionError("not yours")

    monkeypatch.setattr(Path, "rename", refuse)
    path = tmp_path / "j.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with Journal(settings_at(path)) as journal:
        assert refused.wait(20)
        monkeypatch.undo()
        journal.judged(judged("1.1"))
        until(lambda: journal.behind == 0)


def test_a_damaged_file_is_kept_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("1.1"))
        until(lambda: journal.behind == 0)
    (aside,) = tmp_path.glob("j.sqlite.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")
    with JournalReader(path) as reader:
        assert [one.call.id for one in reader.calls()] == ["1.1"]


def test_a_file_of_a_later_screener_is_kept_aside_and_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("1.1"))
        until(lambda: journal.behind == 0)
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 7")
    later.close()
    with pytest.raises(sqlite3.DatabaseError, match="a later screener wrote it"):
        JournalReader(path)
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("1.2"))
        until(lambda: journal.behind == 0)
    assert len(list(tmp_path.glob("j.sqlite.damaged-*"))) == 1
    with JournalReader(path) as reader:
        assert [one.call.id for one in reader.calls()] == ["1.2"]


def test_an_entry_that_cannot_be_written_does_not_keep_the_next_from_it(tmp_path: Path) -> None:
    with Journal(settings_at(tmp_path / "j.sqlite")) as journal:
        journal.judged(judged("1.1", name="a lone surrogate \ud800"))
        journal.ended("1.1", Ended(at=NOW, cause=1 << 70, cause_text="", seconds=0))
        journal.judged(judged("1.2"))
    assert journal.dropped == 2
    with JournalReader(tmp_path / "j.sqlite") as reader:
        assert [one.call.id for one in reader.calls()] == ["1.2"]


def test_entries_wait_while_another_process_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "LOCKED_SECONDS", 0.01)
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.01)
    path = tmp_path / "j.sqlite"
    with Journal(settings_at(path)) as journal:
        journal.judged(judged("1.1"))
        until(lambda: journal.behind == 0)
        holder = sqlite3.connect(path)
        holder.execute("BEGIN EXCLUSIVE")
        journal.judged(judged("1.2"))
        until(lambda: journal._unwritten != [])
        holder.rollback()
        holder.close()
        until(lambda: journal.behind == 0)
    with JournalReader(path) as reader:
        assert [one.call.id for one in reader.calls()] == ["1.1", "1.2"]


def test_a_directory_that_cannot_be_made_costs_the_journal_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Journal(settings_at(tmp_path / "file" / "j.sqlite")) as journal:
        journal.judged(judged("1.1"))
    assert journal.behind == 1


def test_the_file_is_for_its_owner_and_group(tmp_path: Path) -> None:
    with Journal(settings_at(tmp_path / "deep" / "j.sqlite")):
        pass
    assert (tmp_path / "deep" / "j.sqlite").stat().st_mode & 0o007 == 0


def test_a_reader_of_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        JournalReader(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []
