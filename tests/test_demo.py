import pytest

from tests.demo.play import play
from tests.demo.scenes import POLICY
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.pbx import Settings

pytestmark = pytest.mark.pbx


@pytest.mark.parametrize(("rest", "way"), [("auto", "the WebSocket"), ("http", "HTTP")])
async def test_the_demo_goes_as_expected_by_both_ways_of_making_requests(lab: Lab, rest: str, way: str) -> None:
    async with (
        lab.passing_pbx(Settings(dialplan=[DIALPLAN])) as pbx,
        Daemon(pbx, POLICY, asterisk={"rest": rest}) as daemon,
    ):
        assert f"requests over {way}" in await daemon.logged("connected to Asterisk")
        rows = await play(lab.world, pbx, daemon, lambda _: None)
    assert [(row.says, row.observed) for row in rows] == [(row.says, row.expected) for row in rows]
