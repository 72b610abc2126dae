"""What a running daemon tells the commands, in a file beside the journal: who it is, and what is in force."""

import dataclasses
import json
import os
from dataclasses import dataclass, field
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
    started: str = field(default_factory=lambda: _started(os.getpid()))
    """When the process began, in the kernel's own count: another process may have got its number since."""

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
            return state if state.started == _started(state.pid) else None
        except (OSError, ValueError, TypeError):
            return None


def _started(pid: int) -> str:
    """Return when a process began, in ticks since the machine did: proc_pid_stat(5), field 22. Raises OSError."""
    # The second field is the program's name, in brackets and with whatever it is called.
    return Path(f"/proc/{pid:d}/stat").read_text().rpartition(")")[2].split()[19]


def state_path(journal: Path) -> Path:
    """Return where the file lies."""
    return journal.with_name("screener.state")
