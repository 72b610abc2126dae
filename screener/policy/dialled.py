"""Numbers as the dialplan hands them over: what can be a DID or an extension at all."""

import re
from typing import Final

DIALLED: Final = re.compile(r"[0-9A-Za-z+*#]+")
"""A DID or an extension: the dialplan filters all else out."""
NUMBER_EXPECTED: Final = "expected a telephone number, or the digits and letters of an extension"


def is_dialled(number: str) -> bool:
    """Return whether a call can go to this."""
    return DIALLED.fullmatch(number) is not None
