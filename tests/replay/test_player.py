"""The policy is asked in the records' own time, and what the records tell is what it learns."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from screener.policy.call import Call
from screener.policy.remembered import Outcome, Result
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Treatment, Verdict
from screener.replay.book import Lesson
from screener.replay.compass import Direction
from screener.replay.player import Played, Player, Side
from screener.replay.record import CallRecord
from tests.replay.rows import BEGIN, RATE_ALONE, book_of, bucket, put, row

STRICT_RATE = RATE_ALONE | {"region": "US", "bucket": bucket(1)}


Heard = list[tuple[CallRecord, Verdict]]


def play(path: Path, *lessons: Lesson, prefix: str = "", **settings: object) -> tuple[Heard, Played]:
    found: Heard = []

    def listen(record: CallRecord, _calls: Sequence[Call], verdicts: Sequence[Verdict]) -> None:
        found.append((record, verdicts[0]))

    book, _ = book_of(path)
    for lesson in lessons:
        book.tell(lesson)
    side = Side(PolicySettings.model_validate(STRICT_RATE | settings), callers=1024)
    return found, Player([side], listen, prefix=prefix).play(book)


def treatments(path: Path, **settings: object) -> list[Treatment]:
    return [verdict.treatment for _, verdict in play(path, prefix="", **settings)[0]]


def test_buckets_fill_in_the_records_own_time(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0), row(10), row(3 * 3600))
    assert treatments(path) == [Treatment.PASS, Treatment.CAPTCHA, Treatment.PASS]


def test_a_policy_in_shadow_mode_is_judged_as_if_it_were_live(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0), row(10))
    assert treatments(path, mode="shadow", dids={"2125550100": {"mode": "shadow"}})[1] is Treatment.CAPTCHA


def test_blocked_calls_are_rejected_and_presented_again(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0), row(10), row(3700))
    found, _ = play(path, lists={"block": ["+12125550133"]})
    assert [verdict.reasons[0].code for _, verdict in found] == ["blocked", "blocked", "blocked"]


def test_calls_that_begin_together_are_told_apart(tmp_path: Path) -> None:
    same = [row(0, f"+1312555{n:04}", number=1, linkedid=f"x{n}") for n in range(50)]
    found, _ = play(put(tmp_path / "Master.csv", *same))
    assert len({record.src for record, _ in found}) == 50


def codes(found: Heard) -> list[list[str]]:
    return [[reason.code for reason in verdict.reasons] for _, verdict in found]


def reasons(path: Path, **settings: object) -> list[list[str]]:
    return codes(play(path, prefix="", **settings)[0])


TRUSTING = {"trust": {"talked_days": 60, "talked_seconds": 60, "talked_share": 0}}


def test_who_talked_is_trusted_once_the_call_is_over(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0, talked=90), row(30), row(200))
    assert reasons(path, **TRUSTING) == [[], ["rate"], ["trusted", "rate"]]


def test_a_mailbox_is_no_conversation(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0, talked=90, lastapp="VoiceMail", dstchannel=""), row(200))
    assert reasons(path, **TRUSTING)[1] == ["rate"]


def test_who_would_not_have_reached_anybody_did_not_talk(tmp_path: Path) -> None:
    """The record has a conversation that this policy would not have let happen."""
    path = put(tmp_path / "Master.csv", row(0, talked=90), row(200))
    block = {"lists": {"block": ["+12125550133"]}}
    assert reasons(path, **TRUSTING, **block)[1] == ["blocked", "rate"]
    ladder = {"ladder": [{"score": 0, "treatment": "voicemail"}]}
    assert reasons(path, **TRUSTING, **ladder)[1] == ["rate"]
    ladder = {"ladder": [{"score": 0, "treatment": "captcha"}]}
    assert reasons(path, **TRUSTING, **ladder)[1] == ["trusted", "rate"]


def test_whom_we_called_is_trusted(tmp_path: Path) -> None:
    calls = [row(n, f"+1312555{n:04}") for n in range(5)]
    out = row(50, "1001", "12125550133", channel="PJSIP/1001-00000001", context="from-internal")
    path = put(tmp_path / "Master.csv", *calls, out, row(100), row(101))
    found, played = play(path)
    assert [reason.code for reason in found[-1][1].reasons] == ["trusted", "rate"]
    assert played.directions == {Direction.INBOUND: 7, Direction.OUTBOUND: 1}


def test_what_the_route_takes_off_is_no_part_of_the_number(tmp_path: Path) -> None:
    calls = [row(n, f"+1312555{n:04}") for n in range(5)]
    out = row(50, "1001", "92125550133", channel="PJSIP/1001-00000001", context="from-internal")
    path = put(tmp_path / "Master.csv", *calls, row(10), out, row(100))
    trusted = [play(path, prefix=prefix)[0][-1][1].reasons[0].code for prefix in ("9", "")]
    assert trusted == ["trusted", "rate"]


def test_what_people_and_treatments_showed_is_learned_at_its_time(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0, ring=50), row(100, ring=50), row(200))
    first, second = row(0)[16], row(100)[16]
    passed = Outcome(treatment=Treatment.CAPTCHA, result=Result.PASSED)
    found, _ = play(
        path,
        Lesson(BEGIN + 120, second, passed),
        # One comes after its call is over, and the other is of a call that is not there.
        Lesson(BEGIN + 90, first, passed),
        Lesson(BEGIN + 130, "nobody", passed),
    )
    assert codes(found) == [[], ["rate"], ["trusted", "rate"]]


def test_marks_and_calls_of_ours_are_learned_at_their_time(tmp_path: Path) -> None:
    path = put(tmp_path / "Master.csv", row(0), row(100), row(200), row(300, "+13125550199"), row(301, "+13125550199"))
    marked = Lesson(BEGIN + 150, number="+12125550133", wanted=True)
    called = Lesson(BEGIN + 250, number="+13125550199")
    found, _ = play(path, marked, called)
    assert codes(found) == [[], ["rate"], ["trusted", "rate"], ["trusted"], ["trusted", "rate"]]


def test_notices_of_the_policy_are_kept(tmp_path: Path) -> None:
    flood = [row(n, f"+1312{n:07}", number=n) for n in range(2_000_000, 2_000_400)]
    book, _ = book_of(put(tmp_path / "Master.csv", *flood))
    side = Side(PolicySettings(region="US"), callers=1024)
    played = Player([side], lambda *_: None).play(book)
    assert "surge-began" in {notice.code for notice in played.notices}
    assert all(notice.at >= BEGIN for notice in played.notices)


@pytest.mark.parametrize("prefix", ["", "9", "00"])
def test_after_an_emergency_call_of_ours_everybody_gets_in_for_a_while(tmp_path: Path, prefix: str) -> None:
    calls = [row(n, f"+1312555{n:04}") for n in range(5)]
    out = row(50, "1001", "911", channel="PJSIP/1001-00000001", context="from-internal")
    path = put(tmp_path / "Master.csv", *calls, row(10), row(20), out, row(100), row(50 + 121 * 60))
    ladder = [{"score": 5, "treatment": "captcha"}]
    emptied = bucket(1) | {"refill_per_hour": 0.1}
    found, played = play(path, prefix=prefix, windows={"emergency_minutes": 120}, ladder=ladder, bucket=emptied)
    assert [verdict.treatment for _, verdict in found[-4:]] == [
        Treatment.PASS, Treatment.CAPTCHA, Treatment.PASS, Treatment.CAPTCHA,
    ]  # fmt: skip
    assert played.directions[Direction.INTERNAL] == 1


def test_who_calls_a_number_of_ours_makes_no_friend_of_it(tmp_path: Path) -> None:
    calls = [row(n, f"+1312555{n:04}") for n in range(5)]
    outs = [
        row(50 + n, "1001", number, channel="PJSIP/1001-00000001", context="from-internal")
        for n, number in enumerate(("12125550177", "12125550178"))
    ]
    spoofed = [row(100 + n, number) for n, number in enumerate(("+12125550177", "+12125550178"))]
    path = put(tmp_path / "Master.csv", *calls, *outs, *spoofed)

    found, _ = play(path, own_numbers=["+12125550177"])

    assert ["trusted" in each for each in codes(found[-2:])] == [False, True]
