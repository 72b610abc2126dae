"""The commands that need Asterisk's manager interface: `redirect` and `families`."""

import asyncio
import os
import re
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.text import Text

from screener import daemon
from screener.asterisk.ami import Ami
from screener.asterisk.errors import AmiError, AriError
from screener.asterisk.families import Families, Family
from screener.asterisk.http import open_http
from screener.asterisk.http_rest import HttpRest
from screener.asterisk.move import MOVABLE, Moved, MoveError, move
from screener.cli.given import DEFAULT_CONFIG, FilePath, fail, load_or_exit
from screener.config import Config, ConfigError
from screener.credentials import ami_secret, ari_password
from screener.policy.caller import e164
from screener.policy.phrase import plural
from screener.policy.policy import compile_policy
from screener.policy.text import printable
from screener.policy.verdict import Treatment

SHOWN: Final = 80
"""Characters of a stranger's text in a line."""

T = TypeVar("T")
_PUNCTUATION: Final = re.compile(r"[^0-9+]")

CONFIG: Final = click.option(
    "--config", "file", type=FilePath, default=DEFAULT_CONFIG, show_default=True, help="The configuration file."
)


@click.command()
@click.argument("channel")
@click.option("--to", "to", type=click.Choice([str(one) for one in MOVABLE]), required=True, help="The treatment.")
@CONFIG
def redirect(channel: str, to: str, file: Path) -> None:
    """Move a call in progress to another treatment: CHANNEL is the caller's, as `core show channels` names it."""
    config = load_or_exit(file)
    try:
        password = ari_password(config.asterisk, os.environ, file).get_secret_value()
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(daemon.WRONG_CONFIG)
    ami = _ami(config, file)
    try:
        moved = _done(config, _move(config, password, ami, channel, Treatment(to)))
    except AriError as error:
        fail(f"Asterisk at {config.asterisk.url}: {error}")
    except MoveError as error:
        fail(str(error))
    click.echo(f"{printable(moved.channel, SHOWN)}: {moved.caller}, moved from {moved.was} to {to}")


@click.command()
@click.option("--block", help="Put this number on Asterisk's block list, spelled as your trunk sends it.")
@click.option("--allow", help="The same for its allow list.")
@click.option("--remove", help="Take this number off both, in whatever spelling it stands there.")
@click.option("--note", default="", help="What to write beside a number.")
@CONFIG
def families(block: str | None, allow: str | None, remove: str | None, note: str, file: Path) -> None:
    """Show or change the lists in Asterisk's own database, which FreePBX and the dialplan read and write too."""
    config = load_or_exit(file)
    settings, region = config.ami, config.policy.region
    wished = [number for number in (block, allow, remove) if number is not None]
    numbers = {written: number for written in wished if (number := e164(written, region)) is not None}
    for written in wished:
        if written not in numbers:
            fail(f"{printable(written, SHOWN)!r} is no telephone number of {region}, nor one that begins with +")
    ami = _ami(config, file)
    lists = Families(ami, settings, region=lambda: region, take=lambda *_: None)
    names = [name for name in (settings.block_family, settings.allow_family) if name]
    if not wished:
        for name, family in _done(config, _read(ami, lists, names)):
            _show(name, family)
        return
    for added, name in ((block, settings.block_family), (allow, settings.allow_family)):
        if added is not None and not name:
            fail("that list has no family in Asterisk's database (ami.block_family, ami.allow_family)")
        if added is not None:
            key = _PUNCTUATION.sub("", added)
            _done(config, _add(ami, lists, name, key, note))
            click.echo(f"{key} is on {name}")
    if remove is not None:
        for name, count in _done(config, _remove(ami, lists, names, numbers[remove])):
            click.echo(f"{numbers[remove]}: {plural(count, 'key')} removed from {name}")
    click.echo(f"the daemon reads it within {settings.families_minutes:g} minutes, or at `screener reload`")


def manager_secret(config: Config, file: Path) -> str | None:
    """Return the secret of the AMI user; None if there is no user. Ends the command if it cannot be read."""
    try:
        secret = ami_secret(config.ami, os.environ, file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(daemon.WRONG_CONFIG)
    return None if secret is None else secret.get_secret_value()


def _ami(config: Config, file: Path) -> Ami:
    secret = manager_secret(config, file)
    if secret is None:
        fail("this needs Asterisk's manager interface, and no user is set for it (ami.user)")
    return Ami(config.ami, secret)


def _done(config: Config, work: Coroutine[Any, Any, T]) -> T:
    """Do it, or say what the manager interface says against it."""
    try:
        return asyncio.run(work)
    except AmiError as error:
        fail(f"the manager interface at {config.ami.host}:{config.ami.port}: {error}")


async def _move(config: Config, password: str, ami: Ami, channel: str, to: Treatment) -> Moved:
    policy = compile_policy(config.policy)
    async with ami.once(), open_http(config.asterisk, password) as (http, base):
        rest = HttpRest(http, base, config.asterisk.request_seconds * 4)
        return await move(rest, ami, channel, to, policy, now=time.time())


async def _read(ami: Ami, lists: Families, names: list[str]) -> list[tuple[str, Family]]:
    async with ami.once():
        return [(name, await lists.family(name)) for name in names]


async def _add(ami: Ami, lists: Families, name: str, number: str, note: str) -> None:
    async with ami.once():
        await lists.add(name, number, note)


async def _remove(ami: Ami, lists: Families, names: list[str], number: str) -> list[tuple[str, int]]:
    async with ami.once():
        return [(name, await lists.remove(name, number)) for name in names]


def _show(name: str, family: Family) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for entry in family.entries:
        console.print(Text.assemble((f"{name:<12} ", "dim"), (f"{entry.number:<17}", "bold"), entry.note))
    for key in family.unreadable:
        console.print(Text(f"{name:<12} {printable(key, SHOWN):<16} is no number", "yellow"))
    if not family.entries and not family.unreadable:
        console.print(Text(f"{name} is empty", "dim"))
