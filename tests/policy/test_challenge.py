"""A challenge asks for keys that nobody can guess, and tells its answer to nobody."""

import itertools
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.challenge import Below, Challenge, ChallengeKind, draw, draw_keys, seal, seal_keys
from tests.policy.builders import brief


def drawing(numbers: Iterable[int]) -> Below:
    """Return a source that draws these numbers, in this order."""
    left = iter(numbers)

    def below(limit: int) -> int:
        number = next(left)
        assert 0 <= number < limit
        return number

    return below


def test_the_digits_that_are_heard_are_the_keys_to_press() -> None:
    assert draw(ChallengeKind.DIGITS, 3, drawing([4, 0, 9])) == Challenge(spoken=("4", "0", "9"), answer="409")


@pytest.mark.parametrize(
    ("drawn", "spoken", "answer"),
    [([0, 0], ("1", "plus", "1"), "2"), ([8, 8], ("9", "plus", "9"), "18"), ([2, 6], ("3", "plus", "7"), "10")],
)
def test_a_sum_is_of_two_digits_and_never_with_a_zero(drawn: list[int], spoken: tuple[str, ...], answer: str) -> None:
    assert draw(ChallengeKind.SUM, 2, drawing(drawn)) == Challenge(spoken=spoken, answer=answer)


@given(st.sampled_from(ChallengeKind), st.integers(1, 5), st.randoms(use_true_random=False))
@brief
def test_every_challenge_can_be_spoken_and_its_answer_be_pressed(
    kind: ChallengeKind, digits: int, chance: random.Random
) -> None:
    challenge = draw(kind, digits, chance.randrange)

    assert challenge.answer.isascii()
    assert challenge.answer.isdigit()
    if kind is ChallengeKind.SUM:
        left, plus, right = challenge.spoken
        assert (plus, int(left) + int(right)) == ("plus", int(challenge.answer))
    else:
        assert "".join(challenge.spoken) == challenge.answer
        assert len(challenge.answer) == digits


def test_each_answer_of_two_digits_is_as_likely_as_any_other() -> None:
    drawn = itertools.product(range(10), repeat=2)
    answers = Counter(draw(ChallengeKind.DIGITS, 2, drawing(numbers)).answer for numbers in drawn)

    assert answers == Counter(f"{number:02}" for number in range(100))


def test_each_order_of_a_menu_s_keys_is_as_likely_as_any_other() -> None:
    drawn = itertools.product(range(9), range(8), range(7))
    menus = Counter(draw_keys(3, drawing(numbers)) for numbers in drawn)

    assert menus == Counter(itertools.permutations("123456789", 3))


@given(st.integers(1, 9), st.randoms(use_true_random=False))
@brief
def test_no_two_options_of_a_menu_share_a_key(count: int, chance: random.Random) -> None:
    keys = draw_keys(count, chance.randrange)

    assert len(set(keys)) == count
    assert set(keys) <= set("123456789")


@pytest.mark.parametrize(
    ("answer", "salt", "hashed"),
    [
        ("42", "", "92cfceb39d57d914ed8b14d0e37643de0797ae56"),
        ("42", "1700000000.1:", "aaf27eb55d6f7e34ea2e0c243380898918e0bb44"),
        ("", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ],
)
def test_the_seal_is_the_sha1_of_salt_and_answer_as_asterisk_computes_it(answer: str, salt: str, hashed: str) -> None:
    assert seal(answer, salt) == hashed


def test_a_code_is_sealed_key_by_key_and_no_step_can_be_undone_without_the_salt() -> None:
    once = seal("4", "a salt")
    assert seal_keys("4", "a salt") == once
    assert seal_keys("48", "a salt") == seal(once + "8", "a salt")
    assert seal_keys("48", "another") != seal_keys("48", "a salt")
    assert seal_keys("", "a salt") == ""
