"""The command line."""


def main() -> None:
    """Run the `screener` command."""
