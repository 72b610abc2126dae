"""Each kind of record is told by its content, and the same calls come out of all of them."""

import gzip
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from screener.memory.journal import Ended, Journal, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.memory.settings import JournalSettings
from screener.policy.remembered import Outcome, Result
from screener.policy.verdict import Treatment
from screener.replay.book import Book, Lesson
from screener.replay.compass import Direction
from screener.replay.faults import Faults, UnreadableError
from screener.replay.source import Reading, Source
from screener.replay.times import LocalTimes
from tests.policy.builders import make_call, make_policy
from tests.replay.rows import RECORDS, at, book_of, put, row, written

CALLS = [
    ("+15551234567", "2125550100", "talked"),
    ("2125559876", "2125550102", "talked"),
    ("12125551111", "2125550104", "talked"),
    ("+442079460123", "2125550105", "talked"),
    ("anonymous", "2125550100", "talked"),
    ("2125550777", "2125550101", ""),
    ("=cmd|' /C calc'!A0", "2125550102", "talked"),
    ("2125559876", "2125550102", "busy"),
    ("2125559876", "2125550100", "busy"),
    ("2125558888", "2125550103", ""),
]
"""What was done in the lab: two mailboxes that answered, and two calls that found everybody busy."""
SHORT = ("start", "src", "dst", "duration", "billsec", "disposition", "uniqueid", "linkedid")


def inbound(path: Path | str, **reading: Any) -> list[tuple[str, str, str]]:
    book, faults = book_of(path, **reading)
    assert faults.count == 0
    return [
        (record.src, record.dst, "talked" if record.talked else "busy" if record.busy else "")
        for record, direction in book.calls()
        if direction is Direction.INBOUND
    ]


@pytest.mark.parametrize(
    "name", ["master-16.csv", "master-21.csv", "custom.csv", "cel-short.csv", "cel-sample.csv", "cdr.db"]
)
def test_the_calls_that_asterisk_recorded_are_the_same_in_each_format(name: str) -> None:
    assert inbound(RECORDS / name) == CALLS


@pytest.mark.parametrize("name", ["master-21.csv", "cel-sample.csv", "cdr.db"])
def test_a_compressed_file_is_told_by_its_content(tmp_path: Path, name: str) -> None:
    packed = tmp_path / "records"
    packed.write_bytes(gzip.compress((RECORDS / name).read_bytes()))
    assert inbound(packed) == CALLS


def test_a_file_without_header_is_read_by_columns_that_are_named() -> None:
    # Without the application nobody can tell a mailbox from a person.
    found = inbound(RECORDS / "custom-short.csv", columns=SHORT)
    assert [call[:2] for call in found] == [call[:2] for call in CALLS]
    assert [call[2] for call in found if call[2] == "busy"] == ["busy", "busy"]


def test_columns_may_be_few() -> None:
    book, faults = book_of(RECORDS / "custom-simple.csv", columns=("start", "src", "dst"))
    assert (book.rows, faults.count) == (18, 0)


def test_a_file_without_header_in_an_unknown_order_says_what_to_do() -> None:
    with pytest.raises(UnreadableError, match="name them with --columns"):
        book_of(RECORDS / "custom-short.csv")


def test_a_database_is_named_as_sqlalchemy_does() -> None:
    assert inbound(f"sqlite:///{RECORDS / 'cdr.db'}") == CALLS


def test_channel_events_with_a_header_and_in_another_order(tmp_path: Path) -> None:
    lines = (RECORDS / "cel-short.csv").read_text().splitlines()
    path = tmp_path / "cel.csv"
    head = "EventType,eventtime,CIDNum,Exten,Context,ChanName,AppName,UniqueID,LinkedID,Extra"
    path.write_text("\n".join([head, *lines]))
    assert inbound(path) == CALLS


def test_files_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    later = put(tmp_path / "Master.csv", row(100), row(300))
    earlier = put(tmp_path / "Master.csv.1", row(200, number=7), row(0))
    book, _ = book_of(later, earlier)
    assert [record.written for record, _ in book.calls()] == [at(0), at(100), at(200), at(300)]


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0), row(10))
    book, _ = book_of(path, path)
    assert (book.rows, len(book)) == (4, 2)


def test_our_own_journal_tells_of_calls_and_of_what_treatments_showed(tmp_path: Path) -> None:
    path, policy = tmp_path / "journal.sqlite", make_policy()
    # The journal forgets what is too old.
    begin = float(int(time.time()) - 3600)
    memory, outcome = LocalMemory(seed=0, callers=1024), Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED)
    with Journal(JournalSettings(path=path)) as journal:
        call = make_call()
        verdict = judge(memory, call, policy, begin)
        journal.judged(Judged(call=call, verdict=verdict, at=begin, took=0.01, policy_version=policy.version))
        journal.outcome(call.id, outcome, begin + 5)
        journal.ended(call.id, Ended(at=begin + 60, cause=16, cause_text="Normal Clearing", seconds=60, talked=40))
        journal.dialled("+13125550199", begin + 10)
        journal.mark("+13125550177", wanted=False, at=begin + 20)
    book, faults = book_of(path)
    assert faults.count == 0
    ((record, direction),) = book.calls()
    assert (record.src, record.dst) == (call.caller.raw, call.did)
    assert (record.start, record.ended, record.talked) == (begin, begin + 60, 40)
    assert direction is Direction.INBOUND
    assert list(book.lessons()) == [
        Lesson(begin + 5, call.id, outcome),
        Lesson(begin + 10, number="+13125550199"),
        Lesson(begin + 20, number="+13125550177", wanted=False),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a header"),
        (b"\x1f\x8b nothing", "cannot be read: "),
        (b"SQLite format 3\x00 and nothing", "cannot be read: "),
        (b"this is prose, and no record of calls\n", "neither a header"),
    ],
)
def test_what_holds_no_calls_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=said):
        book_of(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be read: No such file"):
        book_of(tmp_path / "nothing.csv")


def test_of_a_compressed_file_that_was_cut_off_the_beginning_is_kept(tmp_path: Path) -> None:
    whole = gzip.compress(written(row(n) for n in range(20_000)).encode())
    path = tmp_path / "Master.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    source = Source(str(path), Reading(times=LocalTimes(), faults=Faults()))
    with Book() as book:
        with pytest.raises(UnreadableError, match="cannot be read"):
            for _ in book.fill(source.records(book)):
                pass
        assert 0 < len(book) < 20_000


def test_another_database_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "cdr.db"
    shutil.copy(RECORDS / "cdr.db", path)
    with pytest.raises(UnreadableError, match=r"no.* table calls_of_2019"):
        book_of(path, table="calls_of_2019")
