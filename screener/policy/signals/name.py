"""Name: what the caller's name (CNAM, or the display name of SIP) gives away. It is a stranger's text, never believed.

Carriers put a warning there where their analytics say so. Names such as `V92116185840629` are made by dialers.
"""

import re
from typing import Final

from screener.policy.call import Call
from screener.policy.policy import Policy
from screener.policy.remembered import Remembered
from screener.policy.signals.rule import Finding

_ODD: Final = re.compile(r"(?=.*[A-Za-z])(?=(?:\D*\d){7})[A-Za-z0-9_.-]{9,}", re.ASCII)
"""One word that holds a letter and at least seven digits."""


def warning(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The name carries a carrier's warning."""
    if not call.name or not remembered.stranger:
        return None
    name, settings = call.name.upper(), policy.settings.signals.number
    if not any(word.upper() in name for word in settings.warnings):
        return None
    return settings.warning, f"the name carries a warning: {call.name!r}"


def odd_name(call: Call, remembered: Remembered, policy: Policy, _now: float) -> Finding | None:
    """The name does not look like a name."""
    if not call.name or not remembered.stranger or not _ODD.fullmatch(call.name):
        return None
    return policy.settings.signals.number.odd_name, f"the name {call.name!r} looks made by a machine"
