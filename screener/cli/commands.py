"""The commands. Exit status: 0 all is well, 1 something could not be done, 2 a wrong configuration or wrong usage."""

import asyncio
import dataclasses
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from screener import __version__, daemon
from screener.asterisk.errors import AriError
from screener.asterisk.inspect import inspect
from screener.asterisk.inspect_ami import inspect_ami
from screener.asterisk.release import release as free_calls
from screener.cli import feeds as feeds_
from screener.cli import show
from screener.cli.given import DEFAULT_CONFIG, FAILED, FilePath
from screener.cli.given import fail as _fail
from screener.cli.given import load_or_exit as _load
from screener.cli.manager import families, manager_secret, redirect
from screener.cli.replay import replay, tune
from screener.cli.wishes import mark, window
from screener.config import Config, ConfigError
from screener.credentials import ari_password, check_files
from screener.feeds.keeper import LOOK_SECONDS as LOOK_FEEDS_SECONDS
from screener.feeds.keeper import FeedKeeper, feeds_directory
from screener.memory.history import rebuild
from screener.memory.local import LocalMemory
from screener.memory.pepper import pepper
from screener.memory.reader import JournalReader
from screener.policy.call import Attestation, Call, called_number
from screener.policy.caller import Caller, identify
from screener.policy.decide import decide
from screener.policy.phrase import plural
from screener.policy.policy import compile_policy
from screener.state import State, state_path

LOOK_SECONDS: Final = 0.5
"""How often `calls --follow` looks; the journal is as far behind."""

RELOAD_SECONDS: Final = 30.0
"""How long to wait for the daemon: a list of 100,000 numbers takes it some 10 s."""


def _config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config", "file", type=FilePath, default=DEFAULT_CONFIG, show_default=True, help="The configuration file."
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="screener")
def main() -> None:
    """Screens the calls of an Asterisk: who may ring your people?"""


main.add_command(redirect)
main.add_command(families)
main.add_command(replay)
main.add_command(tune)
main.add_command(window)
main.add_command(mark)


@main.command()
@_config_option
def run(file: Path) -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    sys.exit(daemon.run(file))


@main.command()
@click.argument("file", type=FilePath, default=DEFAULT_CONFIG)
@click.option("--pbx", is_flag=True, help="Ask Asterisk too which dialplan, entry and lease are in force.")
def check(file: Path, pbx: bool) -> None:
    """Check a configuration file and the files that it names, and do nothing else."""
    config = _load(file)
    policy = compile_policy(config.policy)
    lines = policy.every_line
    try:
        password = check_files(config, os.environ, file)
        if pbx and password is None:
            password = ari_password(config.asterisk, os.environ, file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(daemon.WRONG_CONFIG)
    modes = " and ".join(sorted({str(line.mode) for line in lines}))
    elsewhere = ""
    if not password:
        elsewhere = "; no password for ARI is set here: the daemon needs asterisk.password_file or a credential"
    for sentence in feeds_.unreadable(config.policy):
        click.echo(f"{file}: {sentence}; its last good copy counts until it can be", err=True)
    click.echo(f"{file}: fine (policy {policy.version}, mode {modes}){elsewhere}")
    if pbx and password is not None:
        boxes = sorted({line.mailbox for line in lines if line.mailbox})
        try:
            asked = inspect(config.asterisk, password.get_secret_value(), boxes, config.fastagi)
            findings = asyncio.run(asked)
        except AriError as error:
            _fail(f"Asterisk at {config.asterisk.url}: {error}")
        if (secret := manager_secret(config, file)) is not None:
            findings += asyncio.run(inspect_ami(config.ami, secret))
        for finding in findings:
            click.echo(f"  {finding.about + ':':24} {finding.says}")
        if any(finding.wrong for finding in findings):
            sys.exit(FAILED)


@main.command()
@_config_option
def reload(file: Path) -> None:
    """Have the running daemon take over a changed policy; a file with a fault changes nothing."""
    wanted = compile_policy((config := _load(file)).policy).version
    path = state_path(config.journal.path)
    before = State.read(path)
    if before is None:
        _fail(f"no daemon is running here ({path} tells of none)")
    try:
        os.kill(before.pid, signal.SIGHUP)
    except OSError as error:
        _fail(f"the daemon (process {before.pid}) cannot be told ({error.strerror}): are you its user, or root?")
    ends = time.monotonic() + RELOAD_SECONDS
    while (now := State.read(path)) is None or now.reloads == before.reloads:
        if time.monotonic() > ends:
            _fail(f"the daemon (process {before.pid}) did not answer within {RELOAD_SECONDS:g} s")
        time.sleep(0.05)
    if now.error:
        _fail(f"refused, the old policy stays in force:\n{now.error}")
    click.echo(f"policy {now.policy} is in force" + ("" if now.policy == wanted else " (the file has changed again)"))


@main.command()
@_config_option
@click.option("--app", help="The Stasis application, if it is not the one of the configuration.")
def release(file: Path, app: str | None) -> None:
    """Send on the calls that a daemon held when it died; systemd runs this whenever the daemon has stopped."""
    # What systemd tells the commands of ExecStopPost=.
    if os.environ.get("EXIT_CODE") == "exited" and os.environ.get("EXIT_STATUS") == str(daemon.REPLACED):
        click.echo("another screener has taken over: the calls are its own now")
        return
    config = _load(file)
    settings = config.asterisk if app is None else config.asterisk.model_copy(update={"application": app})
    try:
        password = ari_password(settings, os.environ, file).get_secret_value()
        released = asyncio.run(free_calls(settings, password))
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(daemon.WRONG_CONFIG)
    except AriError as error:
        _fail(f"Asterisk at {settings.url}: {error}")
    for one in released:
        show.released(one)
    click.echo(f"{plural(len(released), 'call')} held for {settings.application}")


@main.command()
@_config_option
@click.option("--accept", metavar="NAME", help="Take this feed as it is now, although it is empty or shrank.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def feeds(file: Path, accept: str | None, as_json: bool) -> None:
    """Show the lists from files and addresses: how many numbers, how old, and what was wrong last."""
    config = _load(file)
    if accept is None:
        feeds_.show(config.policy, config.journal.path, time.time(), as_json=as_json)
        return
    try:
        if not feeds_.accept(accept, config.policy, config.journal.path):
            _fail(f"there is no feed {accept!r} in {file}")
    except OSError as error:
        _fail(f"feed {accept}: {error.filename} cannot be removed ({error.strerror}): are you its user, or root?")
    click.echo(f"feed {accept}: the daemon looks at it within {LOOK_FEEDS_SECONDS:g} s, and takes it as it is")


@main.command()
@_config_option
@click.option("--follow", is_flag=True, help="Go on with calls as they happen, until Ctrl-C.")
@click.option("--caller", help="Only calls from this number.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many calls to begin with.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def calls(file: Path, follow: bool, caller: str | None, limit: int, as_json: bool) -> None:
    """Show the calls that were judged, with verdict, outcome and reasons; newest last."""
    config = _load(file)
    key = None if caller is None else _caller(config, caller, withheld=False).key
    with _journal(config) as journal:
        last_call, last_outcome = journal.last_rows()
        found = journal.calls(caller=key, limit=limit)
        for call in found:
            show.call(call, as_json=as_json)
        if not found and not follow:
            click.echo("no calls yet", err=True)
        while follow:
            time.sleep(LOOK_SECONDS)
            for call in journal.calls(caller=key, limit=10_000, after_row=last_call):
                last_call = call.row
                show.call(call, as_json=as_json)
            for row, told in journal.outcomes(caller=key, after_row=last_outcome):
                last_outcome = row
                show.outcome(told, as_json=as_json)


@main.command()
@_config_option
@click.option("--caller", required=True, help="The calling number; an empty one is withheld.")
@click.option("--did", required=True, help="The number that is called.")
@click.option("--at", type=click.DateTime(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]),
              help="When, in local time; now if left out.")  # fmt: skip
@click.option("--attestation", type=click.Choice([str(level) for level in Attestation]), default="none",
              show_default=True, help="What STIR/SHAKEN says of the number.")  # fmt: skip
@click.option("--withheld", is_flag=True, help="The caller hides the number.")
@click.option("--trunk", default="", help="The endpoint that the call comes in by.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def explain(  # noqa: PLR0917 - click passes them by name
    file: Path, caller: str, did: str, at: datetime | None, attestation: str, withheld: bool, trunk: str, as_json: bool
) -> None:
    """Say what would happen to a call, and why. Nothing is changed, and no daemon is needed."""
    config = _load(file)
    policy, now = compile_policy(config.policy), time.time() if at is None else at.timestamp()
    keeper = FeedKeeper(feeds_directory(config.journal.path))
    keeper.load(config.policy)
    policy = dataclasses.replace(policy, feeds=keeper.feeds)
    call = Call(
        id="explain",
        caller=_caller(config, caller, withheld=withheld),
        did=called_number(did, config.policy.region),
        trunk=trunk,
        attestation=Attestation(attestation),
    )
    memory = LocalMemory(seed=0, callers=1024)
    known = 0
    if config.journal.path.exists():
        with _journal(config) as journal:
            known = rebuild(memory, journal.history(until=now, caller=call.caller.key), policy)
            for window in journal.windows(now):
                memory.open_window(window)
    remembered = memory.observe(call, policy, now)
    show.verdict(call, decide(call, remembered, policy, now), remembered, now=now, known=known, as_json=as_json)


def _caller(config: Config, number: str, *, withheld: bool) -> Caller:
    secret = pepper(config.journal.path) if withheld and config.journal.path.exists() else b""
    return identify(number, prohibited=withheld, region=config.policy.region, pepper=secret)


@contextmanager
def _journal(config: Config) -> Iterator[JournalReader]:
    path = config.journal.path
    if not path.exists():
        _fail(f"there is no journal at {path}: the daemon makes it when it starts (screener run)")
    try:
        with JournalReader(path) as journal:
            yield journal
    except sqlite3.Error as error:
        _fail(f"the journal {path} cannot be read: {error}")
    except KeyboardInterrupt:
        sys.exit(0)
