"""Finds the Debian mirror that this machine's own apt uses."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab.places import LabError

Say = Callable[[str], None]

_ONE_LINE = re.compile(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+\S+", re.MULTILINE)
_DEB822_URIS = re.compile(r"^URIs:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


def debian_mirror(say: Say) -> str:
    """Return the address of a Debian archive: $SCREENER_LAB_MIRROR, or what apt itself uses here."""
    given = os.environ.get("SCREENER_LAB_MIRROR")
    if given:
        return given
    found = _index_targets()
    if not found:
        say("apt has no package lists yet: apt-get update")
        subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
        found = _index_targets()
    for address in (*found, *_sources(Path("/etc/apt"))):
        if "security" not in address:
            return address
    raise LabError("apt on this machine names no Debian mirror: set SCREENER_LAB_MIRROR to one and try again.")


def _index_targets() -> list[str]:
    """Ask apt for the archives whose lists it holds, the most used first."""
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian"],
            check=False,
            capture_output=True,
            text=True,
        ).stdout.split()
    except FileNotFoundError as error:
        raise LabError("the lab is built with Debian's apt, which is not here: run it on Debian 12 or 13.") from error
    return list(dict.fromkeys(listed))


def _sources(etc_apt: Path) -> Iterator[str]:
    """Read the addresses out of apt's source files: one-line style, then deb822."""
    for path in (etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*.list"))):
        if path.is_file():
            yield from (match for match in _ONE_LINE.findall(path.read_text()) if "debian" in match)
    for path in sorted((etc_apt / "sources.list.d").glob("*.sources")):
        yield from (match for match in _DEB822_URIS.findall(path.read_text()) if "debian" in match)
