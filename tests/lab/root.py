"""Builds the directory tree in which the lab's Asterisks and SIPp run: Debian's testing suite, 350 MB."""

import fcntl
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.mirror import Say, debian_mirror
from tests.lab.places import LabError, lab_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A Debian tree."""

    name: str
    suite: str
    packages: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What it is built from, as its stamp holds it."""
        return f"{self.suite} {' '.join(self.packages)}\n"


ASTERISK: Final = Tree(
    name="root",
    suite="forky",  # Debian 12 and 13 carry no Asterisk; this suite does
    packages=("asterisk", "asterisk-core-sounds-en", "asterisk-core-sounds-en-gsm", "sip-tester", "openssl"),
)
STAMP: Final = "etc/screener-lab"
"""Holds what the tree was built from, so that a change of the list builds it again."""
QUIET_SECONDS: Final = 5.0
"""How long a step may say nothing before we say that it is still running."""


def ensure_root(say: Say) -> Path:
    """Return the tree, building it first if it is missing or was built from another list."""
    given = os.environ.get("SCREENER_LAB_ROOT")
    if given:
        return Path(given)
    return ensure_tree(ASTERISK, say)


def ensure_tree(tree: Tree, say: Say) -> Path:
    """Return a tree, building it first if it is missing or was built from another list."""
    path = lab_directory() / tree.name
    if _is_current(path, tree):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f"{tree.name}.lock"), say):
        if not _is_current(path, tree):
            _build(path, tree, say)
    return path


def _is_current(path: Path, tree: Tree) -> bool:
    stamp = path / STAMP
    return stamp.is_file() and stamp.read_text() == tree.wanted


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    """Let one process build; the others wait for it."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the lab's root; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(root: Path, tree: Tree, say: Say) -> None:
    """Build beside `root` and rename: a build that was cut off is never used."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root, to build a Debian tree and to mount in it: run it with sudo or as root.")
    for torn in root.parent.glob(f"{root.name}.*.tmp"):
        shutil.rmtree(torn, ignore_errors=True)
    _ensure_mmdebstrap(say)
    started = time.monotonic()
    fresh = root.with_name(f"{root.name}.{os.getpid()}.tmp")
    say(f"building the lab's {root.name} (Debian {tree.suite}, 200 to 350 MB, once)")
    _run(_mmdebstrap(fresh, tree, debian_mirror(say)), "building the lab's root", say)
    (fresh / STAMP).write_text(tree.wanted)
    if root.exists():
        old = root.with_name(f"{root.name}.{os.getpid()}.old.tmp")
        root.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    fresh.rename(root)
    say(f"the lab's {root.name} is built ({time.monotonic() - started:.0f} s)")


def _mmdebstrap(target: Path, tree: Tree, mirror: str) -> list[str]:
    # Mirrors that are synchronised seldom have a Release file whose validity has run out.
    fresh = ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"']
    return [
        "mmdebstrap",
        *fresh,
        "--variant=apt",
        f"--include={','.join(tree.packages)}",
        tree.suite,
        str(target),
        mirror,
    ]


def _ensure_mmdebstrap(say: Say) -> None:
    if shutil.which("mmdebstrap"):
        return
    say("installing mmdebstrap")
    _run(["apt-get", "-qq", "update"], "apt-get update", say)
    _run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "mmdebstrap"], "installing mmdebstrap", say)
    if not shutil.which("mmdebstrap"):
        raise LabError("mmdebstrap is missing: install it (apt-get install mmdebstrap) and try again.")


def _run(command: Sequence[str], what: str, say: Say) -> None:
    """Run `command`, saying its progress lines; LabError with its last lines if it fails."""
    # With its parent's death the builder dies too: a build nobody waits for is thrown away anyway.
    argv = ["setpriv", "--pdeathsig", "KILL", "--", *command]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    said: list[str] = []
    with (
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process,
        _heartbeat(what, said, say),
    ):
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith("I: "):
                say(f"  {line[3:].rstrip()}")
    if process.returncode:
        why = f"{what} failed ({command[0]} ended with {process.returncode}); is the mirror reachable? It said:"
        raise LabError("\n".join((why, *said[-12:])))


@contextmanager
def _heartbeat(what: str, said: Sequence[str], say: Say) -> Iterator[None]:
    """Say that `what` goes on whenever nothing was said for a while."""
    done = threading.Event()

    def beat() -> None:
        started, seen = time.monotonic(), len(said)
        while not done.wait(QUIET_SECONDS):
            if len(said) == seen:
                say(f"  still {what} ({time.monotonic() - started:.0f} s)")
            seen = len(said)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
