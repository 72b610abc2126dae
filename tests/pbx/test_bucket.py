from collections import Counter

import pytest

from screener.memory.reader import JournalReader
from screener.policy.bucket import Bucket, microseconds
from tests.demo.scenes import way
from tests.lab.behaviours import hang_up_after
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

CAPACITY, REFILL = 3, 600
"""A token comes back every 6 seconds, so that some of twenty calls are free again."""
ROBOT = "+16465550122"


async def test_of_twenty_calls_in_a_minute_exactly_those_are_challenged_that_the_arithmetic_says(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    policy = {
        "bucket": {"capacity": CAPACITY, "refill_per_hour": REFILL, "sustained": False, "rest": 0},
        "ladder": [{"score": 5, "treatment": "captcha"}],
        "captcha": {"then": "reject"},
    }
    async with Daemon(pbx, policy) as daemon:
        await lab.world.agent(stay=20)
        for number in range(20):
            await lab.world.call(f"21255501{number:02}", ROBOT, hang_up_after(1.2))
        journeys = await observer.wait(20, matches=lambda one: one.caller == ROBOT)
        await daemon.stop()
        with JournalReader(daemon.journal) as journal:
            recorded = journal.calls()
    bucket, full_at, expected = Bucket(capacity=CAPACITY, refill_per_hour=REFILL), 0, []
    for call in recorded:
        full_at, taken = bucket.take(full_at, microseconds(call.at))
        expected.append("pass" if taken.admitted else "captcha")
    assert [way(one).partition(" ")[0] for one in journeys] == expected
    # The calls take some 25 seconds: three tokens to begin with, and about one more every six seconds.
    assert Counter(expected)["captcha"] >= 10
    assert Counter(expected)["pass"] > CAPACITY
