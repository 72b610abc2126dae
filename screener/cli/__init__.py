"""The command line."""

from screener.cli.commands import main

__all__ = ["main"]
