"""What the commands share: what they are given, and how they say what is wrong with it."""

import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from screener import daemon
from screener.config import Config, ConfigError, load

DEFAULT_CONFIG: Final = Path("/etc/screener/screener.yaml")
FAILED: Final = 1

FilePath = click.Path(dir_okay=False, path_type=Path)


def load_or_exit(file: Path) -> Config:
    """Return the configuration; say what is wrong with it and end the command if it cannot be used."""
    try:
        return load(file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(daemon.WRONG_CONFIG)


def fail(message: str) -> NoReturn:
    """Say why something could not be done, and end the command."""
    click.echo(message, err=True)
    sys.exit(FAILED)
