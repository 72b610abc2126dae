"""Traffic written as call records reads back as what it was."""

import csv
from pathlib import Path

from tests.traffic.generate import traffic
from tests.traffic.master import write
from tests.traffic.records import Label


def test_call_records_and_labels_say_what_the_traffic_was(tmp_path: Path) -> None:
    records = traffic(3)
    write(records, tmp_path / "Master.csv", tmp_path / "labels.csv")
    with (tmp_path / "Master.csv").open() as file:
        rows = list(csv.reader(file))
    with (tmp_path / "labels.csv").open() as file:
        labels = {row["uniqueid"]: row["label"] for row in csv.DictReader(file)}
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        assert len(row) == 18
        assert (row[2], row[1]) == (
            (record.number, record.did) if record.label is Label.OUTBOUND else (record.did, record.number)
        )
        assert row[14] == record.disposition
        assert bool(row[10]) == (row[14] == "ANSWERED")
        assert abs(int(row[13]) - record.talked) <= 0.5
        assert labels.get(row[16], "outbound") == record.label
