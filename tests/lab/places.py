"""Where the lab keeps what it builds, and the one error it raises."""

import os
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
