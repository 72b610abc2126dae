"""How much is remembered, and where the journal lies."""

from pathlib import Path

from pydantic import Field

from screener.memory.local import DEFAULT_CALLERS
from screener.policy.section import Section


class MemorySettings(Section):
    """What the daemon holds in memory."""

    callers: int = Field(default=DEFAULT_CALLERS, ge=1024, le=1 << 26)
    """Callers whose token buckets fit, 16 bytes each; beyond it the caller who matters least is forgotten."""


class JournalSettings(Section):
    """The record of every verdict and what became of it."""

    path: Path = Path("/var/lib/screener/journal.sqlite")
    """The SQLite file. Its directory also holds the secret that keys the hashes of withheld numbers."""
    days: float = Field(default=90, gt=0, le=3650)
    """Days after which a call is deleted."""
    rows: int = Field(default=1_000_000, ge=1000, le=100_000_000)
    """Calls that are kept at the most, some 600 bytes each."""
