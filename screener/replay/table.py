"""Call detail records in a database, such as FreePBX's asteriskcdrdb."""

from collections.abc import Iterator
from typing import Final

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from screener.replay.columns import RowReader, named, texts
from screener.replay.faults import Faults, UnreadableError
from screener.replay.record import CallRecord
from screener.replay.times import LocalTimes

FETCHED: Final = 5_000
"""Rows that are fetched at once."""


class CdrTable:
    """Reads a table of call detail records."""

    def __init__(self, url: str, table: str, times: LocalTimes, faults: Faults, password: str | None = None) -> None:
        """Raises UnreadableError for an address that cannot be one. `password` is for one that names none."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise UnreadableError(
                "this is no database's address, such as mysql+pymysql://user@host/asteriskcdrdb"
            ) from None
        if parsed.password is None and password:
            parsed = parsed.set(password=password)
        self.url = parsed
        self.name = label(parsed)
        self._table = table
        self._times = times
        self._faults = faults

    def records(self) -> Iterator[CallRecord]:
        """Yield the records of the table. Raises UnreadableError."""
        try:
            engine = sqlalchemy.create_engine(self.url)
        except (NoSuchModuleError, ImportError, ArgumentError) as error:
            raise UnreadableError(f"{self.name}: {error}") from None
        try:
            yield from self._rows(engine)
        except SQLAlchemyError as error:
            # Its first line is the driver's own sentence; the rest quotes the statement.
            raise UnreadableError(f"{self.name}: {str(error).splitlines()[0]}") from None
        finally:
            engine.dispose()

    def _rows(self, engine: sqlalchemy.Engine) -> Iterator[CallRecord]:
        table = sqlalchemy.Table(self._table, sqlalchemy.MetaData(), autoload_with=engine)
        columns = named(column.name for column in table.columns)
        if columns is None:
            raise UnreadableError(f"{self.name}: the table {self._table} has no columns calldate or start, src and dst")
        reader = RowReader(columns, self._times)
        # As text: SQLite's own dates are whatever somebody wrote, and one bad row must not end the reading.
        as_text = [sqlalchemy.cast(column, sqlalchemy.String) for column in table.columns]
        with engine.connect().execution_options(stream_results=True, yield_per=FETCHED) as connection:
            for number, row in enumerate(connection.execute(sqlalchemy.select(*as_text)), 1):
                try:
                    yield reader.read(texts(row))
                except ValueError as error:
                    self._faults.add(self.name, number, str(error))


def label(url: URL) -> str:
    """Return how to call a database: its address without user and password."""
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()
