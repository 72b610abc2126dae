"""`screener replay` as an administrator types it: what it prints and writes, and with what exit status."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from screener.cli import main
from tests.replay.rows import RATE_ALONE, RECORDS, bucket, put, row

Run = Callable[..., Result]

CONFIG = yaml.safe_dump({"policy": {"region": "US", "bucket": bucket(2)} | RATE_ALONE})
LOOSE = CONFIG.replace("capacity: 2", "capacity: 1000")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "screener.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A caller who hammers with long conversations, a name that is a script, a formula, and others."""
    return put(
        tmp_path / "Master.csv",
        *(row(n * 60, talked=100 + n, name=HOSTILE) for n in range(10)),
        row(700, "=1+1", name=HOSTILE),
        *(row(1000 + n, f"+1312555{n:04}") for n in range(5)),
    )


@pytest.fixture
def run(config: Path) -> Run:
    def command(*args: Path | str) -> Result:
        return CliRunner().invoke(main, ["replay", "--config", str(config), *map(str, args), "--timezone", "UTC"])

    return command


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_json_has_what_programs_rely_on(run: Run, records: Path) -> None:
    found = told(run(records, "--json"))
    assert found["calls"] == 16
    assert sum(found["treatments"].values()) == 16
    assert found["treatments"]["captcha"] == 8
    assert found["reasons"]["rate"] == 8
    assert set(found["labels"]) == {"wanted", "spam"}
    assert found["sources"]["inbound"] == 16
    assert found["sources"]["bad_rows"] == 0
    assert sum(sum(hour.values()) for hour in found["hours"].values()) == 16
    assert sum(sum(did.values()) for did in found["dids"].values()) == 16


def test_a_change_of_the_policy_changes_treatments(run: Run, config: Path, records: Path) -> None:
    before = told(run(records, "--json"))["treatments"]
    config.write_text(LOOSE)
    after = told(run(records, "--json"))["treatments"]
    assert (before["captcha"], after["captcha"]) == (8, 0)
    assert after["pass"] == before["pass"] + 8


def test_long_conversations_that_would_have_been_challenged_come_first(run: Run, records: Path) -> None:
    result = run(records)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("Likely false alarms"))
    assert begin < next(n for n, line in enumerate(lines) if line.startswith("Treatments"))
    assert "8 of 10 calls with a long conversation would not have passed" in lines[begin]
    assert "talked 1 minute 49 seconds" in lines[begin + 1]
    assert "captcha" in lines[begin + 1]
    found = told(run(records, "--json"))["long_calls"]
    assert [one["talked"] for one in found["listed"]] == sorted(
        (one["talked"] for one in found["listed"]), reverse=True
    )
    assert len(found["listed"]) == found["not_passed"] == 8


def test_the_campaign_is_found(run: Run, records: Path) -> None:
    (one,) = told(run(records, "--json"))["campaigns"]
    assert (one["kind"], one["what"], one["calls"], one["numbers"], one["dids"]) == ("number", "+12125550133", 8, 1, 1)
    assert "number    +12125550133    8 calls    1 caller    1 DID " in run(records).stdout


def test_verdicts_have_one_row_for_each_judged_call(run: Run, records: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run(records, "--verdicts", out).exit_code == 0
    with out.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == ["start", "src", "dst", "treatment", "score", "reasons"]
    assert len(rows) == 16
    recorded = list(csv.reader(records.read_text().splitlines()))
    assert [one["start"] for one in rows] == [one[9] for one in recorded]
    assert {one["src"] for one in rows} == {one[1] for one in recorded} - {"=1+1"} | {"'=1+1"}
    assert rows[0] | {"start": ""} == {
        "start": "", "src": "+12125550133", "dst": "2125550100", "treatment": "pass", "score": "0", "reasons": "",
    }  # fmt: skip
    assert (rows[2]["treatment"], rows[2]["score"], rows[2]["reasons"]) == ("captcha", "5", "rate")


def labelled(tmp_path: Path, records: Path, *, header: bool = True) -> Path:
    """The first caller's first five calls wanted, all the rest spam."""
    rows = list(csv.reader(records.read_text().splitlines()))
    lines = [f"{one[16]},{'wanted' if n < 5 else 'spam'}" for n, one in enumerate(rows)]
    file = tmp_path / "labels.csv"
    file.write_text("\n".join([*(["uniqueid,label"] if header else []), *lines, ""]))
    return file


@pytest.mark.parametrize("header", [True, False])
def test_labels_make_a_confusion_matrix(run: Run, records: Path, tmp_path: Path, header: bool) -> None:
    found = told(run(records, "--labels", labelled(tmp_path, records, header=header), "--json"))
    # The bucket holds two: of the first five calls three are challenged, of the other five all are.
    assert found["labels"]["wanted"] | {"pass": 0, "captcha": 0} == dict.fromkeys(found["labels"]["wanted"], 0)
    assert (found["labels"]["wanted"]["pass"], found["labels"]["wanted"]["captcha"]) == (2, 3)
    assert sum(found["labels"]["spam"].values()) == 11
    assert found["labels"]["spam"]["captcha"] == 5
    scores, stopped = found["scores"], 11 - found["labels"]["spam"]["pass"]
    assert (scores["true_positives"], scores["false_positives"]) == (stopped, 3)
    assert scores["precision"] == pytest.approx(stopped / (stopped + 3))
    assert scores["recall"] == pytest.approx(stopped / 11)
    assert scores["false_alarms_per_1000"] == pytest.approx(600)
    assert "600.0 false alarms in 1,000 wanted calls" in run(records, "--labels", labelled(tmp_path, records)).stdout


def test_labels_may_stand_in_the_records(run: Run, config: Path, tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text(
        "start,src,dst,duration,billsec,disposition,label,attestation\n"
        "2026-11-25 01:00:00,+12125550133,2125550100,30,20,ANSWERED,wanted,A\n"
        "2026-11-25 01:00:01,,2125550100,30,20,ANSWERED,spam,\n"
        "2026-11-25 01:00:02,+12125550134,2125550100,30,20,ANSWERED,,failed\n"
        "2026-11-25 01:00:03,+12125550135,2125550100,30,20,ANSWERED,perhaps,\n"
    )
    config.write_text("policy: {region: US}")
    found = told(run(path, "--json"))
    assert (sum(found["labels"]["wanted"].values()), sum(found["labels"]["spam"].values())) == (1, 1)
    assert (found["calls"], found["unlabelled"]) == (3, 1)
    assert found["reasons"]["withheld"] == 1
    assert found["reasons"]["attestation"] >= 1
    assert found["sources"]["faults"] == [f"{path}:5: the label is wanted or spam, not 'perhaps'"]


def test_labels_that_belong_to_no_call_are_counted(run: Run, records: Path, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("uniqueid,label\nnobody.1,spam\nnobody.2,maybe\n")
    found = told(run(records, "--labels", file, "--json"))
    assert "labels that belong to no call that was read: 1" in found["hints"]
    assert found["sources"]["faults"] == [f"{file}:3: the label is wanted or spam, not 'maybe'"]


def test_two_policies_side_by_side(run: Run, records: Path, tmp_path: Path) -> None:
    other = tmp_path / "loose.yaml"
    other.write_text(LOOSE)
    found = told(run(records, "--compare", other, "--json"))
    assert (found["treatments"]["captcha"], found["compare"]["treatments"]["captcha"]) == (8, 0)
    assert found["differences"]["moves"] == [{"from": "captcha", "to": "pass", "calls": 8}]
    assert len(found["differences"]["listed"]) == found["differences"]["calls"] == 8
    shown = run(records, "--compare", other).stdout
    assert "Treated differently: 8 calls" in shown
    assert re.search(r"^captcha +8 +50\.0% +0 +0\.0%$", shown, re.MULTILINE), shown


class Page(HTMLParser):
    """What a browser makes of the report."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_is_one_page_that_needs_nothing_else(run: Run, records: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "report.html", tmp_path / "loose.yaml"
    other.write_text(LOOSE)
    labels = labelled(tmp_path, records)
    assert run(records, "--report", out, "--compare", other, "--labels", labels).exit_code == 0
    page = Page(out.read_text())
    assert page.tags.count("svg") == 3
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [value for _, value in page.attributes if value and re.match(r"(https?:)?//|javascript:", value)]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "prefers-color-scheme: dark" in page.text
    # A name that is a script is a name.
    assert HOSTILE in page.text
    for heading in ("Likely false alarms", "By labels", "Two policies", "By day", "Reasons", "Campaigns"):
        assert heading in page.text


def test_bad_rows_are_counted_and_break_nothing(run: Run, records: Path, tmp_path: Path) -> None:
    with records.open("ab") as file:
        file.write(b'"",short\n"\0\n\xff\xfe,"\n' + b",".join([b'"="'] * 21) + b"\n")
    out = tmp_path / "report.html"
    result = run(records, "--report", out)
    assert result.exit_code == 0
    assert f"{records}:17: 2 columns are not those of a call" in result.stderr
    assert re.search(r"[2-5] bad rows skipped", result.stdout)
    assert "Rows that were skipped" in out.read_text()
    assert told(run(records, "--json"))["calls"] == 16


def test_a_called_number_that_is_none_is_judged_as_any_other(run: Run, tmp_path: Path) -> None:
    # The dialplan lets letters and stars of an INVITE through, and a record may hold anything.
    called = ("+1+cmd|calc", "+*7#", "+", HOSTILE)
    records = put(tmp_path / "Master.csv", *(row(n * 60, f"+1312555{n:04}", dst=dst) for n, dst in enumerate(called)))
    assert told(run(records, "--json"))["calls"] == len(called)


def test_several_files_and_one_that_cannot_be_read(run: Run, records: Path, tmp_path: Path) -> None:
    result = run(records, RECORDS / "cdr.db", tmp_path / "nothing.csv", "--json")
    assert told(result)["calls"] == 26
    assert "nothing.csv: cannot be read: No such file or directory" in result.stderr


def test_nothing_to_read_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for path in (tmp_path / "nothing.csv", tmp_path / "empty.csv"):
        result = run(path)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no call could be read" in result.stderr


def test_an_output_that_cannot_be_written_is_a_failure(run: Run, records: Path, tmp_path: Path) -> None:
    result = run(records, "--verdicts", tmp_path / "no" / "out.csv")
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory" in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--timezone", "Mars/Olympus"], "no time zone is called 'Mars/Olympus'"),
        (["--timezone", "../../etc/passwd"], "no time zone is called"),
        (["--columns", "start,src"], "dst must be among them"),
        (["--columns", "start,src,dst,colour"], "no column is called 'colour'"),
        (["--preset", "brutal"], "'brutal' is not one of"),
        (["--preset", "strict"], "a configuration file names its preset itself"),
        ([], "Missing argument 'FILE...'"),
    ],
)
def test_wrong_usage_is_told_with_status_2(config: Path, records: Path, args: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["replay", "--config", str(config), *([str(records)] if args else []), *args])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_wrong_configuration_is_told_with_status_2(run: Run, config: Path, records: Path) -> None:
    config.write_text("policy: {region: US, colour: red}")
    result = run(records)
    assert result.exit_code == 2
    assert "policy.colour: there is no such key" in result.stderr


def test_a_region_that_does_not_exist_is_told_with_status_2(records: Path) -> None:
    result = CliRunner().invoke(main, ["replay", str(records), "--preset", "balanced", "--region", "Atlantis"])
    assert result.exit_code == 2
    assert "expected a country's two letters in capitals" in " ".join(result.stderr.split())


def test_without_a_configuration_a_preset_judges(records: Path) -> None:
    found = told(CliRunner().invoke(main, ["replay", str(records), "--preset", "balanced", "--json"]))
    assert found["policy"]["name"] == "preset balanced, region US"


def test_times_of_another_zone_are_noticed_by_the_unique_ids(config: Path, records: Path) -> None:
    run = CliRunner().invoke
    wrong = told(
        run(main, ["replay", "--config", str(config), str(records), "--timezone", "America/New_York", "--json"])
    )
    assert "+5 hours" in wrong["hints"][0]
    right = told(run(main, ["replay", "--config", str(config), str(records), "--timezone", "UTC", "--json"]))
    assert right["hints"] == []


def test_a_progress_bar_is_drawn_on_a_terminal_and_nowhere_else(config: Path, records: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "screener", "replay", "--config", str(config), str(records), "--json"]
    with open(theirs, "wb", closefd=True) as terminal:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=terminal, check=True, env=os.environ | {"TERM": "xterm"}
        )
    drawn = b""
    with open(ours, "rb", closefd=True, buffering=0) as seen, suppress(OSError):  # EIO: nobody writes there any more
        while piece := seen.read(65_536):
            drawn += piece
    assert b"reading Master.csv" in drawn
    assert json.loads(done.stdout)["calls"] == 16
    quiet = subprocess.run(command, capture_output=True, check=True)
    assert (quiet.stderr, json.loads(quiet.stdout)["calls"]) == (b"", 16)
