"""Two minutes of faults at random: no call is lost, and all is well when they are over."""

import pytest

from tests.chaos.nemesis import Nemesis, faults_of, rounds, seed_wished
from tests.lab.lab import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(600)]

SECONDS = 120


async def test_whatever_strikes_at_random_no_call_is_lost(lab: Lab) -> None:
    nemesis = Nemesis(seed_wished())
    said = f"SEED={nemesis.seed} python -m tests.chaos.nemesis"
    print(said)
    results = await rounds(lab.root, nemesis, SECONDS)
    assert faults_of(results) == [], f"{said}: {nemesis.struck}"
    assert len(nemesis.struck) > 10, said
