"""What Dial() was told becomes a number that somebody can be called back by, or nothing."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.ami import Answer
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.clocks import Clocks
from screener.asterisk.errors import AmiRefusedError, AmiUnavailableError
from screener.asterisk.outbound import LEGS_ASKED, Outbound, callable_number, outside_digits
from screener.policy.caller import e164
from screener.policy.policy import Policy
from screener.policy.remembered import Window
from tests.policy.builders import brief, make_policy

SETTINGS = AmiSettings.model_validate({"user": "screener", "trunks": ["carrier", {"endpoint": "old", "strip": "9"}]})
OUT = {
    "DIALEDPEERNUMBER": "12125550101@carrier",
    "CHANNEL(linkedid)": "pbx-1.1",
    "CHANNEL(name)": "PJSIP/phone-00000001",
}


class Pbx:
    """Answers Getvar."""

    def __init__(self, **changed: str) -> None:
        self.values = {**OUT, **changed}
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def action(self, name: str, **headers: str) -> list[Answer]:
        assert name == "Getvar"
        self.asked.append(headers["Channel"])
        await self.hold.wait()
        if self.fails is not None:
            raise self.fails
        return [{"Value": self.values.get(headers["Variable"], "")}]


class Learned:
    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.windows: list[Window] = []

    def dialled(self, number: str, _policy: Policy, _now: float) -> None:
        self.numbers.append(number)

    def open_window(self, window: Window) -> None:
        self.windows.append(window)


class Record:
    def __init__(self) -> None:
        self.written: list[tuple[str, float]] = []
        self.windows: list[tuple[float, float]] = []

    def dialled(self, number: str, at: float) -> None:
        self.written.append((number, at))

    def opened(self, window: Window, at: float) -> None:
        self.windows.append((window.until, at))


def watch(pbx: Pbx, **written: Any) -> tuple[Outbound, Learned, Record]:
    learned, record, policy = Learned(), Record(), make_policy(**written)
    outbound = Outbound(
        pbx, SETTINGS, memory=learned, record=record, policy=lambda: policy,
        clocks=Clocks(steady=lambda: 5.0, wall=lambda: 1e9),
    )  # fmt: skip
    return outbound, learned, record


async def seen(pbx: Pbx, channel: str = "PJSIP/carrier-00000002", **written: Any) -> tuple[Learned, Record]:
    outbound, learned, record = watch(pbx, **written)
    outbound.dial_began(channel)
    await outbound.tasks.finish(5)
    return learned, record


async def test_a_call_out_reaches_memory_and_journal() -> None:
    learned, record = await seen(Pbx())
    assert learned.numbers == ["+12125550101"]
    assert record.written == [("+12125550101", 1e9)]


@pytest.mark.parametrize(
    "changed",
    [
        {"CHANNEL(name)": "PJSIP/carrier-00000001"},
        {"CHANNEL(name)": "DAHDI/carrier/5551234-1"},
        {"CHANNEL(name)": "Local/9@from-internal-00000001;1"},
        {"CHANNEL(name)": "nonsense"},
        {"CHANNEL(name)": ""},
        {"SCREENER_TREATMENT": "pass"},
        {"REDIRECTING(from-num)": "+12125550150"},
        {"DIALEDPEERNUMBER": ""},
        {"DIALEDPEERNUMBER": "x\r\ny@carrier"},
    ],
)
async def test_only_a_call_that_began_at_a_phone_of_ours_teaches(changed: dict[str, str]) -> None:
    learned, record = await seen(Pbx(**changed))
    assert learned.numbers == []
    assert record.written == []


async def test_who_calls_a_number_of_our_own_from_inside_makes_no_friend_of_it() -> None:
    own = ["+12125550101"]
    learned, _ = await seen(Pbx(), own_numbers=own)
    assert learned.numbers == []
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER="12125550102@carrier"), own_numbers=own)
    assert learned.numbers == ["+12125550102"]


@pytest.mark.parametrize("channel", ["PJSIP/phone-00000001", "Local/carrier-00000001;2x", "", "PJSIP/carrier", "x" * 9])
async def test_what_is_no_channel_of_a_trunk_is_not_asked_about(channel: str) -> None:
    pbx = Pbx()
    await seen(pbx, channel)
    assert pbx.asked == []


async def test_an_emergency_call_of_unknown_origin_opens_the_window_too_and_one_from_outside_does_not() -> None:
    local = "Local/9@from-internal-00000001;1"
    learned, record = await seen(Pbx(DIALEDPEERNUMBER="911@carrier", **{"CHANNEL(name)": local}))
    assert [window.until for window in learned.windows] == [5.0 + 7200]
    assert record.windows == [(1e9 + 7200, 1e9)]
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER="911@carrier", **{"CHANNEL(name)": "PJSIP/carrier-00000001"}))
    assert learned.windows == []
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER="911@carrier"), windows={"emergency_minutes": 0})
    assert learned.windows == []


@pytest.mark.parametrize("dialled", ["911@old", "9911@old"])
async def test_an_emergency_number_is_known_with_the_trunk_s_own_digits_and_without(dialled: str) -> None:
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER=dialled), "PJSIP/old-00000002")
    assert len(learned.windows) == 1
    assert learned.numbers == []


async def test_a_number_without_the_trunk_s_own_digits_teaches_nothing() -> None:
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER="12125550101@old"), "PJSIP/old-00000002")
    assert (learned.windows, learned.numbers) == ([], [])
    learned, _ = await seen(Pbx(DIALEDPEERNUMBER="912125550101@old"), "PJSIP/old-00000002")
    assert (learned.windows, learned.numbers) == ([], ["+12125550101"])


async def test_a_flood_of_hints_is_bounded_and_passed_over() -> None:
    pbx = Pbx()
    pbx.hold.clear()
    outbound, learned, _ = watch(pbx)
    for number in range(1000):
        outbound.dial_began(f"PJSIP/carrier-{number:08x}")
        outbound.dial_began("PJSIP/carrier-00000000")
    assert len(outbound.tasks) == LEGS_ASKED
    assert outbound.passed_over == 1000 - LEGS_ASKED
    pbx.hold.set()
    await outbound.tasks.finish(5)
    assert len(learned.numbers) == LEGS_ASKED


async def test_missing_rights_are_told_once_and_calls_that_are_over_never(caplog: pytest.LogCaptureFixture) -> None:
    pbx = Pbx()
    outbound, _, _ = watch(pbx)
    for error in (AmiRefusedError("No such channel"), *[AmiRefusedError("Permission denied")] * 3,
                  AmiUnavailableError("away")):  # fmt: skip
        pbx.fails = error
        outbound.dial_began("PJSIP/carrier-00000001")
        await outbound.tasks.finish(5)
    assert [record.message for record in caplog.records] == ["whom our people call is not seen: Permission denied"]


@pytest.mark.parametrize(
    ("dialled", "strip", "digits"),
    [
        ("12125550101@carrier", "", "12125550101"),
        ("+12125550101@carrier", "", "+12125550101"),
        ("carrier/sip:12125550101@127.0.0.1:5060", "", "12125550101"),
        ("carrier/sips:+12125550101;user=phone@host", "", "+12125550101"),
        ("carrier/12125550101", "", "12125550101"),
        ("g0/12125550101", "", "12125550101"),
        ("912125550101@old", "9", "12125550101"),
        ("12125550101@old", "9", None),
        ("9@old", "9", None),
        ("phone", "", None),
        ("alice@carrier", "", None),
        ("user:password@host/12125550101", "", "12125550101"),
        ("", "", None),
        ("\u0661\u0662\u0663@carrier", "", None),
    ],
)
def test_the_digits_that_went_out(dialled: str, strip: str, digits: str | None) -> None:
    assert outside_digits(dialled, strip) == digits


@pytest.mark.parametrize(
    ("digits", "region", "number"),
    [
        ("12125550101", "US", "+12125550101"),
        ("2125550101", "US", "+12125550101"),
        ("011442079460105", "US", "+442079460105"),
        ("5550101", "US", None),  # a number only within an area
        ("411", "US", None),
        ("*6712125550101", "US", None),
        ("0041446681800", "CH", "+41446681800"),
        ("0446681800", "CH", "+41446681800"),
        ("1414", "CH", None),
        ("100", "GB", None),
    ],
)
def test_the_number_that_can_call_back(digits: str, region: str, number: str | None) -> None:
    assert callable_number(digits, region) == number


@brief
@given(st.text(max_size=60), st.text("0123456789*#", max_size=3))
def test_whatever_was_dialled_is_read_without_an_error(dialled: str, strip: str) -> None:
    digits = outside_digits(dialled, strip)
    if digits is not None and (number := callable_number(digits, "US")) is not None:
        assert e164(number, "US") == number
