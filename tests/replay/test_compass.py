"""Which calls came in and which went out, as far as the records show it."""

from collections import Counter
from pathlib import Path

import pytest

from screener.replay.compass import Compass, Direction
from tests.replay.rows import book_of, put, row
from tests.traffic.generate import traffic
from tests.traffic.master import write
from tests.traffic.records import Label

TRUNK = [row(n, f"+1212555{n:04}") for n in range(1, 5)]
"""Calls from outside, so that everybody sees which endpoint is the trunk."""


def last(tmp_path: Path, *rows: list[str], compass: Compass | None = None) -> Direction:
    book, _ = book_of(put(tmp_path / "Master.csv", *rows), compass=compass)
    return [direction for _, direction in book.calls()][-1]


@pytest.mark.parametrize(
    ("src", "dst", "channel", "context", "direction"),
    [
        ("+13125550199", "2125550100", "PJSIP/trunk-00000063", "from-trunk", Direction.INBOUND),
        ("", "2125550100", "PJSIP/trunk-00000063", "from-trunk", Direction.INBOUND),
        # A spoofed short number comes through the trunk like any other.
        ("1234", "2125550100", "PJSIP/trunk-00000063", "from-trunk", Direction.INBOUND),
        ("1001", "13125550199", "PJSIP/1001-00000063", "from-internal", Direction.OUTBOUND),
        ("1001", "13125550199", "PJSIP/alice-00000063", "office", Direction.OUTBOUND),
        ("1001", "1002", "PJSIP/1001-00000063", "from-internal", Direction.INTERNAL),
        # FreePBX tells the trunk our number, and writes it into the record.
        ("+12125550100", "13125550199", "PJSIP/1001-00000063", "from-internal", Direction.OUTBOUND),
        ("+12125550100", "13125550199", "PJSIP/alice-00000063", "from-internal", Direction.OUTBOUND),
        ("+13125550199", "13125550177", "Local/13125550177@out-00000063;2", "out", Direction.INTERNAL),
        # Nothing says otherwise.
        ("+13125550199", "2125550100", "", "", Direction.INBOUND),
        ("+13125550199", "2125550100", "DAHDI/i1/13125550199-1", "", Direction.INBOUND),
    ],
)
def test_a_row_shows_where_the_call_went(
    tmp_path: Path, src: str, dst: str, channel: str, context: str, direction: Direction
) -> None:
    one = row(99, src, dst, context=context)
    one[5] = channel
    assert last(tmp_path, *TRUNK, one) is direction


def test_where_every_call_came_in_all_are_judged(tmp_path: Path) -> None:
    book, _ = book_of(put(tmp_path / "Master.csv", *TRUNK, row(50, "12"), row(60, "anonymous"), row(70, "=1+1")))
    assert {direction for _, direction in book.calls()} == {Direction.INBOUND}


def test_a_phone_that_shows_our_numbers_is_no_trunk(tmp_path: Path) -> None:
    """Each of its calls shows another number of ours, and one by one they were called from outside before."""
    dids = [f"31237413{n}" for n in range(40, 46)]
    rows = [row(n, f"+1415555{n:04}", did) for n, did in enumerate(dids)]
    rows += [row(60 + n, f"+1{did}", f"1718555{n:04}", channel="SIP/desk-0000000f") for n, did in enumerate(dids)]
    book, _ = book_of(put(tmp_path / "Master.csv", *rows))
    found = [direction for _, direction in book.calls()]
    assert found == [Direction.INBOUND] * 6 + [Direction.OUTBOUND] * 6
    # A caller who spoofs one of our numbers comes through the trunk.
    assert last(tmp_path, *rows, row(99, f"+1{dids[0]}", dids[1])) is Direction.INBOUND


def test_trunks_that_the_configuration_names_settle_it_too(tmp_path: Path) -> None:
    one = row(99, "+13125550199", "13125550177", channel="PJSIP/desk-00000001")
    assert last(tmp_path, *TRUNK, one) is Direction.INBOUND
    assert last(tmp_path, *TRUNK, one, compass=Compass(trunks=["trunk"])) is Direction.OUTBOUND
    assert last(tmp_path, one, *TRUNK, row(100), compass=Compass(trunks=["trunk"])) is Direction.INBOUND


def test_contexts_that_are_named_settle_it(tmp_path: Path) -> None:
    one = row(99, "+13125550199", "13125550177", context="clinic")
    assert last(tmp_path, *TRUNK, one, compass=Compass(outbound=["clinic"])) is Direction.OUTBOUND
    assert last(tmp_path, *TRUNK, one, compass=Compass(inbound=["from-trunk"])) is Direction.OUTBOUND
    assert last(tmp_path, *TRUNK, one, compass=Compass(inbound=["clinic"])) is Direction.INBOUND


def test_phones_that_the_policy_names_call_out(tmp_path: Path) -> None:
    one = row(99, "+13125550199", "13125550177", channel="PJSIP/desk-00000001")
    assert last(tmp_path, *TRUNK, one, compass=Compass(phones=["desk"])) is Direction.OUTBOUND


def test_legs_of_one_call_are_one_call_with_its_longest_conversation(tmp_path: Path) -> None:
    whole = row(0)[16]
    legs = [
        row(0, talked=0, linkedid=whole),
        row(0, talked=40, linkedid=whole),
        # Forwarded: the way out to a mobile is no call of ours.
        row(3, "+12125550133", "13125550177", talked=90, linkedid=whole, channel="PJSIP/1001-00000009", number=9),
    ]
    book, _ = book_of(put(tmp_path / "Master.csv", *legs))
    ((record, direction),) = book.calls()
    assert direction is Direction.INBOUND
    assert (record.src, record.dst, record.talked) == ("+12125550133", "2125550100", 90)
    assert record.ended - record.start == 98


def test_the_order_of_legs_in_the_file_makes_no_difference(tmp_path: Path) -> None:
    whole = row(0)[16]
    legs = [row(7, "900", "600", talked=60, linkedid=whole), row(0, linkedid=whole), row(3, "x", "y", linkedid=whole)]
    for position in range(3):
        book, _ = book_of(put(tmp_path / "Master.csv", *legs[position:], *legs[:position]))
        ((record, _),) = book.calls()
        assert (record.src, record.dst, record.talked) == ("+12125550133", "2125550100", 60)


def test_records_without_ids_go_on_where_the_one_before_them_ended(tmp_path: Path) -> None:
    dial, mailbox, other = (
        row(0, talked=0, ring=20, channel="PJSIP/trunk-0000000a"),
        row(20, talked=9, ring=0, lastapp="VoiceMail", channel="PJSIP/trunk-0000000a"),
        row(100, talked=0, channel="PJSIP/trunk-0000000a"),
    )
    book, _ = book_of(put(tmp_path / "Master.csv", *(one[:16] for one in (dial, mailbox, other))))
    assert [(record.ended - record.start, record.talked) for record, _ in book.calls()] == [(29, 0), (5, 0)]


@pytest.mark.parametrize("seed", [3, 0])
def test_the_generators_calls_went_where_it_says(tmp_path: Path, seed: int) -> None:
    """Its telephones show the numbers of the business, and its spam numbers that are short, impossible or ours."""
    records, master, labels = traffic(seed), tmp_path / "Master.csv", tmp_path / "labels.csv"
    write(records, master, labels)
    book, faults = book_of(master)
    assert faults.count == 0
    found = Counter(direction for _, direction in book.calls())
    outbound = sum(one.label is Label.OUTBOUND for one in records)
    assert outbound
    assert found == {Direction.INBOUND: len(records) - outbound, Direction.OUTBOUND: outbound}
