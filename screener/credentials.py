"""Where the passwords of our users in Asterisk are kept, and the files that the settings name."""

import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from yarl import URL

from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.settings import AriSettings
from screener.config import Config, ConfigError, Fault
from screener.telling.settings import WebhookSettings
from screener.telling.webhook import signing_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The places where one password may be."""

    section: str
    """The section of the configuration ..."""
    key: str
    """... and the password's key there; `KEY_file` names its file."""
    variable: str
    """The variable of the environment."""
    credential: str
    """The systemd credential."""
    whose: str


ARI: Final = Kept(
    section="asterisk", key="password", variable="SCREENER_ARI_PASSWORD", credential="ari-password", whose="ARI user"
)
AMI: Final = Kept(
    section="ami", key="secret", variable="SCREENER_AMI_SECRET", credential="ami-secret", whose="AMI user"
)

WEBHOOK: Final = Kept(
    section="webhook", key="secret", variable="SCREENER_WEBHOOK_SECRET", credential="webhook-secret", whose="webhook at"
)


def ari_password(settings: AriSettings, environment: Mapping[str, str], file: Path) -> SecretStr:
    """Return the password of the ARI user: from the settings, their file, the environment or systemd's credentials.

    Raises ConfigError if there is none.
    """
    return _read(ARI, settings.user, settings.password, settings.password_file, environment, file)


def has_ari_password(settings: AriSettings, environment: Mapping[str, str]) -> bool:
    """Whether any of these places is named, or there."""
    kept = environment.get("CREDENTIALS_DIRECTORY")
    given = (settings.password, settings.password_file, environment.get(ARI.variable))
    return any(given) or (kept is not None and (Path(kept) / ARI.credential).exists())


def ami_secret(settings: AmiSettings, environment: Mapping[str, str], file: Path) -> SecretStr | None:
    """Return the secret of the AMI user, from the same places; None if there is no user. Raises ConfigError."""
    if settings.user is None:
        return None
    return _read(AMI, settings.user, settings.secret, settings.secret_file, environment, file)


def webhook_secret(settings: WebhookSettings, environment: Mapping[str, str], file: Path) -> str | None:
    """Return what signs what the webhook gets, from the same places; None if there is none. Raises ConfigError."""
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    credential = credentials is not None and (Path(credentials) / WEBHOOK.credential).exists()
    if settings.url is None or not (settings.secret_file or environment.get(WEBHOOK.variable) or credential):
        return None
    host = URL(settings.url.get_secret_value()).host or ""
    secret = _read(WEBHOOK, host, None, settings.secret_file, environment, file).get_secret_value()
    try:
        signing_key(secret)
    except ValueError as error:
        raise ConfigError(file, Fault(line=0, path="webhook.secret_file", message=str(error))) from None
    return secret


def check_files(config: Config, environment: Mapping[str, str], file: Path) -> SecretStr | None:
    """Look at the files that the settings name, and return the ARI user's password; None if it comes from elsewhere.

    A systemd credential, or a variable of the unit's environment, is not to be seen by who checks from a shell.
    Raises ConfigError.
    """
    ari, ami = config.asterisk, config.ami
    if ari.ca_file is not None:
        try:
            ssl.create_default_context(cafile=str(ari.ca_file))
        except OSError as error:
            message = f"the certificates in {ari.ca_file} cannot be read: {error.strerror or error}"
            raise ConfigError(file, Fault(line=0, path="asterisk.ca_file", message=message)) from error
    webhook_secret(config.webhook, environment, file)
    elsewhere = "CREDENTIALS_DIRECTORY" not in environment
    if any((ami.secret, ami.secret_file, environment.get(AMI.variable))) or not elsewhere:
        ami_secret(ami, environment, file)
    # FastAGI needs no ARI; what the unit's credentials hold is not to be seen from a shell.
    if (elsewhere or config.fastagi.enabled) and not has_ari_password(ari, environment):
        return None
    return ari_password(ari, environment, file)


def _read(  # noqa: PLR0917 - two callers, above
    kept: Kept, user: str, given: SecretStr | None, place: Path | None, environment: Mapping[str, str], file: Path
) -> SecretStr:
    if given is not None:
        return given
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if place is None and not environment.get(kept.variable) and credentials:
        place = Path(credentials) / kept.credential
    try:
        if place is not None and place.stat().st_mode & stat.S_IROTH:
            message = f"the {kept.key}'s file is readable by everybody: chmod 640 {place}"
            raise ConfigError(file, Fault(line=0, path=f"{kept.section}.{kept.key}_file", message=message))
        found = environment.get(kept.variable, "") if place is None else place.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"the {kept.key}'s file {place} cannot be read: {reason}"
        raise ConfigError(file, Fault(line=0, path=f"{kept.section}.{kept.key}_file", message=message)) from None
    if not found:
        message = (
            f"no {kept.key} for the {kept.whose} {user!r}: set {kept.key}_file, or the environment variable "
            f"{kept.variable}, or the systemd credential {kept.credential}"
        )
        raise ConfigError(file, Fault(line=0, path=kept.section, message=message))
    return SecretStr(found)
