"""`replay` and `tune`: what a policy would have done with the calls of the past."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from screener.cli import told
from screener.cli.given import DEFAULT_CONFIG, FilePath, fail, load_or_exit
from screener.config import Config
from screener.feeds.keeper import FeedKeeper, feeds_directory
from screener.policy.call import Call
from screener.policy.presets import Preset
from screener.policy.verdict import Verdict
from screener.replay.book import Book
from screener.replay.columns import ALIASES, KNOWN, NEEDED, SKIPPED
from screener.replay.compass import Compass
from screener.replay.faults import Faults, UnreadableError
from screener.replay.labels import read_labels
from screener.replay.player import Player, Side
from screener.replay.record import CallRecord
from screener.replay.result import Result, Sheet
from screener.replay.source import CEL_NAMES, PASSWORD_VARIABLE, Reading, Source
from screener.replay.tally import Differences, Tally
from screener.replay.times import LocalTimes
from screener.replay.tune import TooFewLabelsError
from screener.replay.tune import tune as search
from screener.replay.verdicts import Verdicts

_SHARE: Final = re.compile(
    r"(?P<part>[0-9]+(\.[0-9]+)?)\s*((?P<percent>%)|(in|of|/)\s*(?P<whole>[1-9][0-9,]*))?", re.ASCII | re.IGNORECASE
)
_PASSWORD: Final = re.compile(r"://[^/@]*:[^/@]+@")
DRAW_SECONDS: Final = 0.1
"""How often a progress bar is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What both commands are given to read."""

    files: tuple[str, ...]
    labels: Path | None
    timezone: ZoneInfo | None
    columns: tuple[str, ...] | None
    table: str
    inbound: tuple[str, ...]
    outbound: tuple[str, ...]


def _zone(_context: click.Context, _option: click.Parameter, name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        # ZoneInfoNotFoundError is a KeyError, a name with .. a ValueError, a directory an OSError.
        raise click.BadParameter(f"no time zone is called {name!r}; expected one such as Europe/Zurich") from error
    except KeyError as error:
        raise click.BadParameter(f"no time zone is called {name!r}; expected one such as Europe/Zurich") from error


def _columns(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(ALIASES.get(name, name) for name in (one.strip().lower() for one in text.split(",")))
    if set(names) >= CEL_NAMES:
        return names
    if unknown := [name for name in names if name not in KNOWN and name != SKIPPED]:
        raise click.BadParameter(
            f"no column is called {unknown[0]!r}; {SKIPPED} skips one; known: {', '.join(sorted(KNOWN))}"
        )
    if missing := [name for name in NEEDED if name not in names]:
        raise click.BadParameter(f"{', '.join(missing)} must be among them")
    return names


def _reading(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.argument("files", nargs=-1, required=True, metavar="FILE..."),
        click.option("--labels", type=FilePath, help="A CSV with uniqueid,label: wanted or spam."),
        click.option("--timezone", callback=_zone, metavar="ZONE",
                     help="Of the times in the records, such as Europe/Zurich; the system's if left out."),
        click.option("--columns", callback=_columns, metavar="NAME,...",
                     help="The columns of files without a header, such as start,src,dst,duration,-,disposition."),
        click.option("--table", default="cdr", show_default=True, help="The table of a database."),
        click.option("--inbound", multiple=True, metavar="CONTEXT",
                     help="A dialplan context of inbound calls; then only such calls are judged."),
        click.option("--outbound", multiple=True, metavar="CONTEXT", help="A dialplan context of your own phones."),
    )):  # fmt: skip
        command = option(command)
    return command


def _policy(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--config", "file", type=FilePath,
                     help=f"The configuration file; {DEFAULT_CONFIG} if there is one, or else a preset."),
        click.option("--preset", type=click.Choice([str(preset) for preset in Preset]),
                     help="A shipped policy in place of a configuration file."),
        click.option("--region", default="US", show_default=True, metavar="CC",
                     help="The country of the numbers (two letters), where no configuration says it."),
        click.option("--outbound-prefix", default="", metavar="DIGITS",
                     help="What your phones dial before a number outside, such as 9."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_reading
@_policy
@click.option("--compare", type=FilePath, help="A second configuration file, to stand beside the first.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--verdicts", type=FilePath, help="Write a CSV with a row for each judged call.")
@click.option("--report", type=FilePath, help="Write an HTML file with charts.")
@click.option("--long", "long_seconds", type=click.FloatRange(1), default=60, show_default=True, metavar="SECONDS",
              help="A conversation of so many seconds was wanted, most likely.")  # fmt: skip
def replay(  # noqa: PLR0917 - click passes them by name
    file: Path | None, preset: str | None, region: str, outbound_prefix: str, compare: Path | None, as_json: bool,
    verdicts: Path | None, report: Path | None, long_seconds: float, **given: Any,
) -> None:  # fmt: skip
    """Say what a policy would have done with the calls of the past, before it is switched on.

    A FILE holds Asterisk's call records (Master.csv, cdr_custom, channel events as CSV; gzip too), is our own journal,
    or names a database as SQLAlchemy does: mysql+pymysql://user@host/asteriskcdrdb, the password in the environment
    variable SCREENER_CDR_PASSWORD. Nothing is changed, and no Asterisk is needed.
    """
    reading = Given(**given)
    config, name = config_of(file, preset, region)
    sides, names = [side_of(config)], [name]
    if compare is not None:
        sides.append(side_of(load_or_exit(compare)))
        names.append(str(compare))
    times, faults = LocalTimes(reading.timezone), Faults()
    with ExitStack() as stack, room():
        book = stack.enter_context(_book(reading, config))
        rows = stack.enter_context(_written(verdicts)) if verdicts is not None else None
        read(book, reading, times, faults)
        sheets = [
            Sheet(name=label, version=side.policy.version, tally=Tally(times, long_seconds=long_seconds))
            for label, side in zip(names, sides, strict=True)
        ]
        differences = Differences() if compare is not None else None
        listener = _listener(sheets, differences, Verdicts(rows) if rows is not None else None)
        player = Player(sides, listener, prefix=outbound_prefix)
        with bar("judging", len(book)) as tick:
            played = player.play(book, tick)
        result = Result(book=book, faults=faults, times=times, played=played, sheets=sheets, differences=differences)
        if report is not None:
            # Charts and templates take a while to load, and most replays are read on a terminal.
            from screener.replay.report import write_report  # noqa: PLC0415

            with _written(report) as page:
                write_report(page, result)
        if as_json:
            click.echo(json.dumps(result.summary()))
        else:
            told.replayed(result)


def _share(_context: click.Context, _option: click.Parameter, text: str) -> float:
    found = _SHARE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"expected a share such as '2 in 1000' or '0.2%', not {text!r}")
    whole = found["whole"] or ("100" if found["percent"] else "1")
    share = float(found["part"]) / float(whole.replace(",", ""))
    if not 0 < share < 1:
        raise click.BadParameter(f"expected a share between none and all, not {text!r}")
    return share


@click.command()
@_reading
@_policy
@click.option("--false-alarms", "bound", callback=_share, default="2 in 1000", show_default=True, metavar="SHARE",
              help="How many wanted calls may be challenged or worse.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(0, 1000), default=12, show_default=True,
              help="Rounds in which figures are tried, each with four replays.")  # fmt: skip
def tune(  # noqa: PLR0917 - click passes them by name
    file: Path | None, preset: str | None, region: str, outbound_prefix: str, bound: float, rounds: int, **given: Any
) -> None:  # fmt: skip
    """Search points and thresholds that stop more spam at a bound on false alarms, and print the policy as YAML.

    The records need labels, of some weeks. The search sees the first 70 % of the labelled calls; how the policy
    does on the others, which it has not seen, is printed with it. Nothing is changed.
    """
    reading = Given(**given)
    config, name = config_of(file, preset, region)
    side = side_of(config)
    times, faults = LocalTimes(reading.timezone), Faults()
    with ExitStack() as stack, room():
        book = stack.enter_context(_book(reading, config))
        read(book, reading, times, faults)
        told.faults(faults)
        with bar("searching", rounds) as tick:
            try:
                found = search(
                    book, config.policy, feeds=side.policy.feeds, callers=config.memory.callers, bound=bound,
                    rounds=rounds, prefix=outbound_prefix, tick=tick,
                )  # fmt: skip
            except TooFewLabelsError as error:
                fail(str(error))
        told.tuned(found, name, times)


def _listener(
    sheets: Sequence[Sheet], differences: Differences | None, rows: Verdicts | None
) -> Callable[[CallRecord, Sequence[Call], Sequence[Verdict]], None]:
    def listen(record: CallRecord, calls: Sequence[Call], verdicts: Sequence[Verdict]) -> None:
        for sheet, call, verdict in zip(sheets, calls, verdicts, strict=True):
            sheet.tally.add(record, call, verdict)
        if rows is not None:
            rows.write(record, verdicts[0])
        if differences is not None:
            differences.add(record, (calls[0], calls[1]), (verdicts[0], verdicts[1]))

    return listen


def _book(given: Given, config: Config) -> Book:
    return Book(
        Compass(
            inbound=given.inbound,
            outbound=given.outbound,
            phones=config.policy.never_screen.endpoints,
            trunks=[trunk.endpoint for trunk in config.ami.trunks],
        )
    )


def config_of(file: Path | None, preset: str | None, region: str) -> tuple[Config, str]:
    """Return the configuration to judge by, and what to call it."""
    if file is not None and preset is not None:
        raise click.UsageError("--config and --preset: a configuration file names its preset itself")
    if preset is None and (file is not None or DEFAULT_CONFIG.exists()):
        return load_or_exit(file or DEFAULT_CONFIG), str(file or DEFAULT_CONFIG)
    chosen = preset or Preset.BALANCED.value
    try:
        config = Config.model_validate({"policy": {"region": region, "preset": chosen}})
    except ValueError as error:
        raise click.BadParameter(f"expected a country's two letters in capitals, such as US, not {region!r}") from error
    return config, f"preset {chosen}, region {region}"


def side_of(config: Config) -> Side:
    """Return a policy that has yet to meet a call, with what its feeds hold today."""
    keeper = FeedKeeper(feeds_directory(config.journal.path))
    keeper.load(config.policy)
    return Side(config.policy, callers=config.memory.callers, feeds=keeper.feeds)


def read(book: Book, given: Given, times: LocalTimes, faults: Faults) -> None:
    """Put all that is given into the book; end the command if that is nothing."""
    reading = Reading(times=times, faults=faults, columns=given.columns, table=given.table)
    for named in given.files:
        source = Source(named, reading)
        if source.is_address and _PASSWORD.search(named):
            click.echo(
                f"whoever lists processes sees this password: leave it out, and set {PASSWORD_VARIABLE}", err=True
            )
        try:
            with bar(f"reading {Path(source.name).name}", source.size) as tick:
                for _ in book.fill(source.records(book)):
                    tick(source.position)
        except UnreadableError as error:
            # What was read of it before stays: a file that is cut off is not lost.
            click.echo(str(error), err=True)
    if given.labels is not None:
        try:
            book.label(read_labels(given.labels, faults))
        except UnreadableError as error:
            fail(str(error))
    if not book.rows:
        told.faults(faults)
        fail("no call could be read")


@contextmanager
def room() -> Iterator[None]:
    """End the command where the temporary table finds no room."""
    try:
        yield
    except sqlite3.Error as error:
        fail(f"the calls found no room in the directory for temporary files (SQLITE_TMPDIR, TMPDIR): {error}")


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on the standard error of a terminal; yield what to call with how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    # It draws when it is told: a thread of its own would be in the way of the processes of a search.
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal, auto_refresh=False
    ) as progress:
        task, drawn = progress.add_task(what, total=total or None), 0.0

        def tick(done: int) -> None:
            nonlocal drawn
            progress.update(task, completed=done)
            if time.monotonic() - drawn >= DRAW_SECONDS:
                progress.refresh()
                drawn = time.monotonic()

        yield tick


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8", newline="") as opened:
            yield opened
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
