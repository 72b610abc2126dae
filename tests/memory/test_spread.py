"""Where strangers go over our DIDs."""

from screener.memory.spread import BETWEEN, Spread
from screener.policy.remembered import Reached
from screener.policy.signal_settings import SweepSettings

SETTINGS = SweepSettings()
BLOCK = "+12015550"


def did(number: int) -> str:
    return f"+1415555{number:04}"


def test_one_caller_s_numbers_are_counted_once_each_and_for_an_hour() -> None:
    spread = Spread()
    came = [
        spread.reach("a", "", did(number), now, SETTINGS).dids for number, now in ((1, 0), (5, 10), (1, 20), (9, 30))
    ]

    assert came == [1, 2, 2, 3]
    assert spread.reach("a", "", did(7), 3625, SETTINGS).dids == 2
    assert spread.reach("b", "", did(7), 3625, SETTINGS).dids == 1


def test_numbers_that_follow_one_another_are_in_order_up_or_down() -> None:
    spread = Spread()
    up = [spread.reach("a", "", did(number), 0, SETTINGS).in_order for number in (3, 4, 4, 5, 9, 10)]
    down = [spread.reach("b", "", did(number), 0, SETTINGS).in_order for number in (30, 29, 28)]

    assert up == [1, 2, 2, 3, 1, 2]
    assert down == [1, 2, 3]


def test_a_block_s_callers_are_followed_together() -> None:
    spread = Spread()
    came = [spread.reach(f"caller {number}", BLOCK, did(number * 10), 0, SETTINGS) for number in range(1, 5)]

    assert [reached.block_dids for reached in came] == [1, 2, 3, 4]
    assert {reached.dids for reached in came} == {1}


def test_a_run_is_followed_whoever_calls_and_though_others_call_between() -> None:
    spread = Spread()
    runs = []
    for number in range(1, 9):
        spread.reach(f"other {number}", "", did(5000 + 7 * number), 0, SETTINGS)
        runs.append(spread.reach(f"caller {number}", "", did(number), 0, SETTINGS).run)

    assert runs == list(range(1, 9))


def test_a_second_call_to_the_same_number_does_not_break_a_run() -> None:
    spread = Spread()
    runs = [spread.reach(str(at), "", did(number), 0, SETTINGS).run for at, number in enumerate((1, 2, 3, 3, 4))]

    assert runs == [1, 2, 3, 3, 4]


def test_a_run_ends_where_too_many_others_call_between() -> None:
    spread = Spread()
    for number in (1, 2, 3):
        spread.reach("", "", did(number), 0, SETTINGS)
    for number in range(BETWEEN):
        spread.reach("", "", did(9000 - 3 * number), 0, SETTINGS)

    assert spread.reach("", "", did(4), 0, SETTINGS).run == 1


def test_extensions_that_are_no_number_have_no_neighbours() -> None:
    spread = Spread()

    assert [spread.reach("a", "", name, 0, SETTINGS) for name in ("sales", "s", "sales")] == [
        Reached(dids=1),
        Reached(dids=2),
        Reached(dids=2),
    ]


def test_where_somebody_talked_with_the_caller_is_no_stop_of_a_sweep() -> None:
    spread = Spread()
    for number in (1, 5):
        spread.reach("a", "", did(number), 0, SETTINGS)
    spread.heard("a", did(1))
    spread.heard("a caller who never called", did(1))

    assert spread.reach("a", "", did(9), 10, SETTINGS).dids == 2
