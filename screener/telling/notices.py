"""One notice, told everywhere: the log, the journal, the metrics, the webhook."""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from screener.policy.remembered import Notice

log = logging.getLogger(__name__)

ENDINGS: Final = {"surge-ended": "surge-began", "rule-restored": "rule-relaxed"}
"""Notices by which something ends that another one began."""
LEVELS: Final = dict.fromkeys((*ENDINGS, "feed-restored"), logging.INFO)
"""How loud the log says it; what is not named is a warning."""


class Record(Protocol):
    """What is needed of a journal: it neither waits nor raises."""

    def notice(self, notice: Notice, at: float) -> None:
        """Record what the administrator should know."""


class Counts(Protocol):
    """What is needed of metrics."""

    def notice(self, notice: Notice) -> None:
        """Count a notice."""


class Sends(Protocol):
    """What is needed of a webhook: it does not wait."""

    def put(self, notice: Notice, at: float) -> None:
        """Send a notice soon; `at` is in seconds since the epoch."""


class Notices:
    """Tells what the administrator should know. Nobody waits for it."""

    def __init__(
        self, record: Record, wall: Callable[[], float], metrics: Counts | None, webhook: Sends | None
    ) -> None:
        """`wall` is in seconds since the epoch."""
        self._record = record
        self._wall = wall
        self._metrics = metrics
        self._webhook = webhook

    def tell(self, notice: Notice) -> None:
        """Tell a notice."""
        log.log(LEVELS.get(notice.code, logging.WARNING), "%s %s: %s", notice.code, notice.about, notice.text)
        self._record.notice(notice, self._wall())
        if self._metrics is not None:
            self._metrics.notice(notice)
        if self._webhook is not None:
            self._webhook.put(notice, self._wall())
