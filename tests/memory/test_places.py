"""What speaks for a stranger by the way it takes."""

import pytest

from screener.memory.places import IN_AREA, Places
from tests.policy.builders import ANOTHER_DID, DID, make_call

DAY = 86_400.0
AREA, NEIGHBOUR = "+1201555{:04}", "+1415555{:04}"


def met(pattern: str, people: int = 8, did: str = DID) -> Places:
    """Places of a business whose people talked with so many strangers of these numbers, one a day."""
    places = Places()
    for number in range(people):
        call = make_call(pattern.format(1000 + number), did=did)
        places.arrive(call, number * DAY, familiar=False)
        places.talked(call, number * DAY + 60, stranger=True)
    return places


def test_an_area_that_our_people_talk_with_is_familiar_until_too_many_call_from_it() -> None:
    places, call = met(AREA), make_call(AREA.format(1))
    assert places.familiar(call)
    came = [places.arrive(call, 9 * DAY + turn, familiar=True).familiar for turn in range(40)]
    assert came[0]
    assert IN_AREA <= came.index(False) < 30
    assert not places.familiar(make_call("+13055550100"))


def test_a_number_like_the_dids_own_is_a_neighbours_where_neighbours_are_customers() -> None:
    places = met(NEIGHBOUR)
    assert places.arrive(make_call(NEIGHBOUR.format(1)), 9 * DAY, familiar=True).near
    assert not places.arrive(make_call(NEIGHBOUR.format(1), did=ANOTHER_DID), 9 * DAY, familiar=True).near
    assert not places.arrive(make_call(DID), 9.5 * DAY, familiar=True).near
    assert not met(AREA).arrive(make_call(NEIGHBOUR.format(1)), 9 * DAY, familiar=False).near


def test_who_was_known_already_says_nothing_of_where_strangers_go() -> None:
    places = Places()
    for turn in range(20):
        places.arrive(make_call(AREA.format(turn)), turn * DAY, familiar=False)
        places.talked(make_call(AREA.format(turn)), turn * DAY + 60, stranger=False)
    place = places.arrive(make_call(AREA.format(1)), 21 * DAY, familiar=False)
    assert not place.frequented
    assert places.familiar(make_call(AREA.format(1)))


@pytest.mark.parametrize("raw", ["", "hello"])
def test_a_caller_without_a_number_comes_from_nowhere(raw: str) -> None:
    places, call = met(AREA), make_call(raw)
    place = places.arrive(call, 9 * DAY, familiar=places.familiar(call))
    assert (place.familiar, place.near) == (False, False)
    places.talked(call, 9 * DAY, stranger=True)


def test_what_a_journal_tells_makes_areas_familiar() -> None:
    places = Places()
    places.restore("+12015551000", 9)
    places.restore("withheld:1234", 9)
    assert places.familiar(make_call(AREA.format(1)))
