"""What the README says is so."""

import re
from collections.abc import Iterator, Mapping

import click
import pytest

from screener.cli import main
from screener.policy.settings import PolicySettings
from screener.policy.signals import SIGNALS
from screener.policy.verdict import Treatment
from tests.lab.places import REPO

README = (REPO / "README.md").read_text()
TESTS = {
    name for path in (REPO / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
}


def rows_of(heading: str) -> Iterator[list[str]]:
    """The rows of the first table below a heading, without its head."""
    section = README.partition(f"{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table, heading
    for line in table[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_test_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    assert named
    assert named <= TESTS


def test_every_row_of_what_breaks_names_its_test() -> None:
    for row in rows_of("## What a caller notices when something breaks"):
        assert re.fullmatch(r"`test_\w+`", row[-1]), row


def test_every_signal_is_told_with_its_section_and_the_points_that_are_shipped() -> None:
    shipped = PolicySettings(region="US").signals
    told = {
        row[0].strip("`"): (row[1].strip("`"), row[2].removesuffix(" each")) for row in rows_of("### How it decides")
    }
    assert [(code, section) for code, (section, _) in told.items()] == [(rule.code, rule.section) for rule in SIGNALS]
    for code, (section, points) in told.items():
        settings = getattr(shipped, section)
        named = {"name-warning": "warning", "alike": "alike_points", "hang-up": "hang_up_points"}.get(code, code)
        known = getattr(settings, named.replace("-", "_"), getattr(settings, "points", None))
        if isinstance(known, Mapping):
            assert points == ", ".join(f"{level}: {value:g}" for level, value in known.items())
        elif isinstance(known, int | float):
            assert points == f"{known:g}", code


def test_the_ladder_is_the_one_that_is_shipped() -> None:
    told = [(row[0], row[1]) for row in rows_of("### The ladder")]
    ladder = PolicySettings(region="US").ladder
    assert [(score, treatment) for score, treatment in told if score.isdigit()] == [
        (f"{rung.score:g}", str(rung.treatment)) for rung in ladder
    ]
    assert {treatment for _, treatment in told} == {str(treatment) for treatment in Treatment}


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_shown_and_has_its_help(name: str) -> None:
    assert f"screener {name}" in README
    command = main.commands[name]
    assert command.help
    for option in command.params:
        assert isinstance(option, click.Argument) or option.name == "file" or getattr(option, "help", None), option


def test_every_dependency_has_its_reason() -> None:
    setup = (REPO / "setup.cfg").read_text()
    packages = re.findall(r"^    ([a-zA-Z-]+)>=", setup, re.MULTILINE)
    assert packages
    for package in packages:
        assert package in README, package
    for named in ("ari", "panoramisk", "asyncio-redis"):  # what the project's first sketch named
        assert f"`{named}`" in README or f"| {named}" in README


def test_every_file_and_target_that_the_readme_names_exists() -> None:
    for path in re.findall(r"(?:config|dialplan|docker)/[\w./-]+\.\w+", README):
        assert (REPO / path).is_file(), path
    makefile = (REPO / "Makefile").read_text()
    for target in re.findall(r"(?:^ +|`)make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
