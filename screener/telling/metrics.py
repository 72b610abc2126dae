"""Figures for Prometheus, served to this machine only."""

import logging
from collections import Counter as Counter_
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from screener.policy.remembered import Notice
from screener.policy.verdict import Verdict
from screener.telling.notices import ENDINGS

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
LABELS: Final = 200
"""Values of one label; what comes beyond is counted as `other`: who scrapes pays for each for ever."""
OTHER: Final = "other"


class Metrics:
    """Counts verdicts and notices."""

    def __init__(self, port: int) -> None:
        """`port` is the TCP port that they are served at."""
        self._port = port
        # A registry of its own: the library's common one would add figures of the process that nobody asked for.
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "screener_calls", "Calls, by what was judged and what was done.", ["treatment", "acted"],
            registry=self._registry,
        )  # fmt: skip
        self._reasons = Counter("screener_reasons", "Reasons of verdicts.", ["code"], registry=self._registry)
        self._notices = Counter("screener_notices", "Notices.", ["code"], registry=self._registry)
        self._active = {
            "surge-began": Gauge(
                "screener_surge_active", "1 while strangers surge to a DID or the PBX.", ["about"],
                registry=self._registry,
            ),
            "rule-relaxed": Gauge(
                "screener_rules_relaxed", "For how many DIDs a rule is relaxed to shadow.", ["code"],
                registry=self._registry,
            ),
        }  # fmt: skip
        self._seen: dict[object, set[str]] = {}
        self._going: Counter_[tuple[str, str]] = Counter_()

    def count(self, verdict: Verdict) -> None:
        """Count a verdict that was carried out."""
        self._calls.labels(str(verdict.treatment), str(verdict.acted)).inc()
        for reason in verdict.reasons:
            self._reasons.labels(self._bounded(self._reasons, reason.code)).inc()

    def notice(self, notice: Notice) -> None:
        """Count a notice, and what it says of what goes on."""
        self._notices.labels(self._bounded(self._notices, notice.code)).inc()
        began = ENDINGS.get(notice.code, notice.code)
        gauge = self._active.get(began)
        if gauge is not None:
            label = self._bounded(gauge, notice.about)
            # What began before we were started may end now.
            going = max(self._going[began, label] + (1 if notice.code == began else -1), 0)
            self._going[began, label] = going
            gauge.labels(label).set(going)

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the figures meanwhile; a port that cannot be had costs the figures and nothing else."""

        async def answer(_request: web.Request) -> web.Response:
            return web.Response(body=self.page(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

        application = web.Application()
        application.router.add_get("/metrics", answer)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        try:
            await runner.setup()
            await web.TCPSite(runner, HOST, self._port).start()
            log.info("metrics are served at http://%s:%d/metrics", HOST, self._port)
        except OSError as error:
            log.warning("no metrics: %s:%d cannot be had (%s)", HOST, self._port, error.strerror or error)
        try:
            yield
        finally:
            await runner.cleanup()

    def _bounded(self, metric: object, value: str) -> str:
        seen = self._seen.setdefault(metric, set())
        if value not in seen and len(seen) >= LABELS:
            return OTHER
        seen.add(value)
        return value
