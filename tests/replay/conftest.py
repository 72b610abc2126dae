"""Closes what the tests opened."""

from collections.abc import Iterator

import pytest

from tests.replay.rows import OPENED


@pytest.fixture(autouse=True)
def _closed_books() -> Iterator[None]:
    yield
    while OPENED:
        with OPENED.pop():
            pass
