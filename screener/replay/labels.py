"""Labels in a file: what somebody who knows says of each call."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from screener.replay.faults import Faults, UnreadableError
from screener.replay.lines import Lines
from screener.replay.record import Label

HEADER: Final = ["uniqueid", "label"]
_LABELS: Final = frozenset(str(label) for label in Label)


def read_labels(path: Path, faults: Faults) -> Iterator[tuple[str, str]]:
    """Yield the unique id and the label of each row; a row that cannot be right is counted and skipped.

    Raises UnreadableError if the file cannot be read.
    """
    try:
        with path.open("rb") as opened, Lines(opened, str(path), faults) as lines:
            rows = csv.reader(lines)
            while True:
                try:
                    row = next(rows)
                    if [column.strip().lower() for column in row] != HEADER:
                        yield _label(row)
                except StopIteration:
                    return
                except (ValueError, csv.Error) as error:
                    faults.add(str(path), lines.number, str(error))
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror}") from None


def _label(row: list[str]) -> tuple[str, str]:
    if len(row) != len(HEADER):
        raise ValueError(f"has {len(row)} columns and not the two of uniqueid,label")
    uniqueid, label = row[0].strip(), row[1].strip().lower()
    if label not in _LABELS:
        raise ValueError(f"the label is wanted or spam, not {label[:40]!r}")
    return uniqueid, label
