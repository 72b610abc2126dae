"""Real parts broken under load: no call is lost. In short here; `make chaos` takes its time and prints the table."""

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.rebirth import ENDS, HELD, rebirth
from tests.chaos.storm import LONGEST_HELD, storm
from tests.lab.lab import Lab

pytestmark = pytest.mark.pbx

CALLS, RATE = 120, 30
"""Some four seconds of calls for each fault."""


@pytest.mark.parametrize("name", FAULTS)
async def test_no_call_is_lost(lab: Lab, name: str) -> None:
    fault = FAULTS[name]
    async with storm(lab.root, variables=fault.variables, asterisk=fault.asterisk, program=fault.program) as opened:
        result = await opened.weather(fault.go_on, calls=CALLS, rate=RATE)
    assert result.balance.lost == []
    assert result.sipp.failed == 0, result.sipp.errors[-1000:]
    assert result.balance.placed == CALLS
    assert result.balance.longest_held < LONGEST_HELD
    if fault.shows:
        assert result.balance.let_through > 0
    assert result.balance.forgotten == 0 or fault.forgets
    assert result.balance.as_policy + result.balance.let_through + result.balance.forgotten == CALLS


@pytest.mark.parametrize("says", ENDS)
async def test_an_asterisk_that_comes_back_is_screened_again(lab: Lab, says: str) -> None:
    seen = await rebirth(lab.root, says, calls=60, rate=RATE)
    # Those that were in it end with it; one that ends in order waits for them.
    assert seen.ended_with_it == (0 if "gracefully" in says else HELD)
    assert seen.after.balance.lost == []
    assert seen.after.balance.as_policy == 60
