"""A few keys that a person can press and today's robots do not."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Below = Callable[[int], int]
"""Draws a number from 0 up to and without its argument. The shell passes `secrets.randbelow`: what a caller
must press may not be guessed from what earlier callers had to."""


class ChallengeKind(StrEnum):
    """What is asked for."""

    DIGITS = "digits"
    """Press the digits that you hear."""
    SUM = "sum"
    """Press the sum of two digits that you hear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One question and its answer."""

    spoken: tuple[str, ...]
    """Digits, and the word `plus`, in the order in which they are spoken."""
    answer: str
    """The keys to press."""


def draw(kind: ChallengeKind, digits: int, below: Below) -> Challenge:
    """Draw a challenge; `digits` is how many are spoken for `ChallengeKind.DIGITS`."""
    if kind is ChallengeKind.SUM:
        # No zero: "three plus zero" sounds like a trick.
        left, right = 1 + below(9), 1 + below(9)
        return Challenge(spoken=(str(left), "plus", str(right)), answer=str(left + right))
    answer = "".join(str(below(10)) for _ in range(digits))
    return Challenge(spoken=tuple(answer), answer=answer)


def draw_keys(count: int, below: Below) -> tuple[str, ...]:
    """Draw `count` different keys, at most nine, from 1 to 9: a menu's options."""
    free = list("123456789")
    return tuple(free.pop(below(len(free))) for _ in range(count))


def seal(answer: str, salt: str) -> str:
    """Return the hash by which the dialplan recognises the answer without knowing it.

    SHA-1 because Asterisk has that one (func_sha1). It keeps the answer out of logs, CDRs and the journal, and no
    more: whoever can read a channel's variables can try all hundred answers, or simply listen.
    """
    return hashlib.sha1((salt + answer).encode(), usedforsecurity=False).hexdigest()


def seal_keys(code: str, salt: str) -> str:
    """Return the hash by which the dialplan recognises a code that it reads key by key.

    Each key is hashed together with what came before it, so that the code as a whole is never in a variable: while it
    is typed, there is the hash so far and one key. The salt goes into each step: whoever reads the log, where the
    hashes stand, could try ten keys a step otherwise.
    """
    sealed = ""
    for key in code:
        sealed = seal(sealed + key, salt)
    return sealed
