"""A list finds the entry that names a number most closely and that has not ended."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.policy.lists import Entry, EntryKind, NumberList
from tests.policy.builders import ANOTHER_DID, CALLER, DID, brief, make_policy

NOW = 1_800_000_000.0
PREMIUM = Entry(number="+1900", kind=EntryKind.PREFIX, note="premium rate")
AMERICA = Entry(number="+1", kind=EntryKind.PREFIX)
ONE = Entry(number="+19005550100")
FOR_DID = Entry(number="+19005550100", did=DID)
AMERICA_FOR_DID = Entry(number="+1", kind=EntryKind.PREFIX, did=DID)
NIGERIA = Entry(number="NG", kind=EntryKind.COUNTRY)
CANADA = Entry(number="CA", kind=EntryKind.COUNTRY, did=ANOTHER_DID)
LAGOS = Entry(number="+2341", kind=EntryKind.PREFIX)
LIST = NumberList([AMERICA, PREMIUM, ONE, FOR_DID, AMERICA_FOR_DID, NIGERIA, CANADA, LAGOS])


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


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
        ("+2348031234567", None, NIGERIA),
        ("+23412345678", None, LAGOS),
        ("+2348031234567", DID, None),
        ("+14165550123", ANOTHER_DID, CANADA),  # the same calling code as the United States
        ("+12125550123", ANOTHER_DID, None),
        ("NG", None, None),
        ("CA", ANOTHER_DID, None),
    ],
)
def test_the_closest_entry_of_exactly_this_scope_is_found(number: str, did: str | None, entry: Entry | None) -> None:
    assert LIST.find(number, did, NOW) == entry


def test_of_two_equal_entries_the_first_one_counts() -> None:
    numbers = NumberList([Entry(number="+12015550123", note="first"), Entry(number="+12015550123", note="second")])

    assert numbers.find("+12015550123", None, NOW) == Entry(number="+12015550123", note="first")
    assert len(numbers) == 1


def test_at_its_end_an_entry_no_longer_counts_and_the_next_closest_does() -> None:
    end = datetime.fromtimestamp(NOW, UTC)
    ending = Entry(number="+12015550123", until=end)
    again = Entry(number="+12015550123", note="after that")

    assert NumberList([ending, again]).find("+12015550123", None, NOW - 0.001) == ending
    assert NumberList([ending, again]).find("+12015550123", None, NOW) == again
    assert NumberList([ending, AMERICA]).find("+12015550123", None, NOW) == AMERICA
    assert NumberList([ending]).find("+12015550123", None, NOW + 1e9) is None


def test_an_empty_list_names_nobody() -> None:
    assert NumberList([]).find("+12015550123", None, NOW) is None
    assert len(NumberList([])) == 0


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        (ONE, "+19005550100"),
        (PREMIUM, "+1900* (premium rate)"),
        (AMERICA_FOR_DID, "+1*"),
        (NIGERIA, "NG"),
        (Entry(number="NG", kind=EntryKind.COUNTRY, note="wangiri", author="Ann"), "NG (wangiri; by Ann)"),
        (Entry(number="+1", author="Ann", until=at("2026-12-31 18:30")), "+1 (by Ann; until 2026-12-31 18:30)"),
        (Entry(number="+1", until=at("2027-01-01 00:00", "Asia/Tokyo")), "+1 (to the end of 2026-12-31)"),
    ],
)
def test_an_entry_is_shown_as_it_was_written(entry: Entry, label: str) -> None:
    assert entry.label == label


@pytest.mark.parametrize(
    ("zone", "until", "ends"),
    [
        ("UTC", "2026-12-31", at("2027-01-01 00:00")),
        ("America/New_York", "2026-12-31", at("2027-01-01 05:00")),
        ("America/New_York", "2026-07-04 12:00", at("2026-07-04 16:00")),
        ("America/New_York", "2026-07-04T12:00:00+02:00", at("2026-07-04 10:00")),
        ("Europe/Zurich", "2026-10-24", at("2026-10-24 22:00")),  # the day before the clocks go back
        ("Europe/Zurich", "2026-10-25", at("2026-10-25 23:00")),
    ],
)
def test_an_end_is_read_in_the_time_zone_of_the_policy_and_a_date_holds_to_its_last_moment(
    zone: str, until: str, ends: datetime
) -> None:
    allow = make_policy(timezone=zone, lists={"allow": [{"number": CALLER, "until": until}]}).allow

    assert allow.find(CALLER, None, ends.timestamp() - 1) is not None
    assert allow.find(CALLER, None, ends.timestamp()) is None


def test_a_country_is_blocked_by_its_letters_written_either_way() -> None:
    block = make_policy(lists={"block": ["NG", {"country": "GH", "note": "wangiri"}]}).block

    assert block.find("+2348031234567", None, NOW) == NIGERIA
    assert block.find("+233302123456", None, NOW) == Entry(number="GH", kind=EntryKind.COUNTRY, note="wangiri")


ENTRIES = st.builds(
    Entry,
    number=st.text("12", min_size=1, max_size=4).map("+".__add__),
    kind=st.sampled_from([EntryKind.EXACT, EntryKind.PREFIX]),
    did=st.sampled_from([None, DID]),
    until=st.none() | st.sampled_from([at("2026-01-01"), at("2030-01-01")]),
)


@given(st.lists(ENTRIES, max_size=12), st.text("12", min_size=1, max_size=5).map("+".__add__))
@brief
def test_looking_up_finds_what_reading_the_whole_list_would(entries: list[Entry], number: str) -> None:
    def names(entry: Entry) -> bool:
        return number.startswith(entry.number) if entry.kind is EntryKind.PREFIX else number == entry.number

    naming = [e for e in entries if e.did == DID and e.holds(NOW) and names(e)]
    closest = max(naming, key=lambda entry: (entry.kind is EntryKind.EXACT, len(entry.number)), default=None)

    assert NumberList(entries).find(number, DID, NOW) == closest
