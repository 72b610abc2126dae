"""A password that sings: it is nowhere in all that the product and Asterisk write, whatever goes wrong."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.chaos.faults import RAISES
from tests.chaos.ledger import truths
from tests.chaos.storm import Storm, storm
from tests.lab.lab import Lab
from tests.lab.quitters import callers

pytestmark = pytest.mark.pbx


def sung(opened: Storm, *said: str) -> Iterator[str]:
    """Name each place in which the password is, in plain or as HTTP sends it."""
    password = opened.pbx.ari_password
    canaries = [password, base64.b64encode(f"{opened.pbx.ari_user}:{password}".encode()).decode()]
    files = [path for path in opened.daemon.directory.rglob("*") if path.is_file() and path != opened.daemon.config]
    files += [path for path in (opened.pbx.directory / "log").rglob("*") if path.is_file()]
    texts = {str(path): path.read_bytes().decode(errors="replace") for path in files}
    texts |= {"the daemon's log": "\n".join(opened.daemon.log), "what commands said": "\n".join(said)}
    texts["the command line"] = Path(f"/proc/{opened.daemon.pid}/cmdline").read_bytes().decode()
    for where, text in texts.items():
        for canary in canaries:
            if canary in text:
                yield where


async def call(opened: Storm) -> None:
    async with callers(opened.pbx.ports.sip) as people:
        await people.call("+16465550133", "2125558001", patience=10, talk=0.1)


async def test_the_password_is_nowhere_when_all_goes_well(lab: Lab) -> None:
    async with storm(lab.root, asterisk={"rest": "http"}) as opened:
        await call(opened)
        said = [await opened.command(*command) for command in (
            ("check", "--pbx"), ("reload",), ("release",), ("calls", "--json"), ("--version",),
            ("explain", "--caller", "+16465550133", "--did", "2125558001"),
        )]  # fmt: skip
        assert "Asterisk" in "".join(said) or "asterisk" in "".join(said)
        assert list(sung(opened, *said)) == []


async def test_the_password_is_nowhere_when_the_policy_raises_and_asterisk_goes(lab: Lab) -> None:
    async with storm(lab.root, program=RAISES) as opened:
        await call(opened)
        assert any("Traceback" in line for line in opened.daemon.log)
        await opened.pbx.kill()
        await opened.daemon.logged("next try in")
        said = [await opened.command("release"), await opened.command("check", "--pbx")]
        assert all("Asterisk at http" in one for one in said)
        await opened.pbx.start()
        await opened.daemon.logged("connected to Asterisk", after=len(opened.daemon.log) - 1)
        assert list(sung(opened, *said)) == []
        assert truths(opened.pbx)


async def test_the_password_is_nowhere_when_it_stands_in_the_wrong_place(lab: Lab) -> None:
    async with storm(lab.root) as opened:
        config, password = opened.daemon.config, opened.pbx.ari_password
        right = yaml.safe_load(config.read_text())
        wrong: list[dict[str, object]] = [
            {"password": [password]}, {"password": {password: 1}}, {"password": password, "password_file": "/x"},
            {"passwort": password}, {"url": f"http://screener:{password}@127.0.0.1"}, {"rest": password},
        ]  # fmt: skip
        said = []
        for one in wrong[:-1]:
            config.write_text(yaml.safe_dump({**right, "asterisk": {**right["asterisk"], **one}}))
            assert password in config.read_text()
            said += [await opened.command(command) for command in ("check", "reload", "release")]
        assert all("asterisk" in one for one in said)
        assert list(sung(opened, *said)) == []
        # The search finds what is there: a choice that is none is quoted.
        config.write_text(yaml.safe_dump({**right, "asterisk": {**right["asterisk"], **wrong[-1]}}))
        assert list(sung(opened, await opened.command("check"))) == ["what commands said"]


async def test_a_password_that_everybody_can_read_is_refused_with_the_remedy(lab: Lab) -> None:
    async with storm(lab.root) as opened:
        config = opened.daemon.config
        right = yaml.safe_load(config.read_text())
        config.write_text(yaml.safe_dump({**right, "asterisk": {**right["asterisk"], "password": "x" * 20}}))
        config.chmod(0o644)
        assert f"readable by everybody: chmod 640 {config}" in await opened.command("check")
        config.chmod(0o640)
        assert ": fine (policy " in await opened.command("check")
