"""Lists, feeds and office hours as callers of a real PBX meet them."""

import datetime
import signal
import time
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.demo.scenes import way
from tests.feeds.source import serving
from tests.lab.behaviours import hang_up_after
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Journey, Observer
from tests.lab.pbx import Pbx

pytestmark = pytest.mark.pbx

REPORTED, NIGERIAN, FRIEND, STRANGER = "+12013450160", "+2348031234567", "+12013450161", "+12013450162"
FREE = "pass > agent answers"


async def called(lab: Lab, observer: Observer, did: str, caller: str) -> Journey:
    """Make a call and return its way through the PBX."""
    before = len(observer.journeys)
    await lab.world.call(did, caller, hang_up_after(1.0))
    (journey,) = (await observer.wait(before + 1))[before:]
    return journey


def rewrite(daemon: Daemon, **changed: Any) -> None:
    """Change the policy of a daemon that runs, and have it reload."""
    sections = yaml.safe_load(daemon.config.read_text())
    sections["policy"] |= changed
    daemon.config.write_text(yaml.safe_dump(sections, sort_keys=False))
    daemon.signal(signal.SIGHUP)


async def test_a_feed_counts_while_the_daemon_runs_and_when_its_address_is_gone(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    await lab.world.agent(stay=20)
    async with serving() as source:
        source.body = f"# reported\n{REPORTED}\n".encode()
        policy: Mapping[str, Any] = {"feeds": [{"name": "reported", "url": source.url, "list": "block"}]}
        async with Daemon(pbx, policy) as daemon:
            await daemon.logged("feed reported: 1 number")
            blocked = await called(lab, observer, "2125550501", REPORTED)
            passed = await called(lab, observer, "2125550501", STRANGER)
            await daemon.stop()
            source.status = 500
            before = len(daemon.log)
            await daemon.start()
            again = await called(lab, observer, "2125550502", REPORTED)
            assert not [line for line in daemon.log[before:] if "feed reported" in line]  # its hour is not over
    assert blocked.variables["SCREENER_REASONS"].startswith("feed-blocked")
    assert way(blocked).startswith("reject")
    assert blocked.variables["SCREENER_WHY"].startswith(f"{REPORTED} is on the block feed reported as {REPORTED}")
    assert way(passed) == FREE
    assert again.variables["SCREENER_REASONS"].startswith("feed-blocked")
    assert len(source.asked) == 1


async def test_entries_end_and_countries_are_blocked_and_a_contact_is_not(
    lab: Lab, pbx: Pbx, observer: Observer
) -> None:
    lab.world.connect(pbx)
    await lab.world.agent(stay=20)
    today = datetime.datetime.now(datetime.UTC).date()
    yesterday, tomorrow = (str(today + datetime.timedelta(days=days)) for days in (-1, 1))
    policy: dict[str, Any] = {
        "lists": {
            "block": [
                {"country": "NG", "note": "wangiri", "until": tomorrow},
                {"number": STRANGER, "until": yesterday},
            ]
        }
    }
    async with Daemon(pbx, policy) as daemon:
        nigerian = await called(lab, observer, "2125550503", NIGERIAN)
        forgiven = await called(lab, observer, "2125550503", STRANGER)
        contacts = daemon.directory / "contacts.csv"
        contacts.write_text(f"Name;Mobile\nA friend;{FRIEND}\n")
        feed = {"name": "contacts", "file": str(contacts), "list": "contact"}
        rewrite(daemon, feeds=[feed], lists={"block": ["+1201*"]})
        await daemon.logged("feed contacts: 1 number")
        friend = await called(lab, observer, "2125550503", FRIEND)
    assert nigerian.variables["SCREENER_REASONS"].startswith("blocked")
    assert f"as NG (wangiri; to the end of {tomorrow})" in nigerian.variables["SCREENER_WHY"]
    assert way(forgiven) == FREE
    assert friend.variables["SCREENER_REASONS"].startswith("contact")
    assert way(friend) == FREE


async def test_outside_office_hours_another_ladder_holds(lab: Lab, pbx: Pbx, observer: Observer) -> None:
    lab.world.connect(pbx)
    await lab.world.agent(stay=20)
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    # At first it is open from an hour ago on, then from two hours ahead on: whatever the time is, hours are whole here.
    hours = [f"{(now + datetime.timedelta(hours=hour)):%H}:00" for hour in (-1, 2, 3)]
    policy: dict[str, Any] = {
        "signals": {"attestation": {"points": {"none": 5}}},
        "ladder": [],
        "calendars": {"office": {"timezone": "UTC", "hours": {"mon-sun": f"{hours[0]}-{hours[1]}"}}},
        "groups": [
            {
                "dids": ["+12125550504", "+12125550505"],
                "calendar": "office",
                "closed": {"ladder": [{"score": 5, "treatment": "reject"}]},
            }
        ],
    }
    async with Daemon(pbx, policy) as daemon:
        by_day = await called(lab, observer, "2125550504", STRANGER)
        before = len(daemon.log)
        rewrite(daemon, calendars={"office": {"timezone": "UTC", "hours": {"mon-sun": f"{hours[1]}-{hours[2]}"}}})
        await daemon.logged("is in force (it was", after=before)
        by_night = await called(lab, observer, "2125550505", STRANGER)
        elsewhere = await called(lab, observer, "2125550506", STRANGER)
    assert way(by_day) == FREE
    assert "office is open until" in by_day.variables["SCREENER_WHY"]
    assert by_night.variables["SCREENER_TREATMENT"] == "reject"
    assert "score 5 reaches the step reject at 5; office is closed until" in by_night.variables["SCREENER_WHY"]
    assert way(elsewhere) == FREE
