"""Writes traffic as the call records of an Asterisk, and who was who as labels: `python -m tests.traffic.master
--help`."""

import argparse
import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.traffic.generate import traffic
from tests.traffic.records import Label, Record

OUR_PHONE = "101"


def rows(records: Iterable[Record]) -> Iterable[list[str]]:
    """Yield a row of Master.csv for each call: the columns of Asterisk's cdr_csv, with uniqueid and userfield.

    accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration,
    billsec, disposition, amaflags, uniqueid, userfield. Times are UTC (`usegmtime=yes`)."""
    for position, one in enumerate(records):
        outbound = one.label is Label.OUTBOUND
        ours, theirs = f"PJSIP/{OUR_PHONE}-{position:08x}", f"PJSIP/{one.trunk}-{position:08x}"
        src, dst = (one.did, one.number) if outbound else (one.number, one.did)
        answered = one.start + one.duration - one.talked if one.talked else None
        yield [
            "",
            src,
            dst,
            "from-internal" if outbound else "from-trunk",
            f'"{one.name}" <{src}>' if one.name and not outbound else f"<{src}>" if src else "",
            ours if outbound else theirs,
            theirs if outbound else ours,
            "Dial",
            "",
            _time(one.start),
            _time(answered) if answered else "",
            _time(one.start + one.duration),
            f"{one.duration:.0f}",
            f"{one.talked:.0f}",
            one.disposition,
            "DOCUMENTATION",
            uniqueid(one, position),
            "",
        ]


def uniqueid(record: Record, position: int) -> str:
    """Return the unique id of the call in this place, as Asterisk makes them."""
    return f"{record.start:.0f}.{position}"


def write(records: list[Record], master: Path, labels: Path) -> None:
    """Write Master.csv (all cells quoted, as Asterisk does it) and the labels of the inbound calls."""
    with master.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows(records))
    with labels.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["uniqueid", "label"])
        for position, one in enumerate(records):
            if one.label is not Label.OUTBOUND:
                writer.writerow([uniqueid(one, position), str(one.label)])


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def main() -> None:
    """Read the arguments and write both files."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic.master", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which business (1)")
    parser.add_argument("master", type=Path, help="the call records, Master.csv")
    parser.add_argument("labels", type=Path, help="the labels: uniqueid,label")
    arguments = parser.parse_args()
    write(traffic(arguments.seed), arguments.master, arguments.labels)


if __name__ == "__main__":
    main()
