"""How a verdict's variables reach the call: as global variables, which its own dialplan reads.

Setting them on the channel would be simpler. But since Asterisk made ARI respect `live_dangerously` (June 2026: 20.20,
22.10, 23.4), one channel variable that is set through ARI forbids DB(), STAT(), FILE() and SHELL() to that call for the
rest of its life, in the administrator's own dialplan too: res/stasis/control.c marks the call's thread and never takes
the mark away (measured on 22.10.1). Global variables are set by another thread.

They are few and used in turn. Each begins with a tag that is drawn for the call, which the dialplan compares: a call
that is so late that its place was taken by another finds nothing.
"""

import itertools
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from screener.asterisk import commands
from screener.asterisk.rest import Request

PLACES: Final = 128
"""Calls whose variables wait to be read, which takes some milliseconds. Asterisk searches its global variables from the
first to the last, so there should not be many."""
PART_LENGTH: Final = 2_500
"""Characters in one global variable; Asterisk cuts the value of an expression at 4,096."""
PART_VARIABLES: Final = 20
"""Variables in one; MSet() takes 24."""

_MEANS_SOMETHING: Final = re.compile(r'[,()\[\]"\\]')
"""Characters that mean something to the parser of MSet()'s arguments."""


class Carrier:
    """Packs variables for the dialplan's context screener-carried."""

    def __init__(self, application: str, secret: str = "") -> None:
        """`secret` begins every salt; it goes by itself, because Asterisk logs the arguments of MSet()."""
        self._application = application
        self._secret = secret
        # Somewhere: two daemons may share an application while one takes it over from the other.
        self._places = itertools.count(secrets.randbelow(PLACES))

    def load(self, variables: Mapping[str, str]) -> tuple[str, list[Request]]:
        """Return the extension at which the dialplan reads the variables, and the requests that put them there."""
        place, tag = f"{self._application}_{next(self._places) % PLACES}", secrets.token_hex(3)
        requests = []
        salt = variables.get("SCREENER_SALT", "")
        if self._secret and salt.startswith(self._secret):
            kept = {"SCREENER_SALT": salt.removeprefix(self._secret), "SCREENER_BY": self._application}
            variables = {**variables, **kept}
            requests.append(commands.set_global(f"SCREENER_SECRET_{self._application}", self._secret))
        for number, part in enumerate(_parts(variables), start=1):
            requests.append(commands.set_global(f"SCREENER_PLACE_{place}_{number}", f"{tag}:{part}"))
        return f"v.{place}.{tag}", requests


def _parts(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield lists of NAME=value for MSet()."""
    part: list[str] = []
    for name, value in variables.items():
        pair = f"{name}={_MEANS_SOMETHING.sub(_escaped, value)}"
        if part and (len(part) >= PART_VARIABLES or sum(map(len, part)) + len(part) + len(pair) > PART_LENGTH):
            yield ",".join(part)
            part = []
        part.append(pair)
    yield ",".join(part)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"
