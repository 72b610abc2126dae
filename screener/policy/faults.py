"""What is wrong with settings that are well formed and still cannot be used."""

import difflib
from collections.abc import Iterable

Path = tuple[str | int, ...]


class UnusableSettingError(ValueError):
    """A setting that cannot be used; `path` says where it stands, below the policy."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class UnreadableNumberError(UnusableSettingError):
    """A number that no numbering plan knows, or a DID that stands there in two spellings."""


def nearest(written: str, known: Iterable[str]) -> str:
    """Return `; did you mean x?` for what comes close to `written`, or an empty string."""
    near = difflib.get_close_matches(written, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
