"""A million numbers: what they cost in memory, in a process that has nothing else."""

import json
import subprocess
import sys
from array import array
from pathlib import Path

from screener.feeds.copy import copy_path, write_copy
from screener.feeds.reading import Reading
from screener.feeds.record import FeedRecord, record_path, source_of
from screener.policy.feed_settings import FeedSettings

PROGRAM = """
import json, sys
from pathlib import Path
from screener.feeds.keeper import FeedKeeper
from screener.policy.feeds import FeedKind
from screener.policy.settings import PolicySettings

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

settings = PolicySettings.model_validate(json.loads(sys.argv[2]))
keeper = FeedKeeper(Path(sys.argv[1]))
before = resident()
keeper.load(settings)
grown = resident() - before
hits = [keeper.feeds.find(number, FeedKind.BLOCK, 0.0) is not None for number in ("+12012500000", "+19999999999")]
print(json.dumps({"numbers": len(keeper.feeds.feeds[0].numbers), "grown": grown, "hits": hits}))
"""


def test_a_million_numbers_take_less_than_thirty_megabytes(tmp_path: Path) -> None:
    settings = FeedSettings.model_validate({"name": "million", "file": "/nowhere", "list": "block"})
    numbers = array("Q", range(12_012_000_000, 12_013_000_000))
    write_copy(copy_path(tmp_path, "million"), Reading(numbers=numbers, prefixes=(), unreadable=0, example=""))
    FeedRecord(source=source_of(settings, "US"), numbers=1_000_000).write(record_path(tmp_path, "million"))
    feed = settings.model_dump(mode="json", exclude_none=True)
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps({"region": "US", "feeds": [feed]})],
        capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(said.stdout)

    assert (told["numbers"], told["hits"]) == (1_000_000, [True, False])
    assert told["grown"] < 30 << 20
