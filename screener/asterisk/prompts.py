"""Which sound speaks which digit.

Asterisk writes the name of every sound that it plays into its log (verbose 3) and the last application's arguments
into the CDR, so `digits/4&digits/7` would tell the answer to both. With a directory of our own, each digit is spoken by
copies of its sound under names that mean nothing and are new at each start.
"""

import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

SOUNDS: Final[Mapping[str, str]] = {**{str(digit): f"digits/{digit}" for digit in range(10)}, "plus": "letters/plus"}
"""Asterisk's core sounds, by what they say."""

COPIES: Final = 4
"""Names for each sound: a digit that is repeated should not be seen to be."""
KEPT_SECONDS: Final = 3600
"""Copies of an earlier start are removed an hour after the next one: calls that were in a captcha then are over."""
_OURS: Final = re.compile(r"(?P<start>screener-[0-9a-f]{8})-[0-9a-f]{16}\..+")
"""The name of a copy: which start made it, and nothing that means anything. Other files are none of our business."""


class Prompts:
    """Names the sounds for what is to be spoken."""

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """`names` has, for each language, the sounds that say each word."""
        self._names = names

    def speak(self, words: Sequence[str], language: str) -> list[str]:
        """Return the sounds that say `words` (digits, or `plus`), the channel's language before English."""
        known = self._names.get(language) or self._names.get(language[:2]) or self._names.get("en") or {}
        return [secrets.choice(known[word]) if word in known else SOUNDS[word] for word in words]


PLAIN: Final = Prompts({})
"""Asterisk's own sounds under their own names."""


def conceal(sounds: Path, directory: Path, seen_as: Path) -> Prompts:
    """Copy the sounds of all languages below `sounds` into `directory`, which Asterisk sees as `seen_as`.

    Raises OSError if `directory` cannot be written.
    """
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(0o755)  # whatever our umask is: Asterisk reads it
    _remove_old(directory)
    start = f"screener-{secrets.token_hex(4)}"
    names: dict[str, dict[str, list[str]]] = {}
    for language in sorted(path.name for path in sounds.iterdir() if (path / "digits").is_dir()):
        spoken = {word: _copies(sounds / language, word, directory, seen_as, start) for word in SOUNDS}
        names[language] = {word: copies for word, copies in spoken.items() if copies}
    return Prompts(names)


def _copies(language: Path, word: str, directory: Path, seen_as: Path, start: str) -> list[str]:
    originals = sorted(language.glob(f"{SOUNDS[word]}.*"))
    if not originals:
        return []
    names = [f"{start}-{secrets.token_hex(8)}" for _ in range(COPIES)]
    for name in names:
        for original in originals:
            copy = directory / f"{name}{original.suffix}"
            shutil.copyfile(original, copy)
            copy.chmod(0o644)
    return [str(seen_as / name) for name in names]


def _remove_old(directory: Path) -> None:
    """Remove what no call can be listening to any more.

    The copies of the last start were in use until now, however long ago they were made: their hour begins here.
    """
    copies = {path: (path.stat().st_mtime, ours["start"]) for path in directory.iterdir()
              if (ours := _OURS.fullmatch(path.name))}  # fmt: skip
    _, last = max(copies.values(), default=(0.0, ""))
    for path, (made, start) in copies.items():
        if start == last:
            os.utime(path)
        elif made < time.time() - KEPT_SECONDS:
            path.unlink(missing_ok=True)
