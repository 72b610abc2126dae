"""Prints what each policy does with each class of traffic, and writes it down: `python -m tests.traffic --help`."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from screener.policy.settings import PolicySettings
from tests.traffic import table
from tests.traffic.business import Business
from tests.traffic.evaluate import Tally, play, read
from tests.traffic.generate import traffic
from tests.traffic.records import Kind, Record
from tests.traffic.screens import Blacklist, Ours, PlainBucket, Screen

SEEDS = 24
RESULTS = Path(__file__).with_name("RESULTS.md")
PRESETS = ("gentle", "balanced", "strict")
RIVALS = ("plain bucket", "half blacklist")


def preset(name: str, region: str) -> PolicySettings:
    """Return the shipped policy of that name, acting."""
    written = {"region": region, "mode": "live", "voicemail": {"mailbox": "600@default"}}
    if "preset" in PolicySettings.model_fields:
        written["preset"] = name
    return PolicySettings.model_validate(written)


def evaluate(seed: int, screens: tuple[str, ...], *, stripped: bool, only: Kind | None = None) -> dict[str, Tally]:
    """Let each screen judge the traffic of one seed; `only` leaves all spam of other classes out."""
    business = Business.draw(seed)
    region = business.plan.region
    records: list[Record] = traffic(seed)
    if only is not None:
        records = [one for one in records if one.label != "spam" or one.kind is only]
    if stripped:
        records = [one.stripped() for one in records]
    played = read(records, region)
    makers: dict[str, Callable[[], Screen]] = {
        "plain bucket": PlainBucket,
        "half blacklist": lambda: Blacklist(played.spammers(), seed),
    }
    return {
        name: play(played, makers.get(name, lambda name=name: Ours(preset(name, region)))(), region) for name in screens
    }


def main() -> None:
    """Read the arguments, evaluate, print and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many businesses ({SEEDS})")
    parser.add_argument("--seed", type=int, action="append", help="only this business (again for more)")
    parser.add_argument(
        "--only", help="only spam of this class, such as 'flood', and a listing of what was judged wrongly"
    )
    parser.add_argument("--screen", action="append", help="only this policy (again for more)")
    parser.add_argument("--mode", choices=("signed", "stripped"), help="only with, or only without attestation")
    parser.add_argument("--json", action="store_true", help="print JSON and write nothing")
    parser.add_argument("--alarms", action="store_true", help="list wanted calls that were stopped, and why")
    arguments = parser.parse_args()
    seeds = arguments.seed or list(range(arguments.seeds))
    screens = tuple(arguments.screen or (*PRESETS, *RIVALS))
    only = Kind(arguments.only) if arguments.only else None
    found: dict[str, dict[int, dict[str, Tally]]] = {}
    began = time.monotonic()
    for mode in (arguments.mode,) if arguments.mode else ("signed", "stripped"):
        for seed in seeds:
            print(f"\r{mode}: business {seed}, {time.monotonic() - began:.0f} s ", end="", file=sys.stderr, flush=True)
            found.setdefault(mode, {})[seed] = evaluate(seed, screens, stripped=mode == "stripped", only=only)
    print(file=sys.stderr)
    results = table.Results(found, screens)
    if arguments.json:
        print(json.dumps(results.as_json(), indent=2))
        return
    text = results.markdown()
    print(text)
    if arguments.alarms or only:
        print(results.wrong())
    if len(seeds) >= SEEDS and not (arguments.seed or only or arguments.screen or arguments.mode):
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
