"""The commands by which people tell a running daemon something: `window` and `mark`."""

import getpass
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from screener.cli import show
from screener.cli.given import DEFAULT_CONFIG, FilePath, fail, load_or_exit
from screener.config import Config
from screener.memory import wishes
from screener.memory.reader import JournalReader
from screener.policy.call import called_number
from screener.policy.caller import CallerKind, identify
from screener.policy.phrase import duration
from screener.policy.remembered import Window, WindowKind
from screener.policy.text import printable

LONGEST_SECONDS: Final = 30 * 86_400.0
"""A window ends by itself; one that lasts longer is a policy, and belongs into the configuration."""
NOTE_LIMIT: Final = 200
"""Characters kept of a note."""
UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0}


def _seconds(_context: click.Context, _option: click.Parameter, written: str) -> float:
    """Read a stretch of time as people write it: `30m`, `2h`, `1d`."""
    found = re.fullmatch(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) ?([mhd])", written.strip(), re.ASCII)
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= LONGEST_SECONDS:
        said = printable(written, 20)
        raise click.BadParameter(f"{said!r}: write 30m, 2h or 1d, and no more than {duration(LONGEST_SECONDS)}")
    return seconds


def _config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config", "file", type=FilePath, default=DEFAULT_CONFIG, show_default=True, help="The configuration file."
    )(command)


def _did_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--did", help="Only calls to this number of yours; left out: the whole PBX.")(command)


KIND: Final = click.Choice([WindowKind.EXPECTING.value, WindowKind.PAUSE.value])


@click.group()
def window() -> None:
    """Let everybody in for a while, by a window that ends by itself."""


@window.command("open")
@_config_option
@click.argument("kind", type=KIND)
@click.option("--for", "seconds", metavar="TIME", callback=_seconds, required=True, help="For how long: 30m, 2h, 1d.")
@_did_option
def open_(file: Path, kind: str, seconds: float, did: str | None) -> None:
    """Open a window: `expecting` a call that a keypad would keep out, or `pause` the screening."""
    config, now = load_or_exit(file), time.time()
    one = Window(kind=WindowKind(kind), until=now + seconds, did=_did(config, did))
    try:
        wishes.open_window(_journal(config), one, now)
    except sqlite3.Error as error:
        _unwritable(config, error)
    click.echo(f"{_where(one.kind, one.did)}: everybody gets in until {show.time_of(one.until)}")


@window.command()
@_config_option
@click.argument("kind", type=click.Choice([kind.value for kind in WindowKind]))
@_did_option
def close(file: Path, kind: str, did: str | None) -> None:
    """Close a window before its end."""
    config = load_or_exit(file)
    which = WindowKind(kind), _did(config, did)
    try:
        was_open = wishes.close_window(_journal(config), *which, time.time())
    except sqlite3.Error as error:
        _unwritable(config, error)
    if not was_open:
        fail(f"{_where(*which)}: no such window is open")
    click.echo(f"{_where(*which)}: closed")


@window.command("list")
@_config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(file: Path, as_json: bool) -> None:
    """Show the windows that are open."""
    config, now = load_or_exit(file), time.time()
    try:
        with JournalReader(_journal(config)) as journal:
            found = journal.windows(now)
    except sqlite3.Error as error:
        fail(f"the journal {config.journal.path} cannot be read: {error}")
    for one in found:
        if as_json:
            click.echo(json.dumps({"kind": one.kind, "did": one.did, "until": one.until}))
        else:
            left = duration(one.until - now)
            click.echo(f"{_where(one.kind, one.did)}: until {show.time_of(one.until)}, for another {left}")
    if not found and not as_json:
        click.echo("no window is open", err=True)


@click.command()
@_config_option
@click.argument("number")
@click.option("--wanted", "wanted", flag_value=True, type=bool, default=None, help="Its calls are wanted.")
@click.option("--spam", "wanted", flag_value=False, type=bool, help="Its calls are spam.")
@click.option("--note", default="", help="Why, for whoever asks later.")
def mark(file: Path, number: str, wanted: bool | None, note: str) -> None:
    """Say of a caller that its calls are wanted, or that they are spam."""
    if wanted is None:
        raise click.UsageError("say which: --wanted or --spam")
    config, now = load_or_exit(file), time.time()
    caller = identify(number, prohibited=False, region=config.policy.region, pepper=b"")
    if caller.kind is not CallerKind.NUMBER:
        raise click.BadParameter(f"{printable(number, 40)!r} is no telephone number", param_hint="NUMBER")
    author = printable(os.environ.get("SUDO_USER") or getpass.getuser(), 40)
    said = printable(note, NOTE_LIMIT)
    try:
        wishes.mark(_journal(config), caller.key, wanted=wanted, at=now, note=said, author=author)
    except sqlite3.Error as error:
        _unwritable(config, error)
    click.echo(f"{caller.key} is marked as {'wanted' if wanted else 'spam'}")


def _did(config: Config, did: str | None) -> str | None:
    return None if did is None else called_number(did, config.policy.region)


def _where(kind: WindowKind, did: str | None) -> str:
    return f"{kind} for {'all numbers' if did is None else did}"


def _journal(config: Config) -> Path:
    path = config.journal.path
    if not path.exists():
        fail(f"there is no journal at {path}: the daemon makes it when it starts (screener run)")
    return path


def _unwritable(config: Config, error: sqlite3.Error) -> NoReturn:
    fail(f"the journal {config.journal.path} cannot be written ({error}): are you its user, or root?")
