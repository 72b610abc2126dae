"""What is known of one feed, in a small file beside its copy: where it stands, what became of the last look at it."""

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from screener.policy.feed_settings import FeedSettings

CHANGED_BY: Final = frozenset({"url", "file", "format", "column"})
"""Settings that make other numbers of a feed: a copy from before is not this feed's."""
LARGEST: Final = 64 << 10
"""Bytes of the file at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRecord:
    """One feed as the last look at it left it. Times are in seconds since 1970 (UTC)."""

    source: str
    """A hash of where it comes from and how it is read."""
    numbers: int | None = None
    """Numbers in the copy; None if there is no copy."""
    unreadable: int = 0
    """Lines of it that are no number."""
    example: str = ""
    """The first of them, in words."""
    good_at: float = 0.0
    """When the source last gave, or confirmed, what the copy holds; 0: never."""
    looked_at: float = 0.0
    """When the source was last looked at; 0: never."""
    answered: bool = True
    """Whether it answered then, be it with a refusal."""
    error: str = ""
    """What was wrong then; empty if nothing."""
    etag: str = ""
    last_modified: str = ""
    file: tuple[int, ...] = ()
    """What told the file from its other versions, then."""

    def write(self, path: Path) -> None:
        """Write the file, all or nothing. Raises OSError."""
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            beside.write_text(json.dumps(dataclasses.asdict(self)))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path, source: str) -> Self:
        """Return what the file says of this source; of one that it does not know, that nothing is known."""
        try:
            with path.open("rb") as opened:
                written = json.loads(opened.read(LARGEST))
            record = cls(**written | {"file": tuple(written["file"])})
        except (OSError, ValueError, TypeError, KeyError):
            return cls(source=source)
        return record if record.source == source else cls(source=source)


def record_path(directory: Path, name: str) -> Path:
    """Return where the record of the feed `name` lies."""
    return directory / f"{name}.json"


def source_of(settings: FeedSettings, region: str) -> str:
    """Return the hash by which a copy is known as this feed's."""
    meant = settings.model_dump_json(include=set(CHANGED_BY)) + region
    return hashlib.sha256(meant.encode()).hexdigest()[:16]
