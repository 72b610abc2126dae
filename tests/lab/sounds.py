"""The spoken digits as samples: decoded once, by Asterisk itself, from the prompts that it plays."""

import shutil
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.lab.instance import Instance
from tests.lab.places import LabError, lab_directory
from tests.lab.process import INSIDE

Samples = NDArray[np.float32]
"""Mono, 8000 per second; any scale."""

RATE: Final = 8000
DIGITS: Final = "0123456789"


class _Converter(Instance):
    """An Asterisk that is only asked to convert files."""

    role = "world"


async def ensure_digits(root: Path) -> Mapping[str, Samples]:
    """Return each digit as the core sounds speak it, decoding them first if they are not there yet."""
    directory = lab_directory() / "digits"
    if not directory.is_dir():
        await _decode(root, directory)
    return {digit: read_wav(directory / f"{digit}.wav") for digit in DIGITS}


async def _decode(root: Path, directory: Path) -> None:
    async with _Converter(root, "converter") as asterisk:
        for digit in DIGITS:
            gsm = f"{INSIDE}/data/sounds/en/digits/{digit}.gsm"
            await asterisk.cli(f"file convert {gsm} {INSIDE}/spool/{digit}.wav")
        made = [asterisk.spool / f"{digit}.wav" for digit in DIGITS]
        missing = [path.name for path in made if not path.is_file()]
        if missing:
            raise LabError(f"Asterisk could not decode its spoken digits {missing}; see {asterisk.log}.")
        _keep(made, directory)


def _keep(made: Sequence[Path], directory: Path) -> None:
    """Make `directory` with these files in one step."""
    fresh = Path(tempfile.mkdtemp(dir=directory.parent, prefix="digits."))
    for path in made:
        shutil.copy(path, fresh)
    try:
        fresh.rename(directory)
    except OSError:  # another process was faster
        shutil.rmtree(fresh)


def read_wav(path: Path) -> Samples:
    """Read a mono file of 16-bit samples."""
    with wave.open(str(path)) as file:
        if file.getframerate() != RATE or file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise LabError(f"{path} is not 8 kHz mono with 16 bits.")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32)
