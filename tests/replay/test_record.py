"""What single columns say."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from screener.policy.call import Attestation
from screener.replay.record import attestation, attestation_in, conversation, endpoint_of, name_of
from screener.replay.times import LocalTimes, moment_in


@pytest.mark.parametrize(
    ("userfield", "level"),
    [
        ("", "none"),
        ("attest=A;verify=success", "A"),
        ("scr=pass;attest=B", "B"),
        ("attest=A,verify=invalid_signature", "failed"),
        ("attest=A|verify=success", "A"),
        ("verify=missing_identity_hdr", "none"),
        ("verstat=TN-Validation-Passed-C", "C"),
        ("verstat=No-TN-Validation", "none"),
        ("attest", "none"),
        ("=;==;a=b", "none"),
    ],
)
def test_a_userfield_may_tell_the_attestation(userfield: str, level: str) -> None:
    assert attestation_in(userfield) == Attestation(level)


@pytest.mark.parametrize(
    ("level", "result", "meant"),
    [
        ("A", "", "A"), ("b", "success", "B"), ("A", "failed", "failed"), ("none", "", "none"), ("", "", "none"),
        ("TN-Validation-Passed", "", "B"), ("TN-Validation-Failed", "", "failed"), ("TN-Validation-Passed-A", "", "A"),
        ("", "success", "none"), ("unheard of", "", "none"), ("failed", "", "failed"),
    ],
)  # fmt: skip
def test_a_level_counts_only_beside_a_verification_that_did_not_fail(level: str, result: str, meant: str) -> None:
    assert attestation(level, result) == Attestation(meant)


@pytest.mark.parametrize(
    ("app", "connected", "talked"),
    [("Dial", True, 30), ("Queue", True, 30), ("Dial", False, 30), ("", False, 30), ("VoiceMail", False, 0),
     ("VoiceMail", True, 0), ("Playback", False, 0), ("Stasis", True, 30), ("Hangup", False, 0)],
)  # fmt: skip
def test_only_a_person_makes_a_conversation(app: str, connected: bool, talked: float) -> None:
    assert conversation(30, answered=True, lastapp=app, connected=connected) == talked
    assert conversation(30, answered=False, lastapp=app, connected=connected) == 0


@pytest.mark.parametrize(
    ("clid", "name"),
    [
        ('"Ann Lee" <+15551234567>', "Ann Lee"),
        ('"" <+15551234567>', ""),
        ("Ann <1>", "Ann"),
        ('"15551234567" <15551234567>', ""),
        (r'"Quote \\\"Me\\\", Inc" <2125559876>', 'Quote "Me", Inc'),
        ("", ""),
        ('"<script>" <1>', "<script>"),
    ],
)
def test_the_name_is_what_stands_before_the_number(clid: str, name: str) -> None:
    assert name_of(clid) == name


@pytest.mark.parametrize(
    ("channel", "endpoint"),
    [("PJSIP/trunk-00000001", "trunk"), ("SIP/my-provider-0000000a;1", "my-provider"), ("", ""), ("x", ""),
     ("Local/100@from-queue-00000001;1", "Local/")],
)  # fmt: skip
def test_the_endpoint_is_in_the_channels_name(channel: str, endpoint: str) -> None:
    assert endpoint_of(channel) == endpoint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25 01:50:07", 1795571407.0),
        ("2026-11-25 01:50:07.250", 1795571407.25),
        ("2026-11-25T01:50:07", 1795571407.0),
        ("2026-11-25T02:50:07+0100", 1795571407.0),
        ("2026-11-25 02:50:07 +01:00", 1795571407.0),
        ("2026-11-25T01:50:07Z", 1795571407.0),
        ("1795571407.346684", 1795571407.346684),
        ("1795571407", 1795571407.0),
    ],
)
def test_times_are_read_in_each_form_that_asterisk_writes(text: str, seconds: float) -> None:
    assert LocalTimes(UTC).seconds(text) == pytest.approx(seconds)


def test_times_of_one_minute_are_read_alike_however_they_come() -> None:
    times = LocalTimes(ZoneInfo("America/New_York"))
    for second in range(60):
        text = f"2026-03-08 01:59:{second:02}"
        expected = datetime(2026, 3, 8, 1, 59, second, tzinfo=ZoneInfo("America/New_York")).timestamp()
        assert times.seconds(text) == expected
    assert times.seconds("2026-03-08 03:00:00") - times.seconds("2026-03-08 01:59:59") == 1


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30 00:00:00", "2026-01-01 00:00:60", "2026-01-01 24:00:00", "12", "99999999999",
             "0000-00-00 00:00:00", "1970-01-01 00:00:00", "٢٠٢٦-01-01 00:00:00", "2026-01-01 00:00:0x"],
)  # fmt: skip
def test_what_is_no_date_of_a_call_is_refused(text: str) -> None:
    times = LocalTimes(UTC)
    times.seconds("2026-01-01 00:00:01")
    with pytest.raises(ValueError, match=r"date|month|day|hour|minute|second|range"):
        times.seconds(text)


def test_a_unique_id_tells_its_moment() -> None:
    assert moment_in("pbx1-1795571407.12") == moment_in("1795571407.3") == 1795571407
    assert moment_in("abc") is moment_in("") is None
