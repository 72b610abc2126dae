"""Whom to tell, and where to be asked."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from screener.policy.section import Section


class WebhookSettings(Section):
    """Where notices are sent: a surge began or ended, a rule was relaxed or counts again."""

    url: SecretStr | None = None
    """An address to POST to, as many services have for messages; left out: nothing is sent. Many hold a token, so it is
    shown nowhere."""
    secret_file: Path | None = None
    """A file with the secret that signs what is sent (Standard Webhooks, HMAC-SHA256). Or the environment variable
    SCREENER_WEBHOOK_SECRET, or the systemd credential `webhook-secret`; with none of them nothing is signed."""
    seconds: float = Field(default=5, gt=0, le=60)
    """Seconds that one try may take."""
    minutes: float = Field(default=15, ge=0, le=1440)
    """Minutes for which a notice is tried again."""

    @model_validator(mode="after")
    def _http(self) -> Self:
        if self.url is not None and not self.url.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("url: expected an address that begins with https:// or http://")
        return self


class MetricsSettings(Section):
    """Figures for Prometheus."""

    port: int | None = Field(default=None, ge=1, le=65535)
    """The TCP port on 127.0.0.1 where http://127.0.0.1:PORT/metrics answers; left out: nowhere."""
