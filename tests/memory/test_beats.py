"""The latest calls of each stranger."""

from screener.memory.beats import DAY, FORGIVEN, KEPT, Beats
from screener.policy.remembered import Beat


def test_of_two_calls_there_is_nothing_to_tell() -> None:
    beats = Beats()

    assert [beats.start("a", now) for now in (0.0, 60.0, 120.0)] == [None, None, Beat(distances=(60.0, 60.0))]
    assert beats.start("b", 120.0) is None
    assert (beats.count("a"), beats.count("nobody")) == (3, 0)


def test_the_latest_calls_are_kept_with_how_long_they_lasted() -> None:
    beats = Beats()
    for number in range(20):
        beats.start("a", number * 10.0)
        beats.end("a", float(number))

    assert beats.start("a", 200.0) == Beat(distances=(10.0,) * (KEPT - 1), lasted=tuple(map(float, range(12, 20))))


def test_a_hang_up_in_a_prompt_is_told_at_the_next_call() -> None:
    beats = Beats()
    beats.start("a", 0.0)
    beats.hang_up("a")

    assert beats.start("a", 5.0) == Beat(distances=(5.0,), hang_ups=1)


def test_who_finds_us_busy_is_forgiven_some_calls_and_no_more() -> None:
    beats = Beats()
    beats.start("a", 0.0)

    assert [beats.busy("a", 0.0) for _ in range(FORGIVEN + 1)] == [True] * FORGIVEN + [False]
    assert beats.busy("a", DAY) is True


def test_of_a_caller_who_is_not_kept_nothing_is_learned() -> None:
    beats = Beats()
    beats.end("a", 1.0)
    beats.hang_up("a")

    assert beats.busy("a", 0.0) is False
    assert beats.start("a", 0.0) is None
