"""The CSV of verdicts is for programs, and harms no spreadsheet."""

import csv
import io

import pytest

from screener.replay.verdicts import HEADER, Verdicts, cell


def test_the_header_is_what_programs_rely_on() -> None:
    file = io.StringIO()
    Verdicts(file)
    assert file.getvalue() == "start,src,dst,treatment,score,reasons\n" == ",".join(HEADER) + "\n"


@pytest.mark.parametrize(
    "number", ["+12125550133", "2125550133", "*72", "", "+1 (212) 555-0133", "-1", "anonymous", "s"]
)
def test_a_number_stays_as_it_is(number: str) -> None:
    assert cell(number) == number


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1+cmd|x", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "+HYPERLINK(1)", "=1"]
)
def test_a_formula_is_none_any_more(text: str) -> None:
    assert cell(text)[0] not in "=+-@\t\r"
    assert next(csv.reader([cell(text)]))[0][0] not in "=+-@\t\r"


def test_a_strangers_text_is_bounded_and_printable() -> None:
    assert len(cell("x" * 5000)) == 80
    assert cell("a\x1b[2Jb\nc") == "a\ufffd[2Jb\ufffdc"
