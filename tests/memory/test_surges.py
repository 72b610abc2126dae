"""Surges: where they begin, whom they are about, and where they end."""

from screener.memory.normal import HOUR, WEEK
from screener.memory.surges import NOTICES, PBX, Surges
from screener.policy.remembered import Surge
from screener.policy.signal_settings import SurgeSettings

SETTINGS = SurgeSettings()
DID = "+14155550100"
BEGIN = 5 * WEEK * HOUR


def quiet(per_hour: int = 4) -> Surges:
    """A PBX that strangers have called so often an hour for five weeks, spread over ten DIDs."""
    surges = Surges()
    for hour in range(5 * WEEK):
        for number in range(10):
            surges.prime(f"+1415555010{number}", hour, per_hour / 10, SETTINGS)
    for turn in range(20):
        surges.end(f"+1415555010{turn % 10}", heard=False)
    return surges


def flood(surges: Surges, calls: int, *, every: float, now: float = BEGIN, dids: int = 10) -> list[Surge | None]:
    return [surges.arrive(f"+1415555010{turn % dids}", now + turn * every, SETTINGS) for turn in range(calls)]


def test_a_flood_is_noticed_within_some_calls_and_says_so_once() -> None:
    surges = quiet()
    came = flood(surges, 40, every=1)

    first = next(turn for turn, surge in enumerate(came) if surge)
    assert first < 15
    assert all(came[first:])
    assert came[-1] is not None
    assert (came[-1].about, came[-1].since) == (PBX, BEGIN + first)
    assert [(notice.code, notice.about) for notice in surges.notices] == [("surge-began", PBX)]
    assert "5 an hour are usual now" in surges.notices[0].text


def test_a_campaign_of_one_call_a_minute_is_noticed_too() -> None:
    came = flood(quiet(), 40, every=60)

    assert next(turn for turn, surge in enumerate(came) if surge) < 20


def test_twice_the_usual_is_no_surge() -> None:
    assert not any(flood(quiet(60), 480, every=30))


def test_a_flood_of_one_did_is_that_did_s_own() -> None:
    surges = quiet(200)
    came = flood(surges, 60, every=20, dids=1)

    assert came[-1] is not None
    assert came[-1].about == "+14155550100"
    assert surges.during("+14155550100", BEGIN + 1200, SETTINGS) == came[-1]
    assert surges.during("+14155550101", BEGIN + 1200, SETTINGS) is None


def test_it_ends_after_a_while_of_calm_also_when_nobody_calls() -> None:
    surges = quiet()
    flood(surges, 40, every=1)
    surges.tick(BEGIN + 600, SETTINGS)
    assert surges.during(DID, BEGIN + 600, SETTINGS) is not None

    surges.tick(BEGIN + 3600, SETTINGS)

    assert surges.during(DID, BEGIN + 3600, SETTINGS) is None
    assert [notice.code for notice in surges.notices] == ["surge-began", "surge-ended"]


def test_it_does_not_end_while_calls_go_on() -> None:
    surges = quiet()
    came = flood(surges, 400, every=20)

    assert all(came[20:])
    assert next(notice.code for notice in surges.notices) == "surge-began"
    assert "surge-ended" not in {notice.code for notice in surges.notices}


def test_strangers_whom_somebody_talked_with_are_no_flood() -> None:
    surges, came = quiet(), []
    for turn in range(60):
        came.append(surges.arrive(DID, BEGIN + turn * 60, SETTINGS))
        surges.end(DID, heard=True)

    assert not any(came)
    surges.end("a DID that nobody called", heard=True)


def test_on_the_first_day_everybody_is_a_stranger_and_only_a_flood_counts() -> None:
    fresh = Surges()
    assert not any(flood(fresh, 60, every=60, now=0))
    assert any(flood(fresh, 60, every=1, now=3600))


def test_notices_that_nobody_takes_do_not_pile_up() -> None:
    surges = quiet()
    for turn in range(NOTICES):
        flood(surges, 30, every=0.1, now=BEGIN + turn * 4 * HOUR, dids=1)
        surges.tick(BEGIN + (turn * 4 + 3) * HOUR, SETTINGS)

    assert len(surges.notices) == NOTICES


def test_sixty_patients_at_one_did_are_no_surge_of_the_pbx_and_forty_dids_are() -> None:
    def rush(crowded: bool) -> list[str]:
        surges, came = quiet(), []
        for turn in range(30):
            lately = turn if crowded else 0
            came.append(surges.arrive(f"+1415555{turn:04}", BEGIN + turn * 20, SETTINGS, lately=lately))
        return [surge.about for surge in came if surge]

    assert rush(crowded=True) == []
    assert PBX in rush(crowded=False)


def test_what_a_block_or_a_sweep_explains_weighs_less() -> None:
    def first(weight: float) -> int:
        surges = quiet()
        came = (surges.arrive(DID, BEGIN + turn, SETTINGS, weight=weight) for turn in range(400))
        return next(turn for turn, surge in enumerate(came) if surge)

    assert first(0.25) > 2 * first(1)
