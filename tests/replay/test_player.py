"""The policy is asked in the records' own time, and what the records tell is what it learns."""

from collections.abc import Sequence
from pathlib import Path

from screener.policy.call import Call
from screener.policy.settings import PolicySettings
from screener.policy.verdict import Treatment, Verdict
from screener.replay.player import Played, Player, Side
from screener.replay.record import CallRecord
from tests.replay.rows import RATE_ALONE, book_of, bucket, put, row

STRICT_RATE = RATE_ALONE | {"region": "US", "bucket": bucket(1)}


def play(path: Path, **settings: object) -> tuple[list[tuple[CallRecord, Verdict]], Played]:
    found: list[tuple[CallRecord, Verdict]] = []

    def listen(record: CallRecord, _calls: Sequence[Call], verdicts: Sequence[Verdict]) -> None:
        found.append((record, verdicts[0]))

    book, _ = book_of(path)
    side = Side(PolicySettings.model_validate(STRICT_RATE | settings), callers=1024)
    return found, Player([side], listen).play(book)


def treatments(path: Path, **settings: object) -> list[Treatment]:
    return [verdict.treatment for _, verdict in play(path, **settings)[0]]


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
