"""What is shown to people."""

import dataclasses

from screener.cli.show import past_of
from screener.policy.call import Attestation
from screener.policy.remembered import STRANGER, Trust, TrustKind

NOW = 1_764_000_000.0


def test_of_trust_and_blocks_only_what_still_holds_is_shown() -> None:
    trust = (
        Trust(kind=TrustKind.PASSED, until=NOW - 1, earned_with=Attestation.NONE),
        Trust(kind=TrustKind.DIALLED, until=NOW + 3600, earned_with=Attestation.NONE),
    )
    remembered = dataclasses.replace(STRANGER, trust=trust, unwanted_until=NOW - 1)

    (shown,) = past_of(remembered, NOW)

    assert shown.startswith("trust: ")
    assert shown.endswith("in 1 hour")
    assert len(list(past_of(dataclasses.replace(remembered, unwanted_until=NOW + 60), NOW))) == 2
