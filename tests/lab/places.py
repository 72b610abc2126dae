"""Where the lab keeps what it builds, and the one error it raises."""

import os
import re
import shutil
from pathlib import Path
from typing import Final

REPO: Final = Path(__file__).resolve().parents[2]
ETC: Final = Path(__file__).resolve().parent / "etc"
"""Templates of the configuration files; `@@{name}` is filled in."""
SCENARIOS: Final = Path(__file__).resolve().parent / "scenarios"
"""SIPp scenario files."""


class LabError(Exception):
    """The lab cannot go on; the message is a sentence that says what to do next."""


def lab_directory() -> Path:
    """Return the directory of everything generated: `.lab` in the repository, or $SCREENER_LAB."""
    return Path(os.environ.get("SCREENER_LAB", REPO / ".lab")).absolute()


def run_directory(name: str) -> Path:
    """Return a new, empty directory for something that runs, and remove those of processes that are no more."""
    run = lab_directory() / "run"
    run.mkdir(parents=True, exist_ok=True)
    for old in run.iterdir():
        owner = re.search(r"\.(\d+)$", old.name)
        if owner is not None and not Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(old, ignore_errors=True)
    directory = run / f"{name}.{os.getpid()}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory
