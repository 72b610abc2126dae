"""One notice reaches all who are to be told."""

import logging

import pytest

from screener.policy.remembered import Notice
from screener.telling.metrics import Metrics
from screener.telling.notices import Notices
from screener.telling.settings import WebhookSettings
from screener.telling.webhook import Webhook


class Record:
    def __init__(self) -> None:
        self.told: list[tuple[Notice, float]] = []

    def notice(self, notice: Notice, at: float) -> None:
        self.told.append((notice, at))


@pytest.mark.parametrize(
    ("code", "level"), [("surge-began", "WARNING"), ("surge-ended", "INFO"), ("rule-relaxed", "WARNING"),
                        ("rule-restored", "INFO"), ("news-of-tomorrow", "WARNING")],
)  # fmt: skip
async def test_a_notice_reaches_log_journal_metric_and_webhook(
    code: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    record, metrics = Record(), Metrics(9464)
    webhook = Webhook(WebhookSettings.model_validate({"url": "http://127.0.0.1:1"}), None, lambda: 0.0)
    notice = Notice(code=code, about="PBX", text="so many", at=5)
    with caplog.at_level(logging.INFO):
        Notices(record, lambda: 1e9, metrics, webhook).tell(notice)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [(level, f"{code} PBX: so many")]
    assert record.told == [(notice, 1e9)]
    assert f'screener_notices_total{{code="{code}"}} 1.0' in metrics.page().decode()
    assert len(webhook._waiting) == 1


def test_with_neither_metrics_nor_webhook_the_others_are_told() -> None:
    record = Record()
    notice = Notice(code="surge-began", about="PBX", text="so many", at=5)
    Notices(record, lambda: 1e9, None, None).tell(notice)
    assert len(record.told) == 1
