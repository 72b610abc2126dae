"""Bad rows are told by their number, counted and skipped, and cost no row beside them."""

import io
import re
from pathlib import Path

import pytest

from screener.replay.faults import SHOWN, Faults
from screener.replay.lines import LONGEST_LINE, Lines
from tests.replay.rows import book_of, row, written


def lines_of(text: bytes) -> tuple[list[str], Faults]:
    faults = Faults()
    with Lines(io.BytesIO(text), "f", faults) as lines:
        return list(lines), faults


def test_a_name_may_hold_a_line_feed() -> None:
    found, faults = lines_of(b'"a","two\nlines"\n"b"\n')
    assert found == ['"a","two\nlines"\n', '"b"\n']
    assert faults.count == 0


def test_a_quotation_that_does_not_end_costs_one_row() -> None:
    good = b'"a","b"\n' * 20
    found, faults = lines_of(b'"open,1\n' + good)
    assert found == ['"a","b"\n'] * 20
    assert faults.shown == ["f:1: a quotation does not end"]


def test_rows_after_a_bad_one_keep_their_numbers() -> None:
    _, faults = lines_of(b'"open\n"a"\n"b"\n"c\0"\n\n"d \xff"\n')
    assert faults.shown == ["f:1: a quotation does not end", "f:4: holds a NUL", "f:6: is not UTF-8"]


def test_a_line_without_end_is_skipped_in_bounded_pieces() -> None:
    found, faults = lines_of(b"x" * (5 * LONGEST_LINE) + b"\nb\n")
    assert found == ["b\n"]
    assert faults.shown == [f"f:1: longer than {LONGEST_LINE} characters"]


def test_carriage_returns_and_a_byte_order_mark_do_no_harm() -> None:
    found, faults = lines_of('\ufeff"a"\r\n"b\rc"\r\n'.encode())
    assert found == ['"a"\r\n', '"b\rc"\r\n']
    assert faults.count == 0


def test_only_so_many_faults_are_told_in_words() -> None:
    _, faults = lines_of(b"\0\n" * (SHOWN + 5))
    assert (faults.count, len(faults.shown), faults.untold) == (SHOWN + 5, SHOWN, 5)


def changed(place: int, value: str, disposition: str = "") -> list[str]:
    bad = row(50, disposition=disposition)
    bad[place] = value
    return bad


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row(50)[:12], "12 columns are not those of a call"),
        ([*row(50), "", "one more"], "23 columns are not those of a call"),
        (changed(9, "2025-13-01 00:00:00"), "month must be in 1..12"),
        (changed(9, "2025-02-30 10:00:00"), "day"),
        (changed(9, "1970-01-01 00:00:00"), "no date of a call: '1970-01-01 00:00:00'"),
        (changed(9, ""), "no date: ''"),
        (changed(12, "-5"), "duration is no number of seconds of a call: '-5'"),
        (changed(13, "many", disposition="ANSWERED"), "billsec is no number of seconds of a call: 'many'"),
        (changed(12, "nan"), "duration is no number of seconds of a call: 'nan'"),
        (changed(12, "99999999999"), "duration is no number of seconds"),
    ],
)
def test_a_row_that_cannot_be_right_is_told_counted_and_skipped(tmp_path: Path, bad: list[str], said: str) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(written([row(0), row(10, talked=5), bad, row(100)]))
    book, faults = book_of(path)
    assert len(book) == 3
    assert faults.count == 1
    place, _, message = faults.shown[0].partition(":3: ")
    assert place == str(path)
    assert re.search(said, message), message
