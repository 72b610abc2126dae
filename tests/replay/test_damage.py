"""Whatever happens to a file of records, what can be read of it is judged and reported."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.call import Call
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Verdict
from screener.replay.faults import UnreadableError
from screener.replay.player import Player, Side
from screener.replay.record import CallRecord
from screener.replay.report import write_report
from screener.replay.result import Result, Sheet
from screener.replay.tally import Tally
from screener.replay.times import LocalTimes
from screener.replay.verdicts import Verdicts
from tests.policy.builders import brief
from tests.replay.rows import RECORDS, book_of

Damage = list[tuple[int, bytes]]
PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b'"', b'""', b",", b"\n", b"\r", b"\0", b"\xff", b"\xed\xa0\x80", b"=", b"-1", b"9" * 30, b"<svg>"]
    ),
)
damage = st.lists(st.tuples(st.integers(0, 5000), PIECES), min_size=1, max_size=12)


def damaged(name: str, where: Damage) -> bytes:
    content = bytearray((RECORDS / name).read_bytes())
    for place, piece in where:
        at = place % len(content)
        content[at : at + len(piece) // 2] = piece
    return bytes(content)


def judged(path: Path) -> tuple[str, str, str]:
    """What comes out of a file: the CSV of verdicts, the JSON and the report."""
    times = LocalTimes()
    tally, rows, page = Tally(times), io.StringIO(), io.StringIO()
    verdicts = Verdicts(rows)

    def listen(record: CallRecord, calls: Sequence[Call], found: Sequence[Verdict]) -> None:
        tally.add(record, calls[0], found[0])
        verdicts.write(record, found[0])

    book, faults = book_of(path)
    with book:
        side = Side(PolicySettings(region="US"), callers=1024)
        played = Player([side], listen).play(book)
        sheets = [Sheet(name="a policy", version=side.policy.version, tally=tally)]
        result = Result(book=book, faults=faults, times=times, played=played, sheets=sheets, differences=None)
        write_report(page, result)
        return rows.getvalue(), json.dumps(result.summary()), page.getvalue()


@pytest.mark.parametrize("name", ["master-21.csv", "master-16.csv", "custom.csv", "cel-short.csv", "cel-sample.csv"])
@brief
@given(where=damage)
def test_a_damaged_file_is_judged_as_far_as_it_can_be_read(name: str, where: Damage) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "Master.csv"
        path.write_bytes(damaged(name, where))
        try:
            rows, summary, page = judged(path)
        except UnreadableError:
            return
    assert len(rows.splitlines()) - 1 == json.loads(summary)["calls"]
    assert "<script" not in page
    assert "<svg>" not in page.replace("<svg ", "")
    assert not {"\x1b", "\0"} & set(rows + page)


@pytest.mark.parametrize("name", ["cdr.db"])
@brief
@given(where=damage)
def test_a_damaged_database_ends_nothing_but_its_own_reading(name: str, where: Damage) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "cdr.db"
        path.write_bytes(damaged(name, where))
        try:
            judged(path)
        except UnreadableError:
            return
