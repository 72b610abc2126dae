"""What holds for a called number: the DID's own word, its group's, everybody's; by day and by night."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from screener.policy.decide import decide
from screener.policy.line import Line
from screener.policy.line_settings import DEFAULT_LADDER, Rung
from screener.policy.remembered import Remembered
from screener.policy.verdict import Mode, Treatment
from tests.policy.builders import ANOTHER_DID, DID, MAILBOX, REFUSED, make_call, make_policy, make_settings

OPEN, CLOSED = (
    datetime.fromisoformat(f"2026-11-25 {hour}:00").replace(tzinfo=ZoneInfo("America/New_York")).timestamp()
    for hour in ("10", "20")
)
OFFICE = {"office": {"timezone": "America/New_York", "hours": {"mon-fri": "08:00-18:00"}}}
STRICT = [{"score": 1, "treatment": "reject"}]
OTHER_DID = "+14155550102"


def ladder(treatment: Treatment) -> tuple[Rung, ...]:
    return (Rung(score=1, treatment=treatment),)


def steps(treatment: str) -> list[dict[str, Any]]:
    return [{"score": 1, "treatment": treatment}]


def test_a_did_has_one_ladder_for_the_day_and_one_for_the_night() -> None:
    policy = make_policy(calendars=OFFICE, dids={DID: {"calendar": "office", "closed": {"ladder": STRICT}}})

    assert policy.line(DID, OPEN).ladder == DEFAULT_LADDER
    assert policy.line(DID, CLOSED) == Line(mode=Mode.LIVE, ladder=ladder(Treatment.REJECT), mailbox=MAILBOX)
    assert policy.line(ANOTHER_DID, CLOSED).ladder == DEFAULT_LADDER


def test_a_verdict_says_by_which_hours_its_ladder_was_chosen() -> None:
    policy = make_policy(calendars=OFFICE, dids={DID: {"calendar": "office", "closed": {"ladder": STRICT}}})
    called, remembered = make_call(did=DID), Remembered(rate=REFUSED)

    by_day, by_night = (decide(called, remembered, policy, now) for now in (OPEN, CLOSED))

    assert by_day.decided_by == "score 5 reaches the step captcha at 5; office is open until 2026-11-25 18:00"
    assert by_night.decided_by == "score 5 reaches the step reject at 1; office is closed until 2026-11-26 08:00"
    elsewhere = decide(make_call(did=ANOTHER_DID), remembered, policy, OPEN)
    assert elsewhere.decided_by == "score 5 reaches the step captcha at 5"


def test_what_is_written_nearest_to_a_did_counts_and_at_each_level_first_what_is_for_closed_hours() -> None:
    policy = make_policy(
        calendars=OFFICE,
        calendar="office",
        closed={"ladder": steps("tarpit"), "mailbox": "700"},
        groups=[
            {
                "dids": [DID, ANOTHER_DID, OTHER_DID],
                "ladder": steps("menu"),
                "mailbox": "601",
                "closed": {"ladder": steps("captcha")},
            }
        ],
        dids={DID: {"mailbox": "602"}, ANOTHER_DID: {"ladder": steps("reject"), "closed": {"mode": "shadow"}}},
    )
    lines = {did: (policy.line(did, OPEN), policy.line(did, CLOSED)) for did in (DID, ANOTHER_DID, OTHER_DID, "100")}

    assert [line.ladder for line in lines[DID]] == [ladder(Treatment.MENU), ladder(Treatment.CAPTCHA)]
    assert [line.mailbox for line in lines[DID]] == ["602", "602"]
    assert [line.ladder for line in lines[ANOTHER_DID]] == [ladder(Treatment.REJECT), ladder(Treatment.REJECT)]
    assert [line.mode for line in lines[ANOTHER_DID]] == [Mode.LIVE, Mode.SHADOW]
    assert [line.mailbox for line in lines[OTHER_DID]] == ["601", "601"]
    assert [line.ladder for line in lines["100"]] == [DEFAULT_LADDER, ladder(Treatment.TARPIT)]
    assert [line.mailbox for line in lines["100"]] == [MAILBOX, "700"]
    assert len(policy.every_line) == 8


def test_a_did_finds_its_group_in_any_spelling() -> None:
    policy = make_policy(groups=[{"dids": ["(415) 555-0100"], "mode": "shadow"}], dids={DID: {"mailbox": "602"}})

    assert policy.line(DID, OPEN) == Line(mode=Mode.SHADOW, ladder=DEFAULT_LADDER, mailbox="602")


def test_a_group_may_be_a_range_of_numbers_of_which_the_closest_counts() -> None:
    policy = make_policy(
        groups=[
            {"dids": ["+1415555*"], "mailbox": "601"},
            {"dids": ["+14155550*", "+442079460958"], "mailbox": "602"},
            {"dids": [ANOTHER_DID], "mailbox": "603"},
        ],
        dids={DID: {"mode": "shadow"}},
    )

    assert policy.line(DID, OPEN) == Line(mode=Mode.SHADOW, ladder=DEFAULT_LADDER, mailbox="602")
    assert policy.line(ANOTHER_DID, OPEN).mailbox == "603"
    assert policy.line("+14155550199", OPEN).mailbox == "602"
    assert policy.line("+14155559999", OPEN).mailbox == "601"
    assert policy.line("+14165550100", OPEN).mailbox == MAILBOX
    assert policy.line("+1415555", OPEN).mailbox == "601"
    assert policy.line("100", OPEN).mailbox == MAILBOX


def test_a_did_may_have_another_calendar_than_its_group() -> None:
    calendars = OFFICE | {"night": {"timezone": "America/New_York", "hours": {"mon-sun": "18:00-08:00"}}}
    policy = make_policy(
        calendars=calendars,
        groups=[{"dids": [DID, ANOTHER_DID], "calendar": "office", "closed": {"ladder": STRICT}}],
        dids={DID: {"calendar": "night"}},
    )

    assert [policy.line(did, CLOSED).ladder == DEFAULT_LADDER for did in (DID, ANOTHER_DID)] == [True, False]


@pytest.mark.parametrize(
    "written",
    [
        {"dids": {DID: {"calendar": "office", "closed": {"ladder": steps("voicemail")}}}},
        {"groups": [{"dids": [DID], "calendar": "office", "closed": {"ladder": steps("voicemail")}}]},
        {"calendar": "office", "closed": {"ladder": steps("voicemail")}},
        {"groups": [{"dids": [DID], "ladder": steps("voicemail")}]},
    ],
)
def test_calls_are_not_sent_to_a_mailbox_that_nobody_named_at_night_either(written: dict[str, Any]) -> None:
    common = {"ladder": [], "voicemail": {}, "calendars": OFFICE}
    with pytest.raises(ValueError, match=r"to voicemail, .*no mailbox"):
        make_settings(**common, **written)
    box = {"mailbox": "600"}
    assert make_settings(**common | {"voicemail": box}, **written).voicemail.mailbox == "600"
