"""How to reach Asterisk's REST interface (ARI)."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, UrlConstraints, field_validator, model_validator
from pydantic_core import Url

from screener.policy.section import Section
from screener.policy.verdict import Treatment

HttpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["http", "https"], host_required=True)]


class RestPath(StrEnum):
    """The way that requests take."""

    AUTO = "auto"
    """Over the event WebSocket where Asterisk answers there (20.14, 22.4 and later), over HTTP elsewhere."""
    WEBSOCKET = "websocket"
    HTTP = "http"


class PromptSettings(Section):
    """How the digits of a captcha are spoken."""

    directory: Path | None = None
    """Where to put copies of Asterisk's digit sounds under meaningless names, so that the answer to a captcha stands in
    no log and no CDR. Asterisk must be able to read it. Left out: the sounds are played under their own names."""
    directory_in_asterisk: Path | None = None
    """The same directory as Asterisk sees it, where that is another path (containers)."""
    sounds: Path = Path("/usr/share/asterisk/sounds")
    """Asterisk's sounds, with a directory for each language."""


class OverloadSettings(Section):
    """When to let calls go on unjudged rather than late."""

    calls: int = Field(default=200, ge=1, le=10_000)
    """Calls being judged at once; a call takes some 5 ms."""
    lag_seconds: float = Field(default=0.3, gt=0, le=10)
    """Seconds that the daemon may be behind with its own work."""
    treatment: Treatment = Treatment.PASS
    """What a call meets beyond that; in shadow mode it passes all the same."""


class AriSettings(Section):
    """The connection to one Asterisk."""

    url: HttpUrl = Url("http://127.0.0.1:8088")
    """Scheme, host and port of Asterisk's HTTP server (http.conf), with its `prefix` if it has one."""
    user: str = Field(default="screener", min_length=1)
    """The user in ari.conf."""
    password: SecretStr | None = None
    """The user's password. Better keep it out of this file: `password_file`, or the environment variable
    SCREENER_ARI_PASSWORD, or the systemd credential `ari-password`."""
    password_file: Path | None = None
    """A file that holds the password and nothing else."""
    application: str = Field(default="screener", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """The Stasis application that the dialplan hands calls to."""
    rest: RestPath = RestPath.AUTO
    """`auto`, `websocket` or `http`: the way that requests take; `auto` tries the socket first."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust for https instead of the system's."""
    request_seconds: float = Field(default=0.5, gt=0, le=10)
    """Seconds after which a request counts as failed. The dialplan's lease (0.7 s) should be longer."""
    call_seconds: float = Field(default=1, gt=0, le=30)
    """Seconds from a call's arrival after which it is sent on unjudged, where the dialplan's lease is longer. That may
    take another `request_seconds`."""

    @field_validator("url")
    @classmethod
    def _no_secrets(cls, url: Url) -> Url:
        if url.username or url.password:
            raise ValueError("expected no user and password in the address: they have keys of their own")
        return url

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("give either password or password_file, not both")
        return self
