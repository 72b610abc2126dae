"""What stands in Asterisk's database becomes list entries, whatever wrote it there."""

import asyncio

import pytest

from screener.asterisk.ami import Answer
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.errors import AmiError, AmiRefusedError
from screener.asterisk.families import Families
from screener.policy.lists import Entry, NumberList

SETTINGS = AmiSettings(user="screener")


class Database:
    """Asterisk's, as far as two families go."""

    def __init__(self, **families: dict[str, str]) -> None:
        self.families = families
        self.fails: AmiError | None = None
        self.more: Answer = {}
        self.read = asyncio.Event()

    async def listing(self, name: str, **headers: str) -> list[Answer]:
        assert name == "DBGetTree"
        self.read.set()
        if self.fails is not None:
            raise self.fails
        family = headers["Family"]
        found = [
            {"Event": "DBGetTreeResponse", "Key": f"/{family}/{key}", "Val": value, "ActionID": "1", **self.more}
            for key, value in self.families.get(family, {}).items()
        ]
        return [{"Response": "Success"}, *found, {"Event": "DBGetTreeComplete"}]

    async def action(self, name: str, **headers: str) -> list[Answer]:
        family = self.families.setdefault(headers["Family"], {})
        if name == "DBPut":
            family[headers["Key"]] = headers["Val"]
        else:
            del family[headers["Key"]]
        return [{"Response": "Success"}]


def families(database: Database, region: str = "US", settings: AmiSettings = SETTINGS) -> Families:
    return Families(database, settings, region=lambda: region, take=lambda *_: None)


def block(number: str, note: str = "") -> Entry:
    return Entry(number=number, note=note, author="Asterisk's blacklist")


async def test_numbers_in_any_spelling_with_their_notes() -> None:
    database = Database(
        blacklist={"2125550150": "1", "+442079460150": '"loud"', "011442079460151": "x", "12125550151": ""},
        allowlist={"2125550152": "Mum"},
    )
    blocked, allowed = await families(database).read()
    assert blocked == (
        block("+12125550150"), block("+442079460150", "loud"), block("+442079460151", "x"), block("+12125550151"),
    )  # fmt: skip
    assert allowed == (Entry(number="+12125550152", note="Mum", author="Asterisk's allowlist"),)


async def test_keys_that_freepbx_keeps_its_settings_in_are_no_entries_and_no_faults() -> None:
    kept = {"dest": "from-internal,1,1", "blocked": "1", "knowncallers": "1", "pause/1": "x", "autoadd-trunk": "1"}
    family = await families(Database(blacklist=kept)).family("blacklist")
    assert (family.entries, family.unreadable) == ((), ())


async def test_keys_that_are_no_numbers_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    database = Database(blacklist={"Joe Smith": "1", "12": "1", "2125550150": "1", "\x1b[2J": "1", "x": "1"})
    opened = families(database)
    for _ in range(3):
        blocked, _ = await opened.read()
    assert blocked == (block("+12125550150"),)
    (record,) = caplog.records
    assert record.message.startswith("Asterisk's list blacklist has 4 keys that are no number of US: 'Joe Smith', '12'")
    assert "\x1b" not in record.message
    database.families["blacklist"]["y"] = "1"
    await opened.read()
    assert len(caplog.records) == 2


async def test_an_entry_with_a_line_end_in_it_names_nobody() -> None:
    database = Database(blacklist={"2125550150": "1"})
    database.more = {"Foo": "what stood behind a line end"}
    assert (await families(database).family("blacklist")).entries == ()


async def test_a_family_without_a_name_is_not_asked_for() -> None:
    database = Database(blacklist={"2125550150": "1"})
    nothing = families(database, settings=AmiSettings(user="screener", block_family="", allow_family=""))
    assert await nothing.read() == ((), ())
    assert not database.read.is_set()


async def test_a_number_is_added_and_removed_in_all_its_spellings() -> None:
    database = Database(blacklist={"2125550150": "1", "+12125550150": "1", "2125550151": "1"})
    opened = families(database)
    await opened.add("blacklist", "+442079460150", "too\r\nloud")
    assert (
        database.families["blacklist"]["+442079460150"] == "too\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}loud"
    )
    assert await opened.remove("blacklist", "+12125550150") == 2
    assert await opened.remove("blacklist", "+12125550199") == 0
    assert list(database.families["blacklist"]) == ["2125550151", "+442079460150"]


async def test_lists_are_read_again_when_somebody_asks() -> None:
    database = Database(blacklist={"2125550150": "1"})
    opened = families(database, settings=AmiSettings(user="screener", allow_family=""))
    keeping = asyncio.Task(opened.keep())
    for _ in range(3):
        await asyncio.wait_for(database.read.wait(), 5)
        database.read.clear()
        opened.ask()
    keeping.cancel()


async def test_lists_that_cannot_be_read_stay_in_force_and_are_read_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken: list[list[bool]] = []

    def take(*lists: NumberList) -> None:
        taken.append([one.find("+12125550150", None, 0) is not None for one in lists])

    database = Database(blacklist={"2125550150": "1"})
    settings = AmiSettings.model_construct(**{**dict(SETTINGS), "families_minutes": 1e-4})
    keeping = asyncio.Task(Families(database, settings, region=lambda: "US", take=take).keep())

    async def readings(count: int) -> None:
        for _ in range(2 * count):  # of two families
            database.read.clear()
            await asyncio.wait_for(database.read.wait(), 5)

    await readings(3)
    assert taken == [[True, False]]  # told once, because nothing has changed since
    database.fails = AmiRefusedError("Permission denied")
    await readings(3)
    database.fails = None
    await readings(3)
    assert taken == [[True, False]]
    database.families["blacklist"] = {}
    await readings(3)
    keeping.cancel()
    assert taken == [[True, False], [False, False]]
    assert [record.message for record in caplog.records] == ["Asterisk's lists cannot be read: Permission denied"]
