"""From the text of a feed to its numbers: lines, tables, and what is neither."""

import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.feeds import reading
from screener.feeds.errors import FeedError
from screener.feeds.reading import Format, read_feed
from screener.policy.caller import e164
from tests.policy.builders import thorough


def read(
    tmp_path: Path, text: str | bytes, *, form: Format = "auto", column: str | None = None, region: str = "US"
) -> reading.Reading:
    file = tmp_path / "feed"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_feed(file, form=form, column=column, region=region)


def written(found: reading.Reading) -> list[str]:
    return [*(f"+{number}" for number in found.numbers), *(f"{prefix}*" for prefix in found.prefixes)]


def test_lines_hold_a_number_each_in_any_spelling_with_comments(tmp_path: Path) -> None:
    text = "# from a friend\n\n(201) 555-0199\r\n+1 201 555 0123  # twice\n  2015550123\n+41446681800\n+1900*\nhello\n"
    found = read(tmp_path, text)

    assert written(found) == ["+12015550123", "+12015550199", "+41446681800", "+1900*"]
    assert (found.unreadable, found.example) == (1, "line 8 is no number: 'hello'")
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("name,phone\nAnn,2015550123\nBob,\n", None),
        ("Name;Mobile;Phone Number\nAnn;;2015550123\n", None),
        ("name\tmobile\tphone\nAnn\t2015550123\t2015550199\n", "Mobile"),
        (
            'Company_Phone_Number,Created_Date,Subject\n2015550123,2026-01-02,"Reducing, your debt"\n,2026-01-02,x\n',
            None,
        ),
        ("# made by hand\n2015550123,a\n", None),
        ("a,(201) 555-0123\n", None),
        ('\ufeff"phone","name"\n"201-555-0123","A ""B"" C"\n', None),
        ("phone\n2015550123\n", "phone"),
        ("phone,x\r\n2015550123,\r\n", None),
    ],
)
def test_tables_have_a_column_of_numbers_which_is_found_or_named(tmp_path: Path, text: str, column: str | None) -> None:
    found = read(tmp_path, text, column=column)

    assert written(found) == ["+12015550123"]
    assert found.unreadable == 0


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("<!DOCTYPE html><html>", None, r"a page \(HTML or XML\) and no list"),
        ("\n\n <?xml version='1.0'?>", None, r"a page \(HTML or XML\) and no list"),
        ('{"numbers": ["+12015550123"]}', None, "JSON and no list"),
        ("\x00\x01\x02", None, "no text in UTF-8"),
        ("a,b\n1,2\n", None, "no column is called like one of numbers: set `column` to one of a, b"),
        ("phone,name\n", "phoen", "there is no column 'phoen' among phone, name; did you mean phone"),
        ('phone,x\n"' + "2" * 200_000, None, "not a table: field larger than field limit"),
    ],
)
def test_what_is_no_list_is_refused_and_named(tmp_path: Path, text: str, column: str | None, said: str) -> None:
    with pytest.raises(FeedError, match=said):
        read(tmp_path, text, column=column)


def test_what_has_no_end_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for endless in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(FeedError, match="no regular file"):
            read_feed(endless, form="auto", column=None, region="US")
    monkeypatch.setattr(reading, "LARGEST_FEED", 1 << 20)
    with pytest.raises(FeedError, match="longer than 1 MB"):
        read(tmp_path, "+12015550123\n" * 100_000)


def test_an_empty_text_is_an_empty_list(tmp_path: Path) -> None:
    for text in ("", "\n# nothing yet\n", "phone,name\n"):
        found = read(tmp_path, text)
        assert (written(found), found.unreadable) == ([], 0)


def test_a_feed_of_too_many_numbers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_NUMBERS", 10)
    text = "".join(f"+1201555{place:04}\n" for place in range(10))
    assert len(read(tmp_path, text)) == 10
    with pytest.raises(FeedError, match="more than 10 numbers"):
        read(tmp_path, text + "+12015559999\n")


def test_what_a_message_quotes_cannot_move_the_cursor(tmp_path: Path) -> None:
    assert "\x1b" not in read(tmp_path, "\x1b[2J" * 100).example
    with pytest.raises(FeedError) as caught:
        read(tmp_path, "\x1b[2J,b\n")
    assert "\x1b" not in str(caught.value)


SPELLINGS = st.one_of(
    st.from_regex(r"\A(\+1|1|\+|001|011)?[0-9]{9,11}\Z"),
    st.from_regex(r"\A(\+1|1)?[2-9][0-9]{9}\Z"),
    st.from_regex(r"\A(\+1|1)?[ -.(]*[2-9][0-9]{2}[)]?[ -.]*[2-9][0-9]{2}[ -.]*[0-9]{4}\Z"),
    st.text("0123456789+ -()", max_size=18),
)


@given(SPELLINGS, st.sampled_from(["US", "CA", "GB", "CH", "JM"]))
@thorough
def test_the_short_way_to_read_a_number_reads_what_the_numbering_plans_do(text: str, region: str) -> None:
    number = e164(text.strip(), region)

    assert reading._number(text.strip(), region) == (None if number is None else int(number[1:]))


@given(st.binary(max_size=300) | st.text('0123456789+,;\n"#*\x00\x85\u2028', max_size=200).map(str.encode))
@thorough
def test_no_bytes_raise_anything_but_that_they_are_no_feed(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any-feed"
    file.write_bytes(text)
    try:
        found = read_feed(file, form="auto", column=None, region="US")
    except FeedError:
        return
    assert found.numbers == array("Q", sorted(set(found.numbers)))
