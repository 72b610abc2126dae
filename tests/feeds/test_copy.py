"""The last good copy: read as it was written, or not at all."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.feeds.copy import copy_path, read_copy, write_copy
from screener.feeds.errors import FeedError
from screener.feeds.reading import Reading
from tests.policy.builders import brief


def made(*numbers: int, prefixes: tuple[str, ...] = ()) -> Reading:
    return Reading(numbers=array("Q", numbers), prefixes=prefixes, unreadable=0, example="")


def test_a_copy_holds_what_was_read_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = copy_path(tmp_path, "f")
    write_copy(path, made(12015550123, 41446681800, prefixes=("+1900", "+234")))
    copy = read_copy(path)

    assert [copy.entry(number) for number in ("+12015550123", "+19005550100", "+2341", "+12015550124")] == [
        "+12015550123", "+1900*", "+234*", None,
    ]  # fmt: skip
    assert len(copy) == 4
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_copy_is_one(tmp_path: Path) -> None:
    write_copy(tmp_path / "f", made())
    assert len(read_copy(tmp_path / "f")) == 0


@given(st.integers(0), st.binary(max_size=40))
@brief
def test_a_damaged_copy_is_refused(tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    write_copy(path, made(12015550123, 41446681800, prefixes=("+1900",)))
    right = path.read_bytes()
    at = place % len(right)
    wrong = right[:at] + damage
    if wrong == right:
        return
    path.write_bytes(wrong)

    with pytest.raises(FeedError):
        read_copy(path)


def test_a_copy_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_copy(path, made(12015550123))
    tmp_path.joinpath("full").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_copy(tmp_path / "full", made(1))
    assert len(read_copy(path)) == 1
    assert sorted(found.name for found in tmp_path.iterdir()) == ["f", "full"]
