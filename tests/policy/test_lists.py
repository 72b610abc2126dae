"""A list finds the entry that names a number most closely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.lists import Entry, NumberList
from tests.policy.builders import ANOTHER_DID, DID, brief

PREMIUM = Entry(number="+1900", prefix=True, note="premium rate")
AMERICA = Entry(number="+1", prefix=True)
ONE = Entry(number="+19005550100")
FOR_DID = Entry(number="+19005550100", did=DID)
AMERICA_FOR_DID = Entry(number="+1", prefix=True, did=DID)
LIST = NumberList([AMERICA, PREMIUM, ONE, FOR_DID, AMERICA_FOR_DID])


@pytest.mark.parametrize(
    ("number", "did", "entry"),
    [
        ("+19005550100", None, ONE),
        ("+19005550199", None, PREMIUM),
        ("+12015550123", None, AMERICA),
        ("+41446681800", None, None),
        ("+19005550100", DID, FOR_DID),
        ("+19005550199", DID, AMERICA_FOR_DID),
        ("+19005550100", ANOTHER_DID, None),
        ("+1900", None, PREMIUM),
        ("+190", None, AMERICA),
        ("+", None, None),
        ("withheld", None, None),
        ("malformed", DID, None),
        ("", None, None),
    ],
)
def test_the_closest_entry_of_exactly_this_scope_is_found(number: str, did: str | None, entry: Entry | None) -> None:
    assert LIST.find(number, did) == entry


def test_of_two_equal_entries_the_first_one_counts() -> None:
    numbers = NumberList([Entry(number="+12015550123", note="first"), Entry(number="+12015550123", note="second")])

    assert numbers.find("+12015550123", None) == Entry(number="+12015550123", note="first")
    assert len(numbers) == 1


def test_an_empty_list_names_nobody() -> None:
    assert NumberList([]).find("+12015550123", None) is None
    assert len(NumberList([])) == 0


@pytest.mark.parametrize(
    ("entry", "label"),
    [(ONE, "+19005550100"), (PREMIUM, "+1900* (premium rate)"), (AMERICA_FOR_DID, "+1*")],
)
def test_an_entry_is_shown_as_it_was_written(entry: Entry, label: str) -> None:
    assert entry.label == label


ENTRIES = st.builds(
    Entry,
    number=st.text("12", min_size=1, max_size=4).map("+".__add__),
    prefix=st.booleans(),
    did=st.sampled_from([None, DID]),
)


@given(st.lists(ENTRIES, max_size=12), st.text("12", min_size=1, max_size=5).map("+".__add__))
@brief
def test_looking_up_finds_what_reading_the_whole_list_would(entries: list[Entry], number: str) -> None:
    naming = [e for e in entries if e.did == DID and (number.startswith(e.number) if e.prefix else number == e.number)]
    closest = max(naming, key=lambda entry: (not entry.prefix, len(entry.number)), default=None)

    assert NumberList(entries).find(number, DID) == closest
