"""The PBX under test: an Asterisk as an administrator has it, with a trunk, an agent and voicemail."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.instance import Instance, lines
from tests.lab.ports import Ports

STUB = "[screener]\nexten => s,1,Return()\n"
"""A screener that lets everything through, for tests of the lab itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a test changes about the PBX. Texts are lines of the configuration file named."""

    dialplan: Sequence[Path] = ()
    """Dialplan files of the product, copied as they are into the directory that extensions.conf includes."""
    contexts: str = ""
    """Further contexts of extensions.conf, before the product's."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """[globals] of extensions.conf."""
    ari_user: str = "screener"
    ari: str = ""
    """[general] of ari.conf."""
    trunk: str = ""
    """The trunk's endpoint in pjsip.conf."""
    pjsip: str = ""
    """The end of pjsip.conf."""
    ami: str = ""
    """The end of manager.conf: accounts."""
    stir_shaken: str = ""
    """stir_shaken.conf."""
    quiet: bool = False
    """For load: a log of warnings only, and no events (an Observer sees nothing then)."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Whole configuration files, by name, in place of the lab's."""


class Pbx(Instance):
    """The PBX under test. DIDs are whatever is dialled; 9 before one goes past the screener."""

    role = "pbx"

    def __init__(
        self,
        root: Path,
        name: str = "pbx",
        settings: Settings | None = None,
        *,
        agent_port: int,
        ports: Ports | None = None,
    ) -> None:
        """`agent_port` is where the agent's phone listens (UDP): the world's `ports.agent`, or a SIPp."""
        super().__init__(root, name, ports)
        self.settings = settings or Settings()
        self.quiet = self.settings.quiet
        self.agent_port = agent_port
        self.ari_user = self.settings.ari_user
        self.ari_password = secrets.token_hex(16)

    @property
    def ari_url(self) -> str:
        """The base address of its REST interface."""
        return f"http://127.0.0.1:{self.ports.http}/ari"

    @property
    def cdr(self) -> Path:
        """The call detail records, Master.csv."""
        return self.directory / "log" / "cdr-csv" / "Master.csv"

    @property
    def cel(self) -> Path:
        """The channel event log."""
        return self.directory / "log" / "cel-custom" / "Master.csv"

    def voicemail(self, mailbox: str) -> Sequence[Path]:
        """Return the descriptions (msg*.txt) of the new messages in a mailbox."""
        return sorted((self.spool / "voicemail" / "default" / mailbox / "INBOX").glob("msg*.txt"))

    def values(self) -> Mapping[str, str]:
        """Add what the PBX's templates need."""
        wished = self.settings
        return {
            **super().values(),
            "agent_port": str(self.agent_port),
            "ari_user": self.ari_user,
            "ari_password": self.ari_password,
            "ari_settings": wished.ari,
            "trunk_settings": wished.trunk,
            "pjsip_extra": wished.pjsip,
            "ami_accounts": wished.ami,
            "stir_shaken": wished.stir_shaken,
            "globals": lines(wished.variables.items()),
            "contexts": wished.contexts,
        }

    def write_configuration(self) -> None:
        """Write the PBX's files, the product's dialplan among them."""
        super().write_configuration()
        for name, text in self.settings.files.items():
            (self.etc / name).write_text(text)
        (self.directory / "log" / "cdr-csv").mkdir(exist_ok=True)
        (self.directory / "log" / "cel-custom").mkdir(exist_ok=True)
        screener = self.directory / "screener"
        for old in screener.glob("*.conf"):
            old.unlink()
        for path in self.settings.dialplan:
            shutil.copy(path, screener / path.name)
        if not self.settings.dialplan:
            (screener / "stub.conf").write_text(STUB)
