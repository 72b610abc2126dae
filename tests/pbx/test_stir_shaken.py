"""Who vouches for a caller ID, on a real PBX that verifies what a second Asterisk, and a forger, have signed."""

import dataclasses
import functools
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio

from screener.policy.call import called_number
from screener.policy.signal_settings import SignalsSettings
from tests.lab.authority import Authority, Provider, claims, served
from tests.lab.daemon import DIALPLAN, Daemon
from tests.lab.lab import Lab
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx, Settings
from tests.lab.places import ETC, SCENARIOS
from tests.lab.ports import free_ports
from tests.lab.signer import Signer
from tests.lab.sipp import run_sipp

pytestmark = pytest.mark.pbx

CALLER, OTHER = "+12125550150", "+14155550199"
VERIFIES = """
[verification]
load_system_certs = no
ca_file = /lab/etc/ca.pem
cert_cache_dir = /lab/cache
failure_action = continue
; The certificates are on the loopback interface, over http; nowhere else should these be set.
x5u_deny = 0.0.0.0/0.0.0.0
x5u_permit = 127.0.0.0/8
relax_x5u_port_scheme_restrictions = yes

[screener]
type = profile
endpoint_behavior = verify
ignore_sip_date_header = yes
"""
POINTS = {"A": 1, "B": 2, "C": 3, "none": 4, "failed": 5}
ONLY_ATTESTATION = {
    **{name: {"mode": "off"} for name in SignalsSettings.model_fields},
    "attestation": {"mode": "live", "points": POINTS},
}
"""One score for each level: the PBX has it in a variable of the channel."""
SIGNED_LEVELS: Sequence[Literal["A", "B", "C"]] = ("A", "B", "C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All parts of it."""

    lab: Lab
    pbx: Pbx
    observer: Observer
    signer: Signer
    provider: Provider
    unknown: Provider
    """Signs as well as the other; but nobody trusts its authority."""
    directory: Path

    async def send(self, did: str, *headers: str, caller: str = CALLER) -> None:
        """Call with these header lines, whatever is in them."""
        text = (SCENARIOS / "uac_hostile.xml").read_text().replace("[field2]", "\n".join(headers))
        scenario = self.directory / "scenario.xml"
        scenario.write_text(text)
        calls = [(f"<sip:{caller}@127.0.0.1>", did)]
        await run_sipp(
            self.lab.root, self.pbx.ports.sip, calls, rate=1, count=1, hold=0.1, scenario=scenario, timeout=10
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    directory = tmp_path_factory.mktemp("certificates")
    authority, elsewhere = Authority("Authority of the lab"), Authority("Authority of nobody")
    settings = Settings(
        dialplan=[DIALPLAN],
        stir_shaken=VERIFIES,
        trunk="stir_shaken_profile = screener",
        variables={"SCREENER_ATTESTATION_HEADER": "X-Own"},
        files={"ca.pem": authority.pem},
    )
    with served(directory) as address:
        provider = Provider(authority, "SHAKEN 709J", f"{address}/known.pem")
        unknown = Provider(elsewhere, "SHAKEN 709J", f"{address}/unknown.pem")
        (directory / "known.pem").write_text(provider.certificate)
        (directory / "unknown.pem").write_text(unknown.certificate)
        async with lab.passing_pbx(settings) as pbx, Signer(lab.root, provider) as signer:
            yield Network(
                lab=lab, pbx=pbx, observer=Observer(pbx), signer=signer, provider=provider, unknown=unknown,
                directory=directory,
            )  # fmt: skip


class Forger:
    """Writes the header lines of one call."""

    def __init__(self, network: Network, did: str) -> None:
        self._network, self._did = network, did

    def claims(self, at: float = 0.0, *, orig: str = CALLER, dest: str = "", attest: str = "A") -> Mapping[str, Any]:
        """What is signed; `at` is in seconds from now."""
        return claims(orig, dest or called_number(self._did, "US"), time.time() + at, attest)

    def line(self, at: float = 0.0, *, known: bool = True, header: Mapping[str, Any] | None = None, **said: str) -> str:
        """Return an Identity header, signed by a provider that is known to the PBX or by one that is not."""
        by = self._network.provider if known else self._network.unknown
        return "Identity: " + by.identity(self.claims(at, **said), **(header or {}))

    def x5u(self, address: object, at: float = 0.0) -> str:
        """Return an Identity header whose certificate is said to be at `address`."""
        return self.line(at, header={"x5u": address})


PASSED = f"<sip:{CALLER};verstat=TN-Validation-Passed-A@127.0.0.1>"
Case = tuple[str, str, Callable[[Forger], Sequence[str]]]
NOWHERE = "https://127.0.0.1/nobody-serves-this.pem"
UNVERIFIED, SIGNED = "did not verify", "signed with attestation A by 127.0.0.1"
CASES: Mapping[str, Case] = {
    "no header": ("none", "not signed", lambda _: []),
    "A": ("A", SIGNED, lambda f: [f.line()]),
    "expired": ("failed", "it is dated 2 minutes", lambda f: [f.line(-120)]),
    "expired, as seen by Asterisk": ("failed", "iat_range_error", lambda f: [f.x5u(NOWHERE, -120)]),
    "an hour ahead": ("failed", "ahead", lambda f: [f.line(3600)]),
    "half a minute ahead": ("A", SIGNED, lambda f: [f.line(30)]),
    "for another called number": ("failed", f"for a call to {OTHER}", lambda f: [f.line(dest=OTHER)]),
    "for another caller": ("failed", "cid_orig_tn_mismatch", lambda f: [f.line(orig=OTHER)]),
    "A, then C": ("A", SIGNED, lambda f: [f.line(), f.line(attest="C")]),
    "C, then A": ("C", "attestation C", lambda f: [f.line(attest="C"), f.line()]),
    "by an unknown authority": ("failed", UNVERIFIED, lambda f: [f.line(known=False)]),
    "div, then A": ("none", "another kind", lambda f: [f.line(header={"ppt": "div"}), f.line()]),
    "A, then div": ("A", SIGNED, lambda f: [f.line(), f.line(header={"ppt": "div"})]),
    "forged": ("failed", UNVERIFIED, lambda f: [_forged(f.line())]),
    "without info": ("failed", UNVERIFIED, lambda f: [f.line().partition(";")[0]]),
    "garbage": ("failed", UNVERIFIED, lambda _: ["Identity: garbage"]),
    "garbage in base64": ("failed", UNVERIFIED, lambda _: ["Identity: eyJ.eyJ.%%%;info=<http://127.0.0.1/>"]),
    "no JSON": ("failed", UNVERIFIED, lambda _: ["Identity: eyJh.eyJh.eyJh;info=<http://127.0.0.1/>"]),
    "huge": ("failed", UNVERIFIED, lambda _: ["Identity: " + "eyJh" * 5000 + ";info=<http://127.0.0.1/>"]),
    "no address of the certificate": ("failed", UNVERIFIED, lambda f: [f.x5u(None)]),
    "a number for an address": ("failed", UNVERIFIED, lambda f: [f.x5u(7)]),
    "a list for an address": ("failed", UNVERIFIED, lambda f: [f.x5u([NOWHERE])]),
    "no certificate address at all": ("failed", UNVERIFIED, lambda f: [f.x5u("ftp:/nowhere")]),
    "an expression for an address": ("failed", UNVERIFIED, lambda f: [f.x5u('https://a/${SHELL(id)}",$[1 + 1]')]),
    "a certificate that cannot be had": ("none", "cert_retrieval_failure", lambda f: [f.x5u(NOWHERE)]),
    "attested AAA": ("failed", "none of A, B and C", lambda f: [f.line(attest="AAA")]),
    "forwarded": ("none", "which forwarded it", lambda f: [f.line(dest=OTHER), f"Diversion: <sip:{OTHER}@127.0.0.1>"]),
    "the provider's verstat": ("none", "verstat", lambda _: [f"P-Asserted-Identity: {PASSED}"]),
    "the provider's header": ("none", "headers", lambda _: ["P-Attestation-Indicator: A"]),
}
"""Each call's level, a part of the reason, and its headers; of the trunk only what Asterisk verified is believed."""

BELIEVED: Mapping[str, Case] = {
    "verstat of the user": ("A", "verstat TN-Validation-Passed-A", lambda _: [f"P-Asserted-Identity: {PASSED}"]),
    "verstat in a name": ("none", "not signed", lambda _: [f'P-Asserted-Identity: "{PASSED[1:-1]}" <sip:{CALLER}@a>']),
    "failed, whatever was claimed": (
        "failed", "TN-Validation-Failed",
        lambda _: [f"P-Asserted-Identity: <sip:{CALLER}@a;verstat=TN-Validation-Failed>", "P-Attestation-Indicator: A"],
    ),
    "the indicator": ("B", "P-Attestation-Indicator B", lambda _: ["P-Attestation-Indicator: B"]),
    "Twilio's header": ("C", "X-Twilio-VerStat", lambda _: ["X-Twilio-VerStat: TN-Validation-Passed-C"]),
    "the header that was named": ("B", "SCREENER_ATTESTATION_HEADER B", lambda _: ["X-Own: B"]),
    "a proof beside a word": ("A", SIGNED, lambda f: [f.line(), "P-Attestation-Indicator: C"]),
    "hostile": (
        "none", "not signed",
        lambda _: ['P-Attestation-Indicator: ",:${SHELL(id)}:sig0=success/A/x', "X-Own: ${SHELL(id)}"],
    ),
    "no header": ("none", "not signed", lambda _: []),
}  # fmt: skip
"""The same on a trunk whose provider is believed."""


def _forged(line: str) -> str:
    """Return a header with the signature of another one of the same provider, which is as long."""
    token, _, rest = line.partition(";")
    return f"{token[:-4]}{'AAAA' if token[-4:] != 'AAAA' else 'BBBB'};{rest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of a call."""

    score: str
    """The level's points, as the PBX has them in a variable of the channel."""
    why: str
    journal: str
    """The level that the journal has."""


async def make(
    network: Network,
    calls: Sequence[tuple[str, Callable[[], Sequence[str]]]],
    more: Mapping[str, Any] | None = None,
    **policy: Any,
) -> Sequence[Seen]:
    """Make calls, each to a DID with these headers, and return what the PBX and the journal say of them."""
    await network.lab.world.agent()
    variables = []
    async with Daemon(network.pbx, {"signals": ONLY_ATTESTATION, "ladder": [], **policy}, more=more) as daemon:
        for did, lines in calls:
            before = time.time()
            await network.send(did, *lines())
            variables.append((await network.observer.journey(did=did, after=before - 0.05)).variables)
        await daemon.stop()
        with daemon.recorded() as journal:
            written = [str(entry.call.attestation) for entry in journal.calls()]
    return [
        Seen(score=one["SCREENER_SCORE"], why=one["SCREENER_WHY"], journal=level)
        for one, level in zip(variables, written, strict=True)
    ]


async def make_all(network: Network, cases: Mapping[str, Case], prefix: str, **policy: Any) -> Mapping[str, Seen]:
    """Make the call of each case, to a DID of its own."""
    dids = [f"{prefix}{number:03}" for number in range(len(cases))]
    # A signature counts for 15 seconds, so each is made when its call is.
    calls = [
        (did, functools.partial(lines, Forger(network, did)))
        for did, (_, _, lines) in zip(dids, cases.values(), strict=True)
    ]
    return dict(zip(cases, await make(network, calls, **policy), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strangers(network: Network) -> Mapping[str, Seen]:
    return await make_all(network, CASES, "12125551")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def believed(network: Network) -> Mapping[str, Seen]:
    attestation = {"trunks": {"trunk": ["asterisk", "verstat", "headers"]}}
    return await make_all(network, BELIEVED, "12125552", attestation=attestation)


@pytest.mark.parametrize("name", CASES)
async def test_what_a_signature_proves(strangers: Mapping[str, Seen], name: str) -> None:
    check(strangers[name], *CASES[name][:2])


@pytest.mark.parametrize("name", BELIEVED)
async def test_what_a_provider_is_believed(believed: Mapping[str, Seen], name: str) -> None:
    check(believed[name], *BELIEVED[name][:2])


def check(seen: Seen, level: str, why: str) -> None:
    assert (seen.journal, seen.score) == (level, str(POINTS[level])), seen.why
    assert why in seen.why
    assert "uid=" not in seen.why


async def test_a_signature_that_comes_twice_is_a_copy(network: Network) -> None:
    did = "12125553000"
    lines = [Forger(network, did).line()]
    first, second = await make(network, [(did, lambda: lines), (did, lambda: lines)])
    check(first, "A", SIGNED)
    assert second.score == str(POINTS["failed"])
    assert "another call has just used" in second.why


async def test_what_a_second_asterisk_signs(network: Network) -> None:
    await network.lab.world.agent(stay=0.2)
    seen = {}
    async with Daemon(network.pbx, {"signals": ONLY_ATTESTATION, "ladder": []}):
        for number, level in enumerate(SIGNED_LEVELS):
            did = f"1212555310{number}"
            await network.signer.call(did, CALLER, level, network.pbx)
            seen[level] = (await network.observer.journey(did=did)).variables
    for level, variables in seen.items():
        assert variables["SCREENER_SCORE"] == str(POINTS[level])
        assert f"attestation {level} by 127.0.0.1" in variables["SCREENER_WHY"]


@pytest.mark.parametrize(("entry", "did"), [("broadcast", "12125553200"), ("agi", "12125553201")])
async def test_a_signature_comes_by_every_entry(network: Network, entry: str, did: str) -> None:
    (port,) = free_ports(socket.SOCK_STREAM, 1)
    await set_globals(network.pbx, SCREENER_ENTRY=entry, SCREENER_AGI=f"127.0.0.1:{port}")
    try:
        calls = [(did, lambda: [Forger(network, did).line()])]
        (seen,) = await make(network, calls, more={"fastagi": {"enabled": True, "port": port}})
    finally:
        await set_globals(network.pbx, SCREENER_ENTRY="stasis")
    check(seen, "A", SIGNED)


async def set_globals(pbx: Pbx, **values: str) -> None:
    for name, value in values.items():
        await pbx.ami.action("Setvar", Variable=name, Value=value)


async def test_a_call_by_another_channel_than_pjsip_is_unsigned_and_leaves_no_complaint(network: Network) -> None:
    did, before = "12125553300", network.pbx.log.stat().st_size
    await network.lab.world.agent(stay=0.2)
    async with Daemon(network.pbx, {"ladder": []}) as daemon:
        await network.pbx.ami.action(
            "Originate", Channel=f"Local/{did}@from-trunk", CallerID=CALLER, Application="Wait", Data="5", Async="true"
        )
        judged = await daemon.logged(f"did=+{did}")
        await daemon.stop()
        with daemon.recorded() as journal:
            assert [entry.call.attestation for entry in journal.calls()] == ["none"]
    assert "attestation" not in judged
    assert not complaints(network.pbx, before)


async def test_ordinary_calls_leave_no_complaint_in_asterisks_log(network: Network) -> None:
    unsigned, signed, before = "12125553400", "12125553401", network.pbx.log.stat().st_size
    await make(network, [(unsigned, list), (signed, lambda: [Forger(network, signed).line()])])
    assert not complaints(network.pbx, before)


def complaints(pbx: Pbx, since: int) -> Sequence[str]:
    """Return the warnings and errors about calls in Asterisk's log from an offset on."""
    lines = pbx.log.read_bytes()[since:].decode(errors="replace").splitlines()
    return [line for line in lines if re.search(r" (WARNING|ERROR)\[\d+\]\[C-", line)]


@pytest.mark.parametrize(
    ("missing", "signed", "told"),
    [
        ("res_stir_shaken.so res_pjsip_stir_shaken.so", "B", "B"),
        ("res_pjsip_header_funcs.so", "A", "none"),
        ("func_json.so", "A", "B"),
    ],
)
async def test_without_a_module_the_rest_works(
    network: Network, lab: Lab, missing: str, signed: str, told: str
) -> None:
    """A signed call and an unsigned one, of both of which the provider says B; and then one that Asterisk refuses."""
    modules = (ETC / "common" / "modules.conf").read_text()
    without = modules.replace("@@{no_modules}", "\n".join(f"noload = {module}" for module in missing.split()))
    settings = dataclasses.replace(
        network.pbx.settings, files={**network.pbx.settings.files, "modules.conf": without}, variables={}
    )
    async with lab.passing_pbx(settings) as pbx:
        there = dataclasses.replace(network, pbx=pbx, observer=Observer(pbx))
        did = "12125553500"
        forger = Forger(there, did)
        says_b = "P-Attestation-Indicator: B"
        calls = [
            (did, lambda: [forger.line(), says_b]),
            (did, lambda: [says_b]),
            (did, lambda: [forger.x5u("ftp:/nowhere")]),
        ]
        seen = await make(there, calls, attestation={"trunks": {"trunk": ["asterisk", "headers"]}})
        assert [one.journal for one in seen[:2]] == [signed, told]
        assert seen[2].journal == ("none" if "stir" in missing else "failed")


async def test_asterisk_is_still_there(network: Network, strangers: Mapping[str, Seen]) -> None:
    """To ask for a verify_result that has no name ends it with SIGSEGV (see the dialplan)."""
    assert len(strangers) == len(CASES)
    assert "System uptime" in await network.pbx.cli("core show uptime")
