"""What Prometheus reads."""

import socket

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from screener.policy.remembered import Notice
from screener.policy.verdict import Mode, Reason, Treatment, Verdict
from screener.telling import metrics as metrics_module
from screener.telling.metrics import HOST, Metrics
from tests.lab.ports import free_ports


def verdict(treatment: Treatment = Treatment.CAPTCHA, *codes: str, mode: Mode = Mode.LIVE) -> Verdict:
    reasons = tuple(Reason(code=code, points=1, text="") for code in codes)
    return Verdict(treatment=treatment, mode=mode, score=len(codes), decided_by="", reasons=reasons)


def notice(code: str, about: str = "PBX") -> Notice:
    return Notice(code=code, about=about, text="so many", at=0)


def read(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric by its labels."""
    return {
        tuple(value for _, value in sorted(sample.labels.items(), reverse=True)): sample.value
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
        if sample.name == name
    }


def test_calls_are_counted_by_what_was_judged_and_what_was_done_and_reasons_by_their_code() -> None:
    metrics = Metrics(9464)
    for one in (verdict(Treatment.CAPTCHA, "rate", "surge"), verdict(Treatment.CAPTCHA, "rate", mode=Mode.SHADOW)):
        metrics.count(one)
    assert read(metrics, "screener_calls_total") == {("captcha", "captcha"): 1, ("captcha", "pass"): 1}
    assert read(metrics, "screener_reasons_total") == {("rate",): 2, ("surge",): 1}


def test_what_began_is_active_until_it_ends() -> None:
    metrics = Metrics(9464)
    for code, about in (("surge-began", "PBX"), ("surge-began", "+1415"), ("rule-relaxed", "rate"),
                        ("rule-relaxed", "rate"), ("surge-ended", "+1415"), ("rule-restored", "rate")):  # fmt: skip
        metrics.notice(notice(code, about))
    assert read(metrics, "screener_surge_active") == {("PBX",): 1, ("+1415",): 0}
    assert read(metrics, "screener_rules_relaxed") == {("rate",): 1}
    assert read(metrics, "screener_notices_total") == {
        ("surge-began",): 2, ("rule-relaxed",): 2, ("surge-ended",): 1, ("rule-restored",): 1,
    }  # fmt: skip


def test_what_began_before_the_daemon_ends_at_nought() -> None:
    metrics = Metrics(9464)
    metrics.notice(notice("surge-ended"))
    metrics.notice(notice("surge-began"))
    assert read(metrics, "screener_surge_active") == {("PBX",): 1}


def test_a_stranger_who_dials_many_numbers_makes_no_more_labels_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "LABELS", 3)
    metrics = Metrics(9464)
    for number in range(10):
        metrics.notice(notice("surge-began", f"+1{number}"))
        metrics.count(verdict(Treatment.PASS, f"code{number}"))
    metrics.notice(notice("surge-ended", "+19"))
    assert read(metrics, "screener_surge_active") == {("+10",): 1, ("+11",): 1, ("+12",): 1, ("other",): 6}
    assert len(read(metrics, "screener_reasons_total")) == 4


async def test_the_page_is_served_to_this_machine() -> None:
    (port,) = free_ports(socket.SOCK_STREAM, 1)
    metrics = Metrics(port)
    metrics.count(verdict())
    async with metrics.served(), aiohttp.ClientSession() as http:
        async with http.get(f"http://{HOST}:{port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert await answer.read() == metrics.page()
        async with http.get(f"http://{HOST}:{port}/") as answer:
            assert answer.status == 404


async def test_a_port_that_is_taken_costs_the_metrics_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        async with Metrics(taken.getsockname()[1]).served():
            assert "no metrics" in caplog.text
