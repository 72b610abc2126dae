"""How to reach Asterisk's manager interface (AMI), and what to use it for."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from screener.policy.section import Section


class OutsideEndpoint(Section):
    """An endpoint behind which the telephone network is, or another PBX; a plain string stands for its name."""

    endpoint: str = Field(min_length=1, max_length=80)
    """Its name: `provider` of PJSIP/provider-0000002a."""
    strip: str = Field(default="", pattern=r"^[0-9*#]{0,8}$")
    """Digits that it wants before a number, for an outside line; what is dialled without them is no number outside."""


def _outside(value: Any) -> Any:
    return {"endpoint": value} if isinstance(value, str) else value


Family = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$", max_length=40)]


class AmiSettings(Section):
    """Asterisk's manager interface (AMI). Calls are screened without it."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Where Asterisk listens (manager.conf). AMI is not encrypted: this machine, or a network of your own."""
    port: int = Field(default=5038, ge=1, le=65535)
    user: str | None = Field(default=None, min_length=1, max_length=80)
    """The user in manager.conf; left out: the manager interface is not used."""
    secret: SecretStr | None = None
    """The user's secret. Better keep it out of this file: `secret_file`, or the environment variable
    SCREENER_AMI_SECRET, or the systemd credential `ami-secret`."""
    secret_file: Path | None = None
    """A file that holds the secret and nothing else."""
    action_seconds: float = Field(default=2, gt=0, le=60)
    """Seconds after which an action counts as failed."""
    trunks: tuple[Annotated[OutsideEndpoint, BeforeValidator(_outside)], ...] = ()
    """All endpoints that lead outside, also those that calls only come in by. Whom your people call through one of them
    is trusted. None: nobody earns trust that way."""
    block_family: Family = "blacklist"
    """The family of Asterisk's own database with blocked numbers (FreePBX writes it); empty: none."""
    allow_family: Family = "allowlist"
    """The same for allowed numbers."""
    families_minutes: float = Field(default=5, ge=0.1, le=1440)
    """Minutes from one reading of these families to the next."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("give either secret or secret_file, not both")
        return self
