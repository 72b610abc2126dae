"""A feed's numbers on the disk: the last good copy, sorted and ready, that a start takes over in milliseconds."""

import os
import struct
import sys
import zlib
from array import array
from pathlib import Path
from typing import Final

from screener.feeds.errors import FeedError
from screener.feeds.reading import MOST_NUMBERS, MOST_PREFIXES, Reading
from screener.policy.feeds import NumberSet

MAGIC: Final = b"screener numbers 1\n"
HEAD: Final = struct.Struct("<QQI")
"""How many numbers, how many bytes of prefixes, and the CRC-32 of both."""


def copy_path(directory: Path, name: str) -> Path:
    """Return where the copy of the feed `name` lies."""
    return directory / f"{name}.numbers"


def write_copy(path: Path, reading: Reading) -> None:
    """Write the numbers, all or nothing. Raises OSError."""
    numbers, prefixes = array("Q", reading.numbers), "\n".join(reading.prefixes).encode()
    if sys.byteorder == "big":
        numbers.byteswap()
    body = numbers.tobytes()
    check = zlib.crc32(prefixes, zlib.crc32(body))
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as written:
            written.write(MAGIC + HEAD.pack(len(numbers), len(prefixes), check))
            written.write(body)
            written.write(prefixes)
            written.flush()
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_copy(path: Path) -> NumberSet:
    """Return the numbers that a copy holds. Raises FeedError for one that is damaged, and OSError."""
    with path.open("rb") as opened:
        try:
            if opened.read(len(MAGIC)) != MAGIC:
                raise FeedError(f"{path} is no copy of a feed")
            count, length, check = HEAD.unpack(opened.read(HEAD.size))
            if count > MOST_NUMBERS or length > MOST_PREFIXES * 20:
                raise FeedError(f"{path} is damaged")
            numbers = array("Q")
            numbers.fromfile(opened, count)
            prefixes = opened.read()
        except (EOFError, ValueError, struct.error) as error:
            raise FeedError(f"{path} is damaged: it ends too early") from error
    if len(prefixes) != length or zlib.crc32(prefixes, zlib.crc32(numbers)) != check:
        raise FeedError(f"{path} is damaged")
    if sys.byteorder == "big":
        numbers.byteswap()
    return NumberSet(numbers, prefixes.decode().split("\n") if prefixes else ())
