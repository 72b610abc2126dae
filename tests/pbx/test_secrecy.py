"""The digits that a captcha expects stand nowhere but in the caller's ear."""

import pytest

from screener.memory.reader import JournalReader
from tests.lab.behaviours import guess
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

CALLER = "+16465550166"


async def test_expected_digits_are_in_no_log_no_cdr_and_no_journal(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    policy = {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [{"score": 5, "treatment": "captcha"}],
        "captcha": {"digits": 5, "seconds": 1, "attempts": 1, "then": "reject"},
    }
    async with Daemon(pbx, policy) as daemon:
        result = await lab.world.call("2125550300", CALLER, guess("000000", after=12))
        await observer.journey(did="2125550300")
        await daemon.stop()
        with JournalReader(daemon.journal) as journal:
            (recorded,) = journal.calls()
        spoken = result.digits[:5]
        assert len(spoken) == 5
        journal_text = daemon.journal.read_bytes()
        written = (
            pbx.log.read_text(errors="replace") + pbx.cdr.read_text() + pbx.cel.read_text() + "\n".join(daemon.log)
        )
    assert spoken.encode() not in journal_text
    assert spoken not in written
    # Asterisk names each sound that it plays: the digits are played under names that mean nothing.
    assert "/digits/" not in written
    assert "vm-press" in written
    assert recorded.verdict.treatment == "captcha"
