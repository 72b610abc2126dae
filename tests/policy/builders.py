"""A call and a policy in one line, with only what a story is about spelled out."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from screener.policy.bucket import Taken
from screener.policy.call import Attestation, Call
from screener.policy.caller import Caller, identify
from screener.policy.policy import Policy, compile_policy
from screener.policy.remembered import Failures, Remembered, Trust
from screener.policy.settings import PolicySettings

CALLER = "+12015550123"
ANOTHER_CALLER = "+12015550199"
DID = "+14155550100"
ANOTHER_DID = "+14155550101"
PEPPER = b"a secret of this installation"
MAILBOX = "600@default"

TAKEN = Taken(admitted=True, tokens=2.0, free_in=0.0)
"""What a caller hears of the bucket at its first call."""
REFUSED = Taken(admitted=False, tokens=0.0, free_in=150.0)
"""What a caller hears of the bucket who called too often."""

thorough = settings(max_examples=150, deadline=None)
"""For properties that carry the design. No deadline: numbering plans are loaded at first use."""
brief = settings(max_examples=50, deadline=None)
"""For the others."""


def make_caller(raw: str = CALLER, *, prohibited: bool = False, region: str = "US", pepper: bytes = PEPPER) -> Caller:
    return identify(raw, prohibited=prohibited, region=region, pepper=pepper)


def make_call(
    raw: str = CALLER,
    *,
    prohibited: bool = False,
    did: str = DID,
    trunk: str = "trunk",
    attestation: Attestation = Attestation.NONE,
) -> Call:
    caller = make_caller(raw, prohibited=prohibited)
    return Call(id="1700000000.1", caller=caller, did=did, trunk=trunk, attestation=attestation)


def make_settings(**written: Any) -> PolicySettings:
    """Return settings as an administrator of a live installation in the United States writes them."""
    common = {"region": "US", "mode": "live", "voicemail": {"mailbox": MAILBOX}}
    # One bucket that only admitted calls empty, unless a story is about the others: it is told in fewer calls.
    bucket = {"sustained": False, "rest": 0, **written.pop("bucket", {})}
    return PolicySettings.model_validate({**common, "bucket": bucket, **written})


def make_policy(**written: Any) -> Policy:
    return compile_policy(make_settings(**written))


TIMES = st.floats(0, 1e9)

REMEMBERED = st.builds(
    Remembered,
    rate=st.sampled_from([TAKEN, REFUSED]),
    trust=st.just(()) | st.tuples(st.builds(Trust, until=TIMES, earned_with=st.sampled_from(Attestation))),
    failures=st.none() | st.builds(Failures, count=st.integers(1, 1000), last_at=TIMES),
    rejected_at=st.none() | TIMES,
)
"""Anything that a memory may hold of a caller."""

RAW = st.sampled_from([CALLER, ANOTHER_CALLER, "", "anonymous", "hello", "12", "\u0661\u0662\u0663", "sip:a@b", "911"])
CALLS = st.builds(
    make_call, RAW, prohibited=st.booleans(), did=st.sampled_from([DID, "s"]), attestation=st.sampled_from(Attestation)
)
"""Calls of all kinds of callers."""
