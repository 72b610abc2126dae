"""The small tables of the memory: what they keep, and what they forget."""

import pytest

from screener.memory.bounded import Bounded
from screener.memory.seen import Seen, SeenTable
from screener.memory.standing import DAY, Standing
from screener.policy.remembered import History


def test_a_bounded_table_forgets_who_was_written_longest_ago() -> None:
    table: Bounded[str, int] = Bounded(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        table.keep(key, value)

    assert list(table) == ["a", "c"]
    assert (table.get("a"), table.get("b"), "c" in table, len(table)) == (3, None, True, 2)
    assert table.oldest() == ("a", 3)
    assert (table.pop("a"), table.pop("a"), table.pop("c"), table.oldest()) == (3, None, 4, None)


def test_a_caller_is_remembered_by_its_first_and_its_last_call() -> None:
    table = SeenTable(16)

    assert table.touch(7, 100.9) is None
    assert table.touch(7, 200.0) == Seen(100, 100)
    assert table.touch(7, 300.0) == Seen(100, 200)
    assert table.touch(8, 300.0) is None


@pytest.mark.parametrize("now", [0.0, -5.0])
def test_the_clock_may_begin_at_zero(now: float) -> None:
    table = SeenTable(4)
    table.touch(7, now)

    assert table.touch(7, now) == Seen(0, 0)


def test_a_full_set_forgets_who_called_longest_ago() -> None:
    table = SeenTable(4)
    for key in range(1, 5):
        table.touch(key, key * 10)
    table.touch(1, 50)
    table.touch(99, 60)

    assert table.touch(1, 70) == Seen(10, 50)
    assert table.touch(3, 70) == Seen(30, 30)
    assert table.touch(2, 70) is None


def test_what_is_remembered_of_a_caller_fades_to_half_in_its_half_life() -> None:
    standing = Standing(at=0, calls=8, talked=4, spam=2)
    standing.fade(30 * DAY, 30)
    assert standing.history() == History(calls=4, talked=2, spam=1)

    standing.fade(20 * DAY, 30)  # a clock that steps back brings nothing back
    assert standing.history() == History(calls=4, talked=2, spam=1)
