"""What a stranger wrote, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.text import printable
from tests.policy.builders import brief


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Ann O'Hara <3", "Ann O'Hara <3"),
        ("Zo\u00eb \u5f20\u4f1f \U0001f600", "Zo\u00eb \u5f20\u4f1f \U0001f600"),
        ("a\x00b", "a\ufffdb"),
        ("a\r\nb", "a\ufffd\ufffdb"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31m", "\ufffd31m"),
        ("\u202eknab", "\ufffdknab"),
        ("a\u200bb", "a\ufffdb"),
        ("a\u2028b\u2029c", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("\ue000", "\ufffd"),
        ("\uffff", "\ufffd"),
        ("a\u00a0b", "a\u00a0b"),
    ],
)
def test_what_could_move_a_cursor_or_turn_a_name_round_is_replaced(text: str, shown: str) -> None:
    assert printable(text, 80) == shown


def test_a_long_name_is_cut() -> None:
    assert printable("abcdef", 3) == "abc"


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 20))
@brief
def test_anything_shown_is_short_and_can_be_written_to_a_log(text: str, limit: int) -> None:
    shown = printable(text, limit)

    assert len(shown) <= limit
    shown.encode()  # no lone surrogate is left
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
