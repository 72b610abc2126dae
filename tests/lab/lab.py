"""The whole lab: the root, a world, and as many PBXes as are asked for, all ended together."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.lab.mirror import Say
from tests.lab.pbx import Pbx, Settings
from tests.lab.root import ensure_root
from tests.lab.world import World


class Lab:
    """A world and its PBXes."""

    def __init__(self, root: Path, world: World, stack: AsyncExitStack) -> None:
        self.root = root
        self.world = world
        self._stack = stack
        self._numbers = itertools.count(1)

    async def pbx(self, settings: Settings | None = None) -> Pbx:
        """Start a PBX that runs until the lab ends. The world calls it until the next one is started."""
        pbx = Pbx(self.root, f"pbx{next(self._numbers)}", settings, agent_port=self.world.ports.agent)
        await self._stack.enter_async_context(pbx)
        self.world.connect(pbx)
        return pbx

    @asynccontextmanager
    async def passing_pbx(self, settings: Settings | None = None) -> AsyncIterator[Pbx]:
        """Start a PBX that ends with the `async with` block."""
        async with Pbx(self.root, f"pbx{next(self._numbers)}", settings, agent_port=self.world.ports.agent) as pbx:
            self.world.connect(pbx)
            yield pbx


@asynccontextmanager
async def open_lab(say: Say = print) -> AsyncIterator[Lab]:
    """Build what is missing, start a world, and end everything afterwards."""
    root = ensure_root(say)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(root))
        yield Lab(root, world, stack)
