"""The signing network: a further Asterisk that vouches for the callers whose calls it sends on."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tests.lab.authority import Provider
from tests.lab.instance import Instance
from tests.lab.pbx import Pbx


class Signer(Instance):
    """Signs what it sends out with a provider's key (res_stir_shaken, as attestation service)."""

    role = "signer"

    def __init__(self, root: Path, provider: Provider, name: str = "signer") -> None:
        super().__init__(root, name)
        self.provider = provider

    def values(self) -> Mapping[str, str]:
        """Say where the certificate is."""
        return {**super().values(), "certificate_url": self.provider.url}

    def write_configuration(self) -> None:
        """Write the provider's key beside the configuration files, readable by Asterisk alone, as it asks for."""
        super().write_configuration()
        key = self.etc / "key.pem"
        key.touch(mode=0o600)
        key.write_text(self.provider.private_key)

    async def call(self, did: str, caller_id: str, level: Literal["A", "B", "C"], to: Pbx) -> None:
        """Begin a call; the called side ends it."""
        await self.ami.action(
            "Originate",
            Async="true",
            ChannelId=str(uuid.uuid4()),
            Channel=f"PJSIP/{level}/sip:{did}@127.0.0.1:{to.ports.sip}",
            CallerID=f"<{caller_id}>",
            Application="Wait",
            Data="30",
        )
