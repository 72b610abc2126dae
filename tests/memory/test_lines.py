"""DIDs that new customers call, and when more strangers than usual do."""

from screener.memory.lines import DAY, DIDS, ENOUGH, MARGIN, Lines

DID, QUIET = "+14155550100", "+14155550177"


def met(people: int, *, days: float = 5) -> Lines:
    """A DID at which somebody talked with so many strangers over some days."""
    lines = Lines()
    for turn in range(people):
        lines.arrive(DID, turn * days * DAY / people)
        lines.talked(DID, turn * days * DAY / people + 60)
    return lines


def test_a_did_is_frequented_once_somebody_talked_with_strangers_there() -> None:
    assert not met(int(ENOUGH) - 1).arrive(DID, 6 * DAY).frequented
    assert met(int(ENOUGH) + 1).arrive(DID, 6 * DAY).frequented
    assert not met(20).arrive(QUIET, 6 * DAY).frequented


def test_it_is_not_while_far_more_than_usual_call_it() -> None:
    lines = met(20)
    came = [lines.arrive(DID, 6 * DAY + turn) for turn in range(20)]

    first = next(turn for turn, arrival in enumerate(came) if arrival.crowded)
    assert MARGIN < first < 12
    assert all(arrival.crowded and not arrival.frequented for arrival in came[first:])
    assert round(came[-1].lately) == 19
    assert lines.arrive(DID, 6 * DAY + 3 * 3600).frequented


def test_conversations_fade() -> None:
    assert not met(6).arrive(DID, 100 * DAY).frequented


def test_the_did_that_was_called_longest_ago_is_forgotten() -> None:
    lines = met(20)
    for number in range(DIDS):
        lines.arrive(f"+1415{number:07}", 6 * DAY)
    lines.talked(DID, 6 * DAY)

    assert not lines.arrive(DID, 6 * DAY).frequented
