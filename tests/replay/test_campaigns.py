"""Calls that belong together are found, each in one campaign."""

from screener.policy.verdict import Mode, Reason, Treatment, Verdict
from screener.replay.campaigns import PAUSE, SMALLEST, Campaigns
from tests.policy.builders import make_call

VERDICT = Verdict(
    treatment=Treatment.CAPTCHA,
    mode=Mode.LIVE,
    score=5,
    decided_by="",
    reasons=(Reason(code="rate", points=5, text=""),),
)


def test_a_number_and_a_block_are_campaigns() -> None:
    campaigns = Campaigns()
    for n in range(20):
        campaigns.add(make_call("+12125550133"), VERDICT, n)
    for n in range(10):
        campaigns.add(make_call(f"+1312777{n * 90:04}"[:9] + f"{n:03}"), VERDICT, 100 + n)
    number, block = campaigns.found()
    assert (number.kind, number.what, number.calls, number.numbers) == ("number", "+12125550133", 20, 1)
    assert (block.kind, block.calls, block.numbers, block.first, block.last) == ("block", 10, 10, 100, 109)


def test_what_shares_only_its_reason_is_told_last() -> None:
    campaigns = Campaigns()
    for n in range(SMALLEST):
        campaigns.add(make_call(f"+1{200 + 10 * n}5550133"), VERDICT, n)
    (one,) = campaigns.found()
    assert one.kind in {"trunk", "reason"}
    assert (one.calls, one.numbers) == (SMALLEST, SMALLEST)


def test_few_calls_are_no_campaign_and_a_long_pause_ends_one() -> None:
    campaigns = Campaigns()
    for n in range(SMALLEST - 1):
        campaigns.add(make_call("+12125550133"), VERDICT, n)
    assert campaigns.found() == []
    for n in range(SMALLEST - 1):
        campaigns.add(make_call("+12125550133"), VERDICT, n + 2 * PAUSE)
    assert campaigns.found() == []
