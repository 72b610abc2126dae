"""Groups of strangers."""

import dataclasses

import pytest

from screener.memory.groups import ABANDONED, DROPPED, HABIT, SILENT, Groups, keys_of
from screener.policy.remembered import Heat
from screener.policy.signal_settings import GroupSettings
from tests.policy.builders import make_call

SETTINGS = GroupSettings()
DAY = 86_400.0
CALL = dataclasses.replace(make_call(), name="Card Services 24", signer="cert.example 1234", trunk="")


def campaign(groups: Groups, calls: int, *, talked: float = 0, every: float = 20, now: float = 0) -> list[Heat | None]:
    came = []
    for turn in range(calls):
        at = now + turn * every
        keys, heat = groups.arrive(CALL, at, SETTINGS)
        groups.end(keys, at + 5, talked=talked, seconds=20, settings=SETTINGS)
        came.append(heat)
    return came


def test_a_call_belongs_to_its_trunk_its_signer_and_its_name_without_the_figures() -> None:
    call = dataclasses.replace(CALL, trunk="carrier")

    assert keys_of(call) == (
        ("trunk", "carrier"), ("signer", "cert.example"), ("signer", "cert.example 1234"), ("name", "card services #")
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "+12015550123", "201-555-0123", "(201) 555 0123"])
def test_a_name_that_is_the_number_is_nobody_s_name(name: str) -> None:
    assert keys_of(dataclasses.replace(CALL, name=name, signer="")) == ()


def test_strangers_with_whom_nobody_talks_heat_their_group_up() -> None:
    came = campaign(Groups(), 14)

    first = next(turn for turn, heat in enumerate(came) if heat)
    assert first <= 11
    heat = came[-1]
    assert heat is not None
    assert (heat.kind, heat.name) == ("name", "card services #")
    assert heat.cold == heat.callers == 13
    assert heat.until == 13 * 20 + 60 * SETTINGS.cooling_minutes


def test_a_group_that_somebody_talks_with_stays_cool() -> None:
    assert not any(campaign(Groups(), 40, talked=90))


def test_a_group_that_has_always_called_that_often_stays_cool() -> None:
    groups = Groups()
    campaign(groups, 2000, every=180, talked=90)

    assert not any(campaign(groups, 40, every=180, now=2000 * 180.0))


def test_it_cools_down() -> None:
    groups = Groups()
    campaign(groups, 14)

    assert groups.arrive(CALL, 13 * 20 + 890, SETTINGS)[1] is not None

    groups = Groups()
    campaign(groups, 14)

    assert groups.arrive(CALL, 14 * 20 + 3600 * 3, SETTINGS)[1] is None


@pytest.mark.parametrize("habit", [DROPPED, ABANDONED, SILENT])
def test_a_habit_that_strangers_share_heats_them_all_up(habit: str) -> None:
    groups = Groups()
    groups.behave(habit, 0.0, SETTINGS)
    for turn in range(40):
        if habit is SILENT:
            groups.behave(SILENT, DAY + turn * 10.0, SETTINGS)
        else:
            talked, seconds = (4.0, 20.0) if habit is DROPPED else (0.0, 3.0)
            groups.end((), DAY + turn * 10.0, talked=talked, seconds=seconds, settings=SETTINGS)

    heat = groups.arrive(make_call(), DAY + 410.0, SETTINGS)[1]

    assert heat is not None
    assert (heat.kind, heat.name) == (HABIT, habit)
    assert groups.arrive(make_call(), DAY + 8000.0, SETTINGS)[1] is None


def test_a_group_cools_down_at_once_when_people_talk_with_it_again() -> None:
    groups = Groups()
    assert campaign(groups, 14)[-1] is not None

    came = campaign(groups, 12, talked=90, every=60, now=14 * 20)

    assert came[0] is not None
    assert came[-1] is None
