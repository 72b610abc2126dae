"""`screener tune` as an administrator types it."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from screener.cli import main
from screener.config import load
from tests.replay.rows import put, row

CONFIG = """
policy:
  region: "US"
  signals:
    number: {withheld: 1}
    group: {mode: "off"}
    surge: {mode: "off"}
"""
HOUR = 3600


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "screener.yaml"
    file.write_text(CONFIG)
    return file


def records(tmp_path: Path, calls: Iterable[tuple[str, str]]) -> tuple[Path, Path]:
    """Calls an hour apart: the calling number and the label of each."""
    given = list(calls)
    rows = [row(n * HOUR, src, number=n, talked=30) for n, (src, _) in enumerate(given)]
    labels = tmp_path / "labels.csv"
    with labels.open("w", newline="") as file:
        csv.writer(file).writerows((one[16], label) for one, (_, label) in zip(rows, given, strict=True))
    return put(tmp_path / "Master.csv", *rows), labels


def tune(config: Path, given: tuple[Path, Path], *args: str) -> Result:
    master, labels = given
    command = ["tune", str(master), "--labels", str(labels), "--config", str(config), "--timezone", "UTC"]
    return CliRunner().invoke(main, [*command, "--rounds", "1", *args])


def wanted(n: int) -> tuple[str, str]:
    return f"+1312{550 + n // 100}{n % 100:02}00", "wanted"


HIDDEN = ("", "spam")


def test_spam_that_was_let_through_is_caught_and_the_output_is_a_configuration(config: Path, tmp_path: Path) -> None:
    given = records(tmp_path, (HIDDEN if n % 3 == 0 else wanted(n) for n in range(300)))
    result = tune(config, given)
    assert result.exit_code == 0, result.output
    assert "before: recall 0.0% of spam" in result.stdout
    assert result.stdout.count("after:  recall 100.0% of spam, precision 100.0%, 0.0 false alarms") == 2
    assert "# the bound holds on the calls that were not seen (0 of 60 wanted calls: 0.0 to" in result.stdout
    tuned = tmp_path / "tuned.yaml"
    tuned.write_text(result.stdout)
    policy = load(tuned).policy
    assert policy.signals.number.withheld >= policy.ladder[0].score
    assert policy.signals.group.mode == "off"
    assert "# was " in result.stdout
    # What the search promises is what a replay of the new policy shows.
    found = CliRunner().invoke(
        main, ["replay", str(given[0]), "--labels", str(given[1]), "--config", str(tuned), "--json"]
    )
    assert json.loads(found.stdout)["scores"]["recall"] == 1
    assert json.loads(found.stdout)["scores"]["false_positives"] == 0


def test_a_bound_that_does_not_hold_on_what_comes_later_is_told(config: Path, tmp_path: Path) -> None:
    """Later on the wanted calls hide their number too, which nobody could know."""
    early = [HIDDEN if n % 2 == 0 else wanted(n) for n in range(210)]
    late = [("", "wanted") if n % 2 == 0 else wanted(n) for n in range(210, 300)]
    result = tune(config, records(tmp_path, early + late))
    assert result.exit_code == 0
    assert "THE BOUND DOES NOT HOLD on the calls that were not seen (45 of 90 wanted calls: " in result.stderr
    assert "# THE BOUND DOES NOT HOLD" in result.stdout
    assert yaml.safe_load(result.stdout)["policy"]["region"] == "US"


def test_a_search_that_ends_above_the_bound_on_what_it_has_seen_says_so(config: Path, tmp_path: Path) -> None:
    """What a list by hand rejects no figure lets through."""
    config.write_text(CONFIG + '  lists: {block: ["+1312*"]}\n')
    result = tune(config, records(tmp_path, (HIDDEN if n % 2 else wanted(n) for n in range(200))))
    assert result.exit_code == 0, result.output
    assert "# the search did not get below the bound on the calls that it has seen" in result.stdout


def test_where_nothing_better_is_found_the_policy_stays(config: Path, tmp_path: Path) -> None:
    calls = (wanted(n) if n % 2 else (wanted(n)[0], "spam") for n in range(200))
    result = tune(config, records(tmp_path, calls))
    assert result.exit_code == 0
    assert "# nothing better was found: this is the policy as it was" in result.stdout
    assert yaml.safe_load(result.stdout)["policy"]["signals"]["number"] == {"withheld": 1.0}


def test_too_few_labels_are_a_failure(config: Path, tmp_path: Path) -> None:
    result = tune(config, records(tmp_path, (wanted(n) for n in range(100))))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "0 of the calls are labelled as spam and 100 as wanted: at least 30 of each are needed" in result.stderr


@pytest.mark.parametrize("bound", ["2 in 1000", "2 of 1,000", "0.2%", "0.002", "0.2 %", "2/1000"])
def test_a_bound_may_be_written_in_several_ways(config: Path, tmp_path: Path, bound: str) -> None:
    result = tune(config, records(tmp_path, (wanted(n) for n in range(4))), "--false-alarms", bound)
    assert result.exit_code == 1  # too few labels: the bound itself was understood
    assert "labelled" in result.stderr


@pytest.mark.parametrize("bound", ["none", "0", "1000 in 1000", "2 in 0", "-1%", "1e-3"])
def test_a_bound_that_is_none_is_wrong_usage(config: Path, tmp_path: Path, bound: str) -> None:
    result = tune(config, records(tmp_path, (wanted(n) for n in range(4))), "--false-alarms", bound)
    assert result.exit_code == 2


def test_of_too_many_calls_the_last_ones_are_searched(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screener.replay.tune.MOST", 200)
    result = tune(config, records(tmp_path, (HIDDEN if n % 3 == 0 else wanted(n) for n in range(300))))
    assert result.exit_code == 0, result.output
    assert "# the first 100 calls were too many and are left out" in result.stdout
    assert "(0 of 40 wanted calls: 0.0 to" in result.stdout
