"""A PBX with the shipped dialplan for the tests of one file, and an observer of what it does."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.lab.daemon import DIALPLAN
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx, Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(lab: Lab) -> AsyncIterator[Pbx]:
    async with lab.passing_pbx(Settings(dialplan=[DIALPLAN])) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def observer(pbx: Pbx) -> Observer:
    return Observer(pbx)
