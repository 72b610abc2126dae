"""The commands as an administrator types them: what they print, where, and with what exit status."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from screener.cli import main
from screener.config import load
from screener.credentials import ARI
from screener.feeds.keeper import feeds_directory
from screener.feeds.refresh import Job, refresh
from screener.memory.journal import Ended, Journal, Judged
from screener.memory.judge import judge
from screener.memory.local import LocalMemory
from screener.memory.settings import JournalSettings
from screener.policy.remembered import Outcome
from screener.policy.remembered import Result as Shown
from screener.policy.verdict import Reason, Treatment
from tests.lab.places import REPO
from tests.policy.builders import ANOTHER_CALLER, CALLER, make_call, make_policy

POLICY = make_policy(bucket={"capacity": 2, "refill_per_hour": 60})
CONFIG = """
policy:
  mode: live
  region: "US"
  bucket: {{capacity: 2, refill_per_hour: 60}}
  voicemail: {{mailbox: "600@default"}}
journal: {{path: "{journal}"}}
"""
NOW = time.time()

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "screener.yaml"
    file.write_text(CONFIG.format(journal=tmp_path / "journal.sqlite"))
    return file


@pytest.fixture
def run(config: Path) -> Run:
    def command(name: str, *args: str) -> Result:
        return CliRunner().invoke(main, [name, "--config", str(config), *args])

    return command


def write(config: Path, *callers: str, name: str = "", begin: float = NOW - 60) -> None:
    """Fill the journal with calls, one a second."""
    memory = LocalMemory(seed=0, callers=1024)
    with Journal(JournalSettings(path=config.with_name("journal.sqlite"))) as journal:
        for number, raw in enumerate(callers):
            at, call = begin + number, replace(make_call(raw), id=f"{begin}.{number}", name=name)
            verdict = judge(memory, call, POLICY, at)
            journal.judged(Judged(call=call, verdict=verdict, at=at, took=0.002, policy_version=POLICY.version))
            if verdict.treatment is Treatment.CAPTCHA:
                passed = Outcome(treatment=Treatment.CAPTCHA, result=Shown.PASSED, tries=1)
                journal.outcome(call.id, passed, at + 0.5)
                journal.ended(call.id, Ended(at=at + 9, cause=16, cause_text="Normal Clearing", seconds=9))


def test_calls_show_how_long_somebody_talked_that_we_were_busy_and_what_was_in_shadow(config: Path, run: Run) -> None:
    endings = [{"talked": 61.4}, {"busy": True}, {}]
    memory = LocalMemory(seed=0, callers=1024)
    with Journal(JournalSettings(path=config.with_name("journal.sqlite"))) as journal:
        for number, ending in enumerate(endings):
            call = replace(make_call(f"+1201555010{number}"), id=f"{number}")
            verdict = judge(memory, call, POLICY, NOW)
            shadow = Reason(code="sweep", points=3, text="reaches many", shadow=True)
            verdict = replace(verdict, reasons=(*verdict.reasons, shadow))
            journal.judged(Judged(call=call, verdict=verdict, at=NOW, took=0.002, policy_version=""))
            journal.ended(call.id, Ended(at=NOW + 70, cause=16, cause_text="Normal", seconds=70, **ending))  # type: ignore[arg-type]
    lines = run("calls").output.splitlines()
    calls = [line for line in lines if "Normal after 70 s" in line]
    assert calls[0].endswith("Normal after 70 s, 61 of them in conversation")
    assert calls[1].endswith("Normal after 70 s; found us busy")
    assert calls[2].endswith("Normal after 70 s")
    assert lines[-1].strip() == "+3  reaches many (in shadow, not counted)"
    told = [json.loads(line) for line in run("calls", "--json").output.splitlines()]
    assert [(one["talked"], one["busy"]) for one in told] == [(61.4, False), (0.0, True), (0.0, False)]
    assert told[0]["verdict"]["reasons"][-1]["shadow"] is True


# ------------------------------------------------------------------------------------------------------------- check


def test_check_says_that_a_file_is_fine_and_that_it_saw_no_password(tmp_path: Path) -> None:
    sample = (REPO / "config" / "screener.yaml").read_text()
    password = tmp_path / "ari-password"
    file = tmp_path / "screener.yaml"
    file.write_text(sample.replace("/etc/screener/ari-password", str(password)))
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 2
    assert f"the password's file {password} cannot be read" in result.stderr
    password.write_text("a password")
    password.chmod(0o640)
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 0
    assert "fine (policy " in result.stdout
    assert result.stdout.endswith("mode shadow)\n")
    file.write_text("policy: {region: US}")
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 0
    assert result.stdout.endswith("the daemon needs asterisk.password_file or a credential\n")


@pytest.mark.parametrize(
    ("asterisk", "said"),
    [
        ('url: "http://me:secret@127.0.0.1:8088"', "1: asterisk.url: expected no user and password in the address"),
        (
            "ca_file: /nowhere/ca.pem",
            "asterisk.ca_file: the certificates in /nowhere/ca.pem cannot be read: No such",
        ),
        (f"ca_file: {__file__}", "cannot be read: [X509: NO_CERTIFICATE_OR_CRL_FOUND]"),
    ],
)
def test_check_looks_at_what_the_daemon_will_need(tmp_path: Path, asterisk: str, said: str) -> None:
    file = tmp_path / "screener.yaml"
    file.write_text(f"asterisk: {{{asterisk}}}\npolicy: {{region: US}}")
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 2
    assert said in result.stderr
    assert "secret" not in result.output


def test_check_tells_every_fault_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text('policy: {region: "US", mod: live,\n  bucket: {capcity: 1}}\n')
    result = CliRunner().invoke(main, ["check", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"{file}:1: policy.mod: there is no such key; did you mean mode?",
        f"{file}:2: policy.bucket.capcity: there is no such key; did you mean capacity?",
    ]


@pytest.mark.parametrize("command", [["run"], ["calls"], ["explain", "--caller", "1", "--did", "2"]])
def test_every_command_refuses_a_wrong_configuration_alike(tmp_path: Path, command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "screener", *command, "--config", str(tmp_path / "none.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory\n"


def test_run_without_a_password_says_where_to_put_it(config: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != ARI.variable}
    result = subprocess.run(
        [sys.executable, "-m", "screener", "run", "--config", str(config)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert result.returncode == 2
    assert "no password for the ARI user 'screener': set password_file" in result.stderr


# ------------------------------------------------------------------------------------------------------------- calls


def test_calls_shows_verdict_reasons_outcome_and_end(config: Path, run: Run) -> None:
    write(config, CALLER, CALLER, CALLER)
    result = run("calls")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[5] for line in lines if " to " in line] == ["pass", "pass", "captcha"]
    assert "score 5 reaches the step captcha at 5; captcha passed; Normal Clearing after 9 s" in lines[2]
    assert "+5  this caller called too often" in lines[3]


def test_calls_of_one_caller_in_any_spelling(config: Path, run: Run) -> None:
    write(config, CALLER, ANOTHER_CALLER)
    result = run("calls", "--caller", "(201) 555-0123")
    assert [line.split()[2] for line in result.stdout.splitlines()] == [CALLER]


def test_calls_as_json_is_one_ascii_object_a_line(config: Path, run: Run) -> None:
    write(config, CALLER, name="\u00e9\x1b[2J")
    (line,) = run("calls", "--json").stdout.splitlines()
    assert line.isascii()
    told = json.loads(line)
    assert told["call"]["caller"]["key"] == make_call(CALLER).caller.key
    assert told["verdict"]["treatment"] == "pass"


def test_calls_before_there_is_a_journal_says_what_makes_one(run: Run) -> None:
    result = run("calls")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the daemon makes it when it starts (screener run)" in result.stderr


def test_calls_of_a_journal_that_is_none_says_so(config: Path, run: Run) -> None:
    config.with_name("journal.sqlite").write_bytes(b"no database at all" * 100)
    result = run("calls")
    assert result.exit_code == 1
    assert "cannot be read: file is not a database" in result.stderr


def test_calls_without_any_says_so_on_standard_error(config: Path, run: Run) -> None:
    write(config)
    result = run("calls")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no calls yet\n")


def test_calls_that_follow_show_what_happens(config: Path) -> None:
    write(config, CALLER)
    follower = subprocess.Popen(
        [sys.executable, "-m", "screener", "calls", "--follow", "--config", str(config)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert follower.stdout is not None
    try:
        assert CALLER in follower.stdout.readline()
        write(config, ANOTHER_CALLER, ANOTHER_CALLER, ANOTHER_CALLER, begin=NOW)
        shown = [follower.stdout.readline() for _ in range(5)]
    finally:
        follower.terminate()
        follower.wait()
        follower.stdout.close()
    assert all(ANOTHER_CALLER in line for line in (shown[0], shown[1], shown[2], shown[4]))
    assert shown[4].endswith(" captcha passed\n")


# ----------------------------------------------------------------------------------------------------------- explain


def test_explain_says_what_would_happen_and_why(config: Path, run: Run) -> None:
    write(config, CALLER, CALLER)
    result = run("explain", "--caller", CALLER, "--did", "4155550100")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"A call from {CALLER} to +14155550100: pass"  # a token a minute has come back
    assert lines[-1] == "  score 0; the journal knows 2 calls and outcomes of this caller"


def test_explain_judges_at_another_time_by_what_was_known_then(config: Path, run: Run) -> None:
    begin = float(int(NOW)) - 60
    write(config, CALLER, CALLER, CALLER, begin=begin)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(begin + 1))
    told = json.loads(run("explain", "--caller", CALLER, "--did", "4155550100", "--at", at, "--json").stdout)
    assert told["verdict"]["treatment"] == "captcha"
    assert told["verdict"]["acted"] == "captcha"
    assert [reason["code"] for reason in told["verdict"]["reasons"]] == ["rate"]


def test_explain_changes_nothing(config: Path, run: Run) -> None:
    write(config, CALLER)
    before = config.with_name("journal.sqlite").read_bytes()
    first, second = (run("explain", "--caller", CALLER, "--did", "1", "--at", "2030-01-01 00:00") for _ in range(2))
    assert first.stdout == second.stdout
    assert config.with_name("journal.sqlite").read_bytes() == before


def test_explain_needs_no_journal(config: Path, run: Run) -> None:
    result = run("explain", "--caller", "", "--did", "4155550100")
    assert "menu" in result.stdout.splitlines()[0]
    assert not config.with_name("journal.sqlite").exists()
    assert not config.with_name("pepper").exists()


def test_explain_shows_each_trust_with_its_end(config: Path, run: Run) -> None:
    write(config, *[CALLER] * 3)

    shown = run("explain", "--caller", CALLER, "--did", "4155550100").stdout
    told = json.loads(run("explain", "--caller", CALLER, "--did", "4155550100", "--json").stdout)

    assert "trust: passed a challenge; ends " in shown
    assert [trust["kind"] for trust in told["remembered"]["trust"]] == ["passed"]


@pytest.mark.parametrize(("level", "score"), [("A", 0), ("C", 1), ("failed", 3), ("none", 0)])
def test_explain_takes_an_attestation(run: Run, level: str, score: int) -> None:
    told = json.loads(run("explain", "--caller", CALLER, "--did", "1", "--attestation", level, "--json").stdout)
    assert told["verdict"]["score"] == score


def test_a_hostile_caller_is_shown_harmlessly(config: Path, run: Run) -> None:
    hostile = "\x1b[2J[red]'; DROP TABLE calls\r\n"
    write(config, hostile)
    for result in (run("explain", "--caller", hostile, "--did", "1"), run("calls")):
        assert result.exit_code == 0
        assert "\x1b" not in result.stdout
        assert "\r" not in result.stdout
        assert "[red]" in result.stdout


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["-h"])
    for name in ("run", "check", "calls", "explain"):
        assert f"  {name} " in result.stdout


# ------------------------------------------------------------------------------------------------------------- feeds


def with_feeds(config: Path, *feeds: str) -> None:
    config.write_text(config.read_text().replace("policy:\n", f"policy:\n  feeds: [{', '.join(feeds)}]\n"))


def refreshed(config: Path, place: int = 0) -> None:
    policy, directory = load(config).policy, feeds_directory(config.with_name("journal.sqlite"))
    directory.mkdir(exist_ok=True)
    refresh(Job(feed=policy.feeds[place], region=policy.region, directory=directory), time.time() - 90)


def test_feeds_shows_how_much_each_has_how_old_it_is_and_what_was_wrong(config: Path, run: Run) -> None:
    good, bad = config.with_name("good.csv"), config.with_name("bad.txt")
    good.write_text("name,mobile\nAnn,2015550123\nBob,?\n")
    bad.write_text("<html>")
    with_feeds(
        config,
        f"{{name: good, file: {good}, list: contact}}",
        f"{{name: bad, file: {bad}, list: block, points: 3}}",
        "{name: new, url: 'https://example.org/', list: block}",
    )
    refreshed(config, 0)
    refreshed(config, 1)
    lines = run("feeds").stdout.splitlines()

    assert lines == [
        "good                 contact      1 number, 1 minute 30 seconds old; 1 line read as no number: "
        "line 3 is no number: '?'",
        "bad                  +3 points    nothing yet; the last look, 1 minute 30 seconds ago, failed: "
        "a page (HTML or XML) and no list of numbers",
        "new                  block        nothing yet",
    ]
    told = [json.loads(line) for line in run("feeds", "--json").stdout.splitlines()]
    assert [(one["name"], one["numbers"]) for one in told] == [("good", 1), ("bad", None), ("new", None)]


def test_feeds_that_shrank_are_accepted_by_name(config: Path, run: Run) -> None:
    file = config.with_name("list.txt")
    file.write_text(f"{CALLER}\n")
    with_feeds(config, f"{{name: f, file: {file}, list: block}}")
    refreshed(config)
    file.write_text("")
    refreshed(config)
    assert "it is empty and had 1 number;" in run("feeds").stdout
    assert run("feeds", "--accept", "f").exit_code == 0
    refreshed(config)
    assert "f                    block        0 numbers, " in run("feeds").stdout
    wrong = run("feeds", "--accept", "g")
    assert (wrong.exit_code, wrong.stderr) == (1, f"there is no feed 'g' in {config}\n")


def test_check_names_the_file_of_a_feed_that_cannot_be_read_and_starts_without_it(config: Path) -> None:
    table = config.with_name("table.csv")
    table.write_text("a,b\n1,2\n")
    with_feeds(config, "{name: f, file: /nowhere/list, list: block}", f"{{name: g, file: {table}, list: block}}")
    result = CliRunner().invoke(main, ["check", str(config)])

    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"{config}: policy.feeds[0].file: /nowhere/list cannot be read: No such file or directory; "
        "its last good copy counts until it can be",
        f"{config}: policy.feeds[1].file: {table} cannot be read: no column is called like one of numbers: "
        "set `column` to one of a, b; its last good copy counts until it can be",
    ]


def test_explain_knows_what_the_feeds_hold(config: Path, run: Run) -> None:
    file = config.with_name("list.txt")
    file.write_text(f"{CALLER}\n")
    with_feeds(config, f"{{name: f, file: {file}, list: block, note: reported}}")
    refreshed(config)
    result = run("explain", "--caller", CALLER, "--did", "4155550100")

    assert "reject" in result.stdout.splitlines()[0]
    assert f"{CALLER} is on the block feed f (reported) as {CALLER}" in result.stdout
