"""What a running daemon tells the commands, in a file beside the journal: who it is, and what is in force."""

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The daemon as it is."""

    pid: int
    policy: str
    """The version of the policy in force."""
    reloads: int = 0
    """How often it was asked to reload."""
    error: str = ""
    """Why the last reload was refused; empty if it was not."""

    def write(self, path: Path) -> None:
        """Write the file, all or nothing. Raises OSError."""
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(json.dumps(dataclasses.asdict(self)))
        beside.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what the file says, or None if there is none, it cannot be read, or its daemon is gone."""
        try:
            state = cls(**json.loads(path.read_text()))
            return state if _present(path) else None
        except (OSError, ValueError, TypeError):
            return None


@contextmanager
def present(path: Path) -> Iterator[None]:
    """Be there for whoever reads the state at `path`, until the block ends or the process does, however it does.

    A lock, because the number of a process that is gone may be another's by now. It is shared: while one daemon takes
    over from another there are two. Raises OSError.
    """
    with os.fdopen(os.open(_lock(path), os.O_RDWR | os.O_CREAT, 0o640)) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _present(path: Path) -> bool:
    with _lock(path).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def state_path(journal: Path) -> Path:
    """Return where the file lies."""
    return journal.with_name("screener.state")
