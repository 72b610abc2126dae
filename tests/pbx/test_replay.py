"""A replay of what the PBX recorded says of each call what the daemon had said when it came."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from screener.cli import main
from screener.memory.reader import JournalReader
from tests.lab.behaviours import hang_up_after
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

DID = "2125550450"
FRIEND, ROBOT = "+16465550131", "+16465550132"
POLICY = {
    "mode": "shadow",
    "bucket": {"capacity": 2, "refill_per_hour": 1, "sustained": False, "rest": 0},
    "trust": {"talked_seconds": 5, "talked_share": 0},
    "lists": {"block": ["+16465550133"]},
}


def verdicts_of(source: Path, config: Path, tmp_path: Path) -> list[tuple[str, str]]:
    """The treatment and the reasons of each call, in order."""
    out = tmp_path / "verdicts.csv"
    command = ["replay", str(source), "--config", str(config), "--timezone", "UTC", "--verdicts", str(out), "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["hints"] == []
    return [tuple(line.split(",")[3:6:2]) for line in out.read_text().splitlines()[1:]]  # type: ignore[misc]


async def test_a_replay_says_what_the_daemon_said(lab: Lab, pbx: Pbx, observer: Observer, tmp_path: Path) -> None:
    lab.world.connect(pbx)
    await lab.world.agent(stay=20)
    async with Daemon(pbx, POLICY) as daemon:
        # Talks long enough to be trusted, and needs it: the bucket holds two.
        for stay in (6.5, 1, 1, 1):
            await lab.world.call(DID, FRIEND, hang_up_after(stay))
        for _ in range(4):
            await lab.world.call(DID, ROBOT, hang_up_after(1))
        await lab.world.call(DID, "+16465550133", hang_up_after(1))
        await lab.world.call(DID, "+16465550134", hang_up_after(1), withheld=True)
        await lab.world.call(DID, "robot", hang_up_after(1), name='=1+1, "<b>"')
        await observer.wait(11)
        await daemon.stop()
    with JournalReader(daemon.journal) as journal:
        recorded = journal.calls()
    said = [
        (str(call.verdict.treatment), "+".join(r.code for r in call.verdict.reasons if not r.shadow))
        for call in recorded
    ]
    assert len(said) == 11
    assert ["trusted" in reasons for _, reasons in said[:4]] == [False, True, True, True]
    assert {"rate", "blocked", "withheld", "malformed"} <= {
        reason for _, reasons in said for reason in reasons.split("+")
    }
    for source in (pbx.cdr, pbx.cel, daemon.journal):
        assert verdicts_of(source, daemon.config, tmp_path) == said, source
