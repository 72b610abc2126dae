"""Where to listen for FastAGI, and how much of it to bear."""

from pydantic import Field

from screener.policy.section import Section


class FastAgiSettings(Section):
    """The FastAGI server: `AGI(agi://127.0.0.1:4573/screen)` asks what Stasis() asks, for who wants no Stasis."""

    enabled: bool = False
    """Whether to listen at all."""
    listen: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """The address to listen on. AGI has no password and is not encrypted: this machine, or a network of your own."""
    port: int = Field(default=4573, ge=1, le=65535)
    connections: int = Field(default=200, ge=1, le=10_000)
    """Connections at once; beyond it the one that has kept its environment back for longest is closed."""
    header_seconds: float = Field(default=1, gt=0, le=60)
    """Seconds that a connection gets to send its environment."""
    answer_seconds: float = Field(default=0.5, gt=0, le=10)
    """Seconds that Asterisk gets for each answer. The dialplan's lease (0.7 s) should be longer."""
