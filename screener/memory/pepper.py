"""The secret that keys the hashes of withheld numbers."""

import logging
import secrets
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LENGTH: Final = 32
"""Bytes."""


def pepper(journal: Path) -> bytes:
    """Return the secret that lies beside the journal, made on first use; one for this run if that cannot be."""
    path = journal.with_name("pepper")
    try:
        if not path.exists() or path.stat().st_size < LENGTH:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name("pepper.new")
            beside.unlink(missing_ok=True)
            beside.touch(mode=0o600)
            beside.write_bytes(secrets.token_bytes(LENGTH))
            beside.replace(path)
        return path.read_bytes()
    except OSError as error:
        log.warning("callers who withhold a number will be strangers after a restart: %s", error)
        return secrets.token_bytes(LENGTH)
