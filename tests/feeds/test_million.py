"""A million numbers: what they cost in memory, in a process that has nothing else."""

import json
import subprocess
import sys
from pathlib import Path

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
hits = [keeper.feeds.find(number, FeedKind.BLOCK, 0.0) is not None for number in ("+12012000000", "+19999999999")]
print(json.dumps({"numbers": len(keeper.feeds.feeds[0].numbers), "grown": grown, "hits": hits}))
"""


def test_a_million_numbers_take_less_than_thirty_megabytes(tmp_path: Path) -> None:
    file, directory = tmp_path / "million.txt", tmp_path / "feeds"
    directory.mkdir()
    file.write_text("".join(f"+1201{number}\n" for number in range(2_000_000, 3_000_000)))
    feed = {"name": "million", "file": str(file), "list": "block"}
    job = {"feed": feed, "region": "US", "directory": str(directory)}
    subprocess.run([sys.executable, "-m", "screener.feeds.refresh"], input=json.dumps(job).encode(), check=True)
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(directory), json.dumps({"region": "US", "feeds": [feed]})],
        capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(said.stdout)

    assert (told["numbers"], told["hits"]) == (1_000_000, [True, False])
    assert told["grown"] < 30 << 20
