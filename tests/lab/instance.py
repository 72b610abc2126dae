"""One Asterisk in a directory of its own: writes its configuration, boots it, talks to it, ends it."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self

from tests.lab.ami import Ami, connect
from tests.lab.places import ETC, LabError, run_directory
from tests.lab.ports import Ports, choose_ports
from tests.lab.process import INSIDE, Caged, cage

BOOT_SECONDS: Final = 60.0
"""A cold disk and two busy cores included; two seconds are usual."""

FULL_LOG: Final = "notice,warning,error,verbose(5),debug,dtmf"
QUIET_LOG: Final = "warning,error"

_DIRECTORIES: Final = ("etc", "run", "spool", "db", "log", "cache", "varlib/keys", "data", "screener")
# Asterisk reports each of these as an error when it is missing, and a test may want a log without errors.
_MAY_BE_EMPTY: Final = """
    acl ccss cdr cel cel_custom codecs dnsmgr dsp extconfig features func_curl http musiconhold
    pjproject cli res_curl say sorcery stir_shaken udptl websocket_client stasis enum cli_permissions
    ari voicemail
"""


class _Template(string.Template):
    """Asterisk's own `${...}` and `@` stay as they are."""

    delimiter = "@@"


class Instance:
    """One Asterisk; `role` names the folder of its configuration templates."""

    role: str

    def __init__(self, root: Path, name: str, ports: Ports | None = None) -> None:
        self.root = root
        self.name = name
        self.ports = ports or choose_ports()
        self.directory = run_directory(name)
        self.ami_secret = secrets.token_hex(16)
        self.quiet = False
        """For load: nothing is logged but warnings, and the lab asks for no events."""
        self._caged: Caged | None = None
        self._ami: Ami | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # ------------------------------------------------------------------------------------------------ paths

    @property
    def etc(self) -> Path:
        """Its configuration, as the host sees it."""
        return self.directory / "etc"

    @property
    def log(self) -> Path:
        """Its log: notices, warnings, errors, what the dialplan does, and DTMF."""
        return self.directory / "log" / "full"

    @property
    def spool(self) -> Path:
        """Where voicemail is kept."""
        return self.directory / "spool"

    @property
    def sounds(self) -> Path:
        """Its sounds as the host sees them: `en/digits/4.gsm` and so on; Asterisk sees them in /lab/data/sounds."""
        return self.directory / "data" / "sounds"

    # -------------------------------------------------------------------------------------------- life cycle

    async def start(self) -> None:
        """Boot with a freshly written configuration, and return when Asterisk says that it is ready."""
        self._lay_out()
        self.write_configuration()
        with _ReadySocket() as ready:
            argv = ["asterisk", "-C", f"{INSIDE}/etc/asterisk.conf", "-f"]
            environment = {"NOTIFY_SOCKET": ready.name}
            self._caged = await cage(self.root, self.directory, argv, environment, self.directory / "out")
            await self._until_ready(self._caged, ready)
        self._ami = await self.connect_ami(events=not self.quiet)

    async def stop(self) -> None:
        """End Asterisk and forget what it kept, unless $SCREENER_LAB_KEEP is set."""
        await self.end()
        if not os.environ.get("SCREENER_LAB_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    async def end(self) -> None:
        """End Asterisk; a later start() finds its database and voicemail as they were."""
        self._hang_up_ami()
        if self._caged is not None:
            await self._caged.end()
            self._caged = None

    async def gone(self) -> None:
        """Wait until Asterisk, which was told to, has ended by itself."""
        self._hang_up_ami()
        if self._caged is not None:
            await self._caged.process.wait()
            self._caged = None

    async def kill(self) -> None:
        """Kill Asterisk as a power cut would."""
        self._hang_up_ami()
        if self._caged is not None:
            self._caged.kill()
            await self._caged.process.wait()
            self._caged = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Asterisk itself."""
        self._running().signal(number)

    @property
    def pid(self) -> int:
        """Asterisk's process id, as the host sees it."""
        return self._running().pid

    # ------------------------------------------------------------------------------------------------- talk

    @property
    def ami(self) -> Ami:
        """The lab's own connection to the manager interface."""
        if self._ami is None:
            raise LabError(f"{self.name} is not running.")
        return self._ami

    async def connect_ami(self, *, events: bool = True) -> Ami:
        """Open a further connection to the manager interface; whoever asks for it closes it."""
        return await connect(self.ports.ami, "lab", self.ami_secret, events=events)

    async def cli(self, command: str) -> str:
        """Run a command of Asterisk's command line and return what it prints."""
        return await self.run("asterisk", "-C", f"{INSIDE}/etc/asterisk.conf", "-rx", command)

    async def run(self, *argv: str) -> str:
        """Run a program beside Asterisk, in the same root, and return what it prints."""
        return await self._running().run(*argv)

    # ---------------------------------------------------------------------------------------- configuration

    def values(self) -> Mapping[str, str]:
        """Return what the templates' `@@{name}` stand for; roles add their own."""
        modules = sorted(self.root.glob("usr/lib/*/asterisk/modules"))
        if not modules:
            raise LabError(f"{self.root} holds no Asterisk: remove it and build it again.")
        rtp = 12_000 if self.role == "pbx" else 22_000  # below the kernel's own range; a port in use is passed over
        return {
            "name": self.name,
            "modules": f"/{modules[0].relative_to(self.root)}",
            "sip_port": str(self.ports.sip),
            "agent_port": str(self.ports.agent),
            "http_port": str(self.ports.http),
            "ami_port": str(self.ports.ami),
            "ami_secret": self.ami_secret,
            "ami_accounts": "",
            "no_modules": "",
            "log_levels": QUIET_LOG if self.quiet else FULL_LOG,
            "rtp_start": str(rtp),
            "rtp_end": str(rtp + 9_998),
        }

    def write_configuration(self) -> None:
        """Write the configuration files anew; `cli("core reload")` then takes them up."""
        for name in _MAY_BE_EMPTY.split():
            self._write(f"{name}.conf", "")
        values = self.values()
        for folder in ("common", self.role):
            for template in sorted((ETC / folder).iterdir()):
                self._write(template.name, _Template(template.read_text()).substitute(values))

    def _write(self, name: str, text: str) -> None:
        (self.etc / name).write_text(text)

    def _lay_out(self) -> None:
        for name in _DIRECTORIES:
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        shipped = self.root / "usr/share/asterisk"
        for entry in shipped.iterdir():
            link = self.directory / "data" / entry.name
            if entry.name != "sounds" and not link.is_symlink():
                link.symlink_to(f"/usr/share/asterisk/{entry.name}")  # as seen from inside
        if not self.sounds.exists():
            _link_tree(shipped / "sounds/en_US_f_Allison", self.sounds / "en")

    # ---------------------------------------------------------------------------------------------- innards

    def _running(self) -> Caged:
        if self._caged is None:
            raise LabError(f"{self.name} is not running.")
        return self._caged

    def _hang_up_ami(self) -> None:
        if self._ami is not None:
            self._ami.close()
            self._ami = None

    async def _until_ready(self, caged: Caged, ready: "_ReadySocket") -> None:
        """Wait for readiness or the end, whichever comes first."""
        waits = {asyncio.Task(ready.wait()), asyncio.Task(caged.process.wait())}
        done: set[asyncio.Task[int | None]] = set()
        try:
            done, _ = await asyncio.wait(waits, timeout=BOOT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            if not done or not caged.running:
                await caged.end(grace=0)
        if not done or caged.process.returncode is not None:
            printed = "\n".join(_last_lines(self.directory / "out", 10))
            raise LabError(f"Asterisk {self.name} did not boot; see {self.log}. It printed:\n{printed}")


class _ReadySocket:
    """What systemd would give Asterisk to say READY=1 on; abstract, so that it is seen inside the root."""

    def __init__(self) -> None:
        self.name = f"@screener-lab-{os.getpid()}-{secrets.token_hex(4)}"

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind("\0" + self.name[1:])
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def wait(self) -> None:
        """Return when READY=1 has come."""
        loop = asyncio.get_running_loop()
        while b"READY=1" not in await loop.sock_recv(self._socket, 4096):
            pass


def _last_lines(path: Path, count: int) -> list[str]:
    return path.read_text(errors="replace").splitlines()[-count:]


def _link_tree(source: Path, target: Path) -> None:
    """Copy a tree by hard links, or in earnest where these cannot be."""
    try:
        shutil.copytree(source, target, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)


def lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Return `name = value` lines."""
    return "\n".join(f"{name} = {value}" for name, value in pairs)
