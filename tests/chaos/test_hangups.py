"""Callers who hang up at every step: each is journalled once, with its end, and nothing of them is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.hangups import RECORDING, STEPS, hang_up, inside, many, wrong
from tests.lab.lab import Lab
from tests.lab.quitters import callers

pytestmark = pytest.mark.pbx

ENTRIES = pytest.mark.parametrize("entry", ["stasis", "broadcast"])


@ENTRIES
async def test_nothing_is_left_of_callers_who_hang_up(lab: Lab, tmp_path: Path, entry: str) -> None:
    async with inside(lab.root, entry, tmp_path) as opened:
        await many(opened, len(STEPS), 50)  # whatever is made once
        before = await opened.left()
        await many(opened, 160, 40)
        after = await opened.left()
        recorded = opened.recorded()
    assert replace(after, memory_kb=0) == replace(before, memory_kb=0)
    assert (after.tasks, after.held, after.followed, after.subscriptions, after.channels) == (0, 0, 0, 0, 0)
    assert wrong(recorded) == []
    # Who was not taken back before the verdict met every treatment, and left it.
    assert {str(call.verdict.acted) for call in recorded} == {"pass", "announce", "captcha", "menu", "voicemail"}
    assert sum(str(outcome.result) == "abandoned" for call in recorded for outcome in call.outcomes) >= 80


async def test_who_hangs_up_while_leaving_a_message_has_left_it(lab: Lab, tmp_path: Path) -> None:
    async with inside(lab.root, "stasis", tmp_path) as opened, callers(opened.pbx.ports.sip) as quitters:
        await hang_up(quitters, RECORDING, 0)
        await opened.settled()
        (call,) = opened.recorded()
        messages = opened.pbx.voicemail("900")
    assert wrong([call]) == []
    assert [str(outcome.result) for outcome in call.outcomes] == ["recorded" if messages else "abandoned"]
