"""Whose word on a caller ID counts: Asterisk's own verification, and what a trunk's provider says."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from screener.policy.call import Attestation
from screener.policy.section import Section

EVERY_TRUNK: Final = "*"
"""Stands for each trunk that is not named."""


class Source(StrEnum):
    """Where an attestation comes from."""

    ASTERISK = "asterisk"
    """Our own Asterisk verified the signature (res_stir_shaken)."""
    VERSTAT = "verstat"
    """The parameter `verstat` of P-Asserted-Identity, or of From where there is no P-Asserted-Identity
    (3GPP TS 24.229, 7.2A.20)."""
    HEADERS = "headers"
    """Headers of the provider's own, such as P-Attestation-Indicator."""


TrunkName = Annotated[str, Field(min_length=1, max_length=80)]


class AttestationSettings(Section):
    """Whose word on a caller ID counts, trunk by trunk."""

    trunks: dict[TrunkName, tuple[Source, ...]] = Field(default={EVERY_TRUNK: (Source.ASTERISK,)}, max_length=1000)
    """For each trunk (the `carrier` of PJSIP/carrier-0000002a), what is believed of it: `asterisk`, `verstat`,
    `headers`. `"*"` stands for each trunk that is not named. Name `verstat` and `headers` only for a provider that
    removes what its own callers wrote there."""
    passed_means: Literal[Attestation.A, Attestation.B, Attestation.C] = Attestation.B
    """The level that a verstat of `TN-Validation-Passed` counts as where the provider tells no level."""
    ahead_seconds: float = Field(default=60, ge=0, le=600)
    """Seconds that a signature may be dated ahead of this machine's clock."""

    def believed(self, trunk: str) -> tuple[Source, ...]:
        """Return the sources that count on a trunk."""
        return self.trunks.get(trunk, self.trunks.get(EVERY_TRUNK, (Source.ASTERISK,)))
