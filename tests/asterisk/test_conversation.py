"""What Dial() tells becomes how long somebody talked. The orders are those that a real Asterisk was seen to send."""

from collections.abc import Sequence

import pytest

from screener.asterisk.conversation import Conversation
from screener.policy.remembered import Ending

Told = Sequence[tuple[float, str]]


def ending(told: Told, *, at: float = 100.0, busy: bool = False) -> Ending:
    """How a call that came at 0 ended at `at`, of which Dial() told this."""
    conversation = Conversation()
    for now, status in told:
        conversation.dialled(status, now)
    return conversation.ending(at, seconds=at, busy=busy)


@pytest.mark.parametrize(
    ("told", "talked"),
    [
        ([], 0),
        ([(1, ""), (2, "RINGING"), (5, "ANSWER")], 95),
        ([(1, ""), (1, ""), (2, "RINGING"), (2, "RINGING"), (5, "CANCEL"), (5, "ANSWER")], 95),  # two phones at once
        ([(1, ""), (2, "RINGING"), (5, "ANSWER"), (30, "ANSWER")], 95),
        ([(1, ""), (5, "ANSWER"), (20, ""), (21, "RINGING"), (25, "ANSWER")], 15 + 75),  # one after the other
        ([(1, ""), (5, "ANSWER"), (20, ""), (21, "RINGING")], 15),
        ([(1, ""), (5, "RINGING"), (20, "CANCEL")], 0),
        ([(1, ""), (5, "TORTURE")], 0),
    ],
)
def test_somebody_talked_from_an_answer_until_the_end_or_until_somebody_else_is_dialled(
    told: Told, talked: float
) -> None:
    assert ending(told) == Ending(talked=talked, seconds=100.0)


@pytest.mark.parametrize(
    ("told", "busy"),
    [
        ([(1, ""), (1, "BUSY")], True),
        ([(1, ""), (1, ""), (1, "BUSY"), (2, "RINGING"), (20, "NOANSWER")], True),  # one busy, one not at the desk
        ([(1, ""), (1, "CONGESTION")], True),
        ([(1, ""), (1, "NOANSWER")], True),  # never rang: a phone that cannot be reached, or Queue() and a busy one
        ([(1, ""), (1, "RINGING"), (20, "NOANSWER")], False),  # nobody at the desk
        ([(1, ""), (1, "RINGING"), (20, "CANCEL")], False),  # the caller gave up
        ([(1, ""), (1, "BUSY"), (2, ""), (3, "RINGING"), (5, "ANSWER")], False),  # another one took it
        ([], False),
    ],
)
def test_our_people_were_busy_if_a_leg_said_so_and_nobody_took_the_call(told: Told, busy: bool) -> None:
    assert ending(told).busy is busy


def test_a_dialplan_that_says_busy_means_it_unless_somebody_had_answered() -> None:
    assert ending([], busy=True).busy
    assert not ending([(1, ""), (5, "ANSWER")], busy=True).busy


def test_who_is_transferred_without_being_asked_talks_with_nobody_until_somebody_answers() -> None:
    conversation = Conversation()
    conversation.dialled("ANSWER", 10)
    conversation.part(30)
    conversation.part(40)
    conversation.dialled("", 40)
    conversation.dialled("ANSWER", 50)
    conversation.meet(55)
    assert conversation.ending(60, seconds=60).talked == 20 + 10


def test_a_clock_that_was_read_in_another_order_takes_nothing_away() -> None:
    conversation = Conversation()
    conversation.meet(50)
    assert conversation.ending(40, seconds=40) == Ending(talked=0, seconds=40)
