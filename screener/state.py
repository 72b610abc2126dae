"""What a running daemon tells the commands, in a file beside the journal: who it is, and what is in force."""

import dataclasses
import json
import os
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
            os.kill(state.pid, 0)
        except PermissionError:
            return state  # it is there, and somebody else's
        except (OSError, ValueError, TypeError):
            return None
        return state


def state_path(journal: Path) -> Path:
    """Return where the file lies."""
    return journal.with_name("screener.state")
