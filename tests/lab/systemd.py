"""A real systemd, the first process of namespaces of its own, with the product installed as the README says."""

import asyncio
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path
from typing import Final, Self

from tests.lab.mirror import Say
from tests.lab.places import REPO, LabError, run_directory
from tests.lab.process import children_of, dying_with_us
from tests.lab.root import Tree, ensure_tree

TREE: Final = Tree(name="systemd-root", suite="trixie", packages=("systemd", "python3", "passwd"))
PYTHON: Final = "3.13"
"""The suite's Python, for which the product's dependencies are fetched."""
BOOT_SECONDS: Final = 60.0
MASKED: Final = (
    "systemd-sysctl",
    "systemd-modules-load",
    "systemd-udevd",
    "systemd-udev-trigger",
    "systemd-random-seed",
)
"""What would change the kernel that it shares with its host."""
COMMAND: Final = '#!/bin/sh\nPYTHONPATH=/opt/screener exec python3 -m screener "$@"\n'

# Whatever is written goes into a tmpfs over the tree, and is gone with the namespace.
_BOOT: Final = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$RUN"
mkdir "$RUN/upper" "$RUN/work" "$RUN/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$RUN/upper,workdir=$RUN/work" overlay "$RUN/root"
mount --rbind /dev "$RUN/root/dev"
mount --rbind /sys "$RUN/root/sys"
mount -t proc proc "$RUN/root/proc"
mount -t tmpfs tmpfs "$RUN/root/run"
mount -t tmpfs tmpfs "$RUN/root/tmp"
# The kernel makes no user namespace for who sits in a chroot, and PrivateUsers= needs one.
mkdir "$RUN/root/run/old"
cd "$RUN/root"
pivot_root . run/old
umount --lazy /run/old
mount --make-rshared /
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 /lib/systemd/systemd
"""


def ensure_machine(say: Say) -> Path:
    """Return a Debian tree with systemd and the product's dependencies, building it first if need be."""
    tree = ensure_tree(TREE, say)
    libraries, wanted = tree / "opt" / "screener", "\n".join(_dependencies())
    kept = libraries / "dependencies"
    if not kept.exists() or kept.read_text() != wanted:
        say("fetching the product's dependencies for it")
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        fetch += ["--target", f"{libraries}.new", "--python-version", PYTHON, "--only-binary=:all:", *_dependencies()]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(libraries, ignore_errors=True)
        Path(f"{libraries}.new").rename(libraries)
        kept.write_text(wanted)
    shutil.copytree(REPO / "screener", libraries / "screener", dirs_exist_ok=True)
    command = tree / "usr/local/bin/screener"
    command.write_text(COMMAND)
    command.chmod(0o755)
    for unit in MASKED:
        masked = tree / "etc/systemd/system" / f"{unit}.service"
        if not masked.is_symlink():
            masked.symlink_to("/dev/null")
    return tree


def _dependencies() -> list[str]:
    section = (REPO / "setup.cfg").read_text().partition("install_requires =\n")[2]
    return [line.strip() for line in section.partition("\n[")[0].splitlines() if line.strip()]


class Machine:
    """A Debian on which systemd runs."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._directory = run_directory("systemd")
        self._outer: Process | None = None
        self._pid = 0

    async def __aenter__(self) -> Self:
        with (self._directory / "out").open("wb") as sink:
            apart = ["unshare", "--pid", "--mount", "--cgroup", "--fork", "--kill-child"]
            self._outer = await asyncio.create_subprocess_exec(
                *dying_with_us(apart), "sh", "-c", _BOOT,
                stdin=DEVNULL, stdout=sink, stderr=STDOUT, start_new_session=True,
                env={"PATH": os.environ["PATH"], "TREE": str(self._tree), "RUN": str(self._directory)},
            )  # fmt: skip
        try:
            async with asyncio.timeout(BOOT_SECONDS):
                await self._booted(self._outer)
        except TimeoutError:
            await self.__aexit__()
            raise LabError(f"systemd did not boot within {BOOT_SECONDS:g} s.") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._outer is not None and self._outer.returncode is None:
            self._outer.kill()
            await self._outer.wait()

    def path(self, inside: str) -> Path:
        """Return where a file of the machine is, as seen from outside."""
        return Path(f"/proc/{self._pid}/root{inside}")

    async def run(self, *argv: str) -> str:
        """Run a command and return what it prints; LabError if it fails."""
        status, printed = await self.try_(*argv)
        if status:
            raise LabError(f"{' '.join(argv)} ended with {status}:\n{printed}")
        return printed

    async def try_(self, *argv: str) -> tuple[int, str]:
        """Run a command and return its exit status and what it prints."""
        inside = ["nsenter", "--target", str(self._pid), "--pid", "--mount", "--root", "--cgroup", "--wd"]
        process = await asyncio.create_subprocess_exec(
            *inside, "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *argv,
            stdin=DEVNULL, stdout=PIPE, stderr=STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        return process.returncode or 0, printed.decode(errors="replace")

    async def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return (await self.run("systemctl", "show", "--value", "--property", name, unit)).strip()

    async def _booted(self, outer: Process) -> None:
        while True:
            if outer.returncode is not None:
                raise LabError(f"systemd ended: {(self._directory / 'out').read_text(errors='replace')[-1000:]}")
            if children := children_of(outer.pid):
                self._pid = children[0]
                _, said = await self.try_("systemctl", "is-system-running", "--wait")
                if said.strip() in ("running", "degraded"):
                    return
            await asyncio.sleep(0.05)
