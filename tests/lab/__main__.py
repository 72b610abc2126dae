"""Tries the lab itself: one call through to the agent, one caller who types the digits that are spoken."""

import asyncio
import sys
import time

from tests.lab.behaviours import listen_and_obey
from tests.lab.lab import open_lab
from tests.lab.observe import Observer
from tests.lab.pbx import STUB, Settings
from tests.lab.places import LabError

DIGITS = """
[from-trunk]
exten => 1234,1,Answer()
 same => n,Read(KEYS,vm-press&digits/4&digits/7,2,,1,5)
 same => n,GotoIf($["${KEYS}" = "47"]?sales,s,1)
 same => n,Hangup(21)
"""


async def try_lab() -> bool:
    """Make the two calls; return whether both went as they should."""
    started = time.monotonic()
    async with open_lab(print) as lab:
        pbx = await lab.pbx(Settings(contexts=DIGITS))
        print(f"two Asterisks are up after {time.monotonic() - started:.1f} s; a screener that does nothing:\n{STUB}")
        observer = Observer(pbx)
        fine = True
        for did, wanted in (("4421", "agent"), ("1234", "sales")):
            result = await lab.world.call(did, "+15551234567", listen_and_obey(stay=1.0))
            journey = await observer.journey(did=did)
            fine = fine and result.connected_to == wanted == journey.answered_by
            print(
                f"{did}: heard {result.digits or 'no digits'}, pressed {result.pressed or 'nothing'}, "
                f"then {result.connected_to or 'nobody'} after {result.connected_at or 0:.1f} s; "
                f"the PBX: {' > '.join(journey.contexts)}, answered by {journey.answered_by}, cause {journey.cause}"
            )
    return fine


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(try_lab()) else 1)
    except LabError as error:
        sys.exit(f"lab: {error}")
