"""The lab as pytest fixtures, one for the whole session: import them in conftest.py."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.lab.lab import Lab, open_lab
from tests.lab.world import World


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab() -> AsyncIterator[Lab]:
    """A world that runs for the session; `await lab.pbx(Settings(...))` starts a PBX in it."""
    async with open_lab() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def world(lab: Lab) -> World:
    """The session's world, with agents who answer at once."""
    await lab.world.agent()
    return lab.world
