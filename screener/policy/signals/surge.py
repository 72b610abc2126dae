"""Surge: far more strangers than usual at this hour of the week (telephony denial of service, or a campaign).

It raises the scores of strangers only, and of these first those for whom nothing speaks: campaigns sign few of their
calls with an A (3 %, TransNexus 2022), and few show the area code of whom they call (6 %, Prasad et al., USENIX
Security 2020). A wave of people who call back a spoofed number of ours looks the same, so it must never do more than
challenge.
"""

from screener.policy.call import Call
from screener.policy.phrase import duration
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding
from screener.policy.signals.stranger import speaks_for


def surge(call: Call, remembered: Remembered, policy: Policy, now: float) -> Finding | None:
    """A stranger calls during a surge."""
    found = remembered.surge
    if found is None or not remembered.stranger or speaks_for(call, remembered) > found.heavy:
        return None
    where = "the PBX" if found.about == "PBX" else found.about
    return policy.settings.signals.surge.points, (
        f"far more strangers than usual have been calling {where} for {duration(now - found.since)}: "
        f"{found.expected:.0f} an hour are usual now"
    )
