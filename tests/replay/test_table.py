"""A table of call records, as FreePBX keeps one."""

from pathlib import Path

import pytest
import sqlalchemy
from click.testing import CliRunner

from screener.cli import main
from screener.replay.compass import Direction
from screener.replay.faults import Faults, UnreadableError
from screener.replay.source import PASSWORD_VARIABLE
from screener.replay.table import CdrTable
from screener.replay.times import LocalTimes
from tests.replay.rows import book_of

COLUMNS = (
    "calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration", "billsec",
    "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "did", "recordingfile", "cnum", "cnam",
    "outbound_cnum", "outbound_cnam", "dst_cnam", "linkedid", "peeraccount", "sequence",
)  # fmt: skip
"""Of FreePBX's asteriskcdrdb."""
INTEGERS = {"duration", "billsec", "amaflags", "sequence"}
FREEPBX = sqlalchemy.Table(
    "cdr",
    sqlalchemy.MetaData(),
    *(
        sqlalchemy.Column(name, sqlalchemy.Integer, nullable=False, server_default="0")
        if name in INTEGERS
        else sqlalchemy.Column(name, sqlalchemy.String(80), nullable=False, server_default="")
        for name in COLUMNS
    ),
)


def call(**changed: object) -> dict[str, object]:
    """An inbound call that a ring group took."""
    return {
        "calldate": "2026-11-25 01:00:00", "src": "+13125550133", "dst": "600", "did": "2125550100", "cnam": "ANN LEE",
        "channel": "PJSIP/provider-00000001", "dstchannel": "PJSIP/1001-00000002", "lastapp": "Dial", "duration": 70,
        "billsec": 61, "disposition": "ANSWERED", "uniqueid": "1795571400.1", "linkedid": "1795571400.1",
        "dcontext": "ext-group", **changed,
    }  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'asteriskcdrdb.sqlite'}"
    engine = sqlalchemy.create_engine(address)
    with engine.begin() as connection:
        FREEPBX.create(connection)
        connection.execute(FREEPBX.insert(), [
            call(),
            call(dstchannel="PJSIP/1002-00000003", disposition="NO ANSWER", billsec=0),
            call(uniqueid="1795571500.4", linkedid="1795571500.4", calldate="0000-00-00 00:00:00"),
            call(uniqueid="1795571600.5", linkedid="1795571600.5", calldate="2026-11-25 01:03:20", duration=-1),
            call(uniqueid="1795571700.6", linkedid="1795571700.6", calldate="2026-11-25 01:05:00", src="1001",
                 dst="13125550133", did="", dcontext="from-internal", channel="PJSIP/1001-00000006",
                 dstchannel="PJSIP/provider-00000007"),
        ])  # fmt: skip
    engine.dispose()
    return address


def test_freepbxs_table_tells_what_was_dialled_and_who_called(url: str) -> None:
    book, faults = book_of(url)
    (inbound, came), (outbound, went) = book.calls()
    assert (came, went) == (Direction.INBOUND, Direction.OUTBOUND)
    assert (inbound.called, inbound.dst, inbound.name, inbound.talked) == ("2125550100", "600", "ANN LEE", 61)
    assert outbound.dst == "13125550133"
    assert [line.partition(".sqlite:")[2] for line in faults.shown] == [
        "3: no date: '0000-00-00 00:00:00'" if "no date" in faults.shown[0] else "3: year 0 is out of range",
        "4: duration is no number of seconds of a call: '-1'",
    ]


def test_a_fault_names_the_database_without_its_password(url: str) -> None:
    with pytest.raises(UnreadableError) as failed:
        list(CdrTable("mysql+pymysql://me:secret@127.0.0.1:1/asteriskcdrdb", "cdr", LocalTimes(), Faults()).records())
    assert str(failed.value).startswith("mysql+pymysql://127.0.0.1:1/asteriskcdrdb: ")
    assert "secret" not in str(failed.value)
    with pytest.raises(UnreadableError, match="has no columns calldate or start, src and dst"):
        list(CdrTable(url, "sqlite_master", LocalTimes(), Faults()).records())


def test_a_password_may_come_from_elsewhere() -> None:
    table = CdrTable("mysql+pymysql://me@127.0.0.1/db", "cdr", LocalTimes(), Faults(), "from elsewhere")
    assert table.url.password == "from elsewhere"
    assert table.name == "mysql+pymysql://127.0.0.1/db"
    told = CdrTable("mysql+pymysql://me:mine@127.0.0.1/db", "cdr", LocalTimes(), Faults(), "from elsewhere")
    assert told.url.password == "mine"


def test_a_password_that_everybody_sees_is_remarked_upon() -> None:
    seen = CliRunner().invoke(main, ["replay", "--preset", "gentle", "mysql+pymysql://me:secret@127.0.0.1:1/db"])
    assert seen.exit_code == 1
    assert "leave it out, and set SCREENER_CDR_PASSWORD" in seen.stderr
    assert "secret" not in seen.output
    kept = CliRunner().invoke(
        main, ["replay", "--preset", "gentle", "mysql+pymysql://me@127.0.0.1:1/db"], env={PASSWORD_VARIABLE: "secret"}
    )
    assert kept.exit_code == 1
    assert "Can't connect" in kept.stderr
    assert "secret" not in kept.output
    assert "leave it out" not in kept.stderr


@pytest.mark.parametrize("address", ["://", "nothing://x", "oracle+nowhere://me@x/db"])
def test_an_address_that_names_no_database_says_so(address: str) -> None:
    with pytest.raises(UnreadableError):
        list(CdrTable(address, "cdr", LocalTimes(), Faults()).records())
