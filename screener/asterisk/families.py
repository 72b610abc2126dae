"""Asterisk's own lists: the families `blacklist` and `allowlist` of its database, which FreePBX and the dialplan write.

Read whole at each connection and every few minutes. A key is a caller's number as somebody wrote it down; what stands
there is the note.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from screener.asterisk.ami import Answer
from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.errors import AmiError
from screener.policy.caller import e164
from screener.policy.lists import Entry, NumberList
from screener.policy.phrase import plural
from screener.policy.text import printable

log = logging.getLogger(__name__)

NOTE_LIMIT: Final = 80
"""Characters kept of a note."""
SHOWN: Final = 3
"""Keys that are no numbers which one line of the log names."""
RESERVED: Final = re.compile(r"(dest|blocked|knowncallers|pause|autoadd)\b.*", re.ASCII)
"""Keys that FreePBX keeps its settings of the list in, among the numbers."""
_ROW: Final = frozenset({"Event", "Key", "Val", "ActionID", "content"})
"""The headers of an entry; with any other a line end stands in its key or value."""


class Actions(Protocol):
    """What is needed of the connection."""

    async def action(self, name: str, **headers: str) -> list[Answer]:
        """See `Ami.action`."""

    async def listing(self, name: str, **headers: str) -> list[Answer]:
        """See `Ami.listing`."""


Lists = tuple[tuple[Entry, ...], tuple[Entry, ...]]
"""The blocked numbers and the allowed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family as it was read."""

    entries: tuple[Entry, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Keys that are no numbers of the region, and none of FreePBX's."""


class Families:
    """Reads and writes both lists."""

    def __init__(
        self,
        ami: Actions,
        settings: AmiSettings,
        *,
        region: Callable[[], str],
        take: Callable[[NumberList, NumberList], None],
    ) -> None:
        """`region` returns the policy's region; `take` is given the blocked and the allowed numbers if they changed."""
        self._ami = ami
        self._settings = settings
        self._region = region
        self._take = take
        self._told: dict[str, str] = {}
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read soon."""
        self._asked.set()

    async def keep(self) -> None:
        """Read now, every few minutes and when asked, until cancelled. What cannot be read stays as it was."""
        taken: Lists | None = None
        while True:
            try:
                found = await self.read()
                # In a thread, as in `family`.
                changed = await asyncio.to_thread(_changed, taken, found)
                if changed is not None:
                    self._take(*changed)
                    taken = found
                self._told.pop("reading", None)
            except AmiError as error:
                self._tell("reading", f"Asterisk's lists cannot be read: {error}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.families_minutes * 60):
                    await self._asked.wait()
            self._asked.clear()

    async def read(self) -> Lists:
        """Return the blocked and the allowed numbers. Raises AmiError."""
        settings = self._settings
        block, allow = [await self.family(name) for name in (settings.block_family, settings.allow_family)]
        for name, family in ((settings.block_family, block), (settings.allow_family, allow)):
            if family.unreadable:
                keys = ", ".join(repr(printable(key, NOTE_LIMIT)) for key in family.unreadable[:SHOWN])
                found = plural(len(family.unreadable), "key")
                self._tell(name, f"Asterisk's list {name} has {found} that are no number of {self._region()}: {keys}")
        return block.entries, allow.entries

    async def family(self, name: str) -> Family:
        """Return one family; an empty name is an empty one. Raises AmiError."""
        if not name:
            return Family()
        # In a thread: the numbering plans take a second for 30,000 numbers.
        return await asyncio.to_thread(_family, await self._pairs(name), self._region(), name)

    async def add(self, name: str, key: str, note: str = "") -> None:
        """Put a number into a family, spelled as it is: the dialplan's BLACKLIST() finds no other spelling.

        Raises AmiError.
        """
        # BLACKLIST() asks only whether the key is there; FreePBX shows what stands there.
        await self._ami.action("DBPut", Family=name, Key=key, Val=printable(note, NOTE_LIMIT) or "1")

    async def remove(self, name: str, number: str) -> int:
        """Remove a number (E.164), in whatever spelling it stands there; return how many keys that were.

        Raises AmiError.
        """
        keys = [key for key, _ in await self._pairs(name) if e164(key, self._region()) == number]
        for key in keys:
            await self._ami.action("DBDel", Family=name, Key=key)
        return len(keys)

    async def _pairs(self, name: str) -> list[tuple[str, str]]:
        """Return what stands in a family: keys and notes."""
        rows = await self._ami.listing("DBGetTree", Family=name)
        return [_pair(row, name) for row in rows if row.get("Event") == "DBGetTreeResponse"]

    def _tell(self, about: str, message: str) -> None:
        """Say it once, until it is another message."""
        if self._told.get(about) != message:
            self._told[about] = message
            log.warning("%s", message)


def _changed(before: Lists | None, found: Lists) -> tuple[NumberList, NumberList] | None:
    return None if found == before else (NumberList(found[0]), NumberList(found[1]))


def _family(pairs: Iterable[tuple[str, str]], region: str, name: str) -> Family:
    entries, unreadable = [], []
    for key, note in pairs:
        number = e164(key, region)
        if number is not None:
            entries.append(Entry(number=number, note=note, author=f"Asterisk's {name}"))
        elif not RESERVED.fullmatch(key):
            unreadable.append(key)
    return Family(entries=tuple(entries), unreadable=tuple(unreadable))


def _pair(row: Answer, family: str) -> tuple[str, str]:
    """Return the key below its family, and the note."""
    if not _ROW.issuperset(row):
        return "?", ""
    key, note = row.get("Key", "").removeprefix(f"/{family}/"), row.get("Val", "").strip().strip('"')
    return key, "" if note == "1" else printable(note, NOTE_LIMIT)
