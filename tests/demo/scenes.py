"""Who calls in the demo, what they do, and what should become of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from screener.policy.verdict import Treatment
from tests.lab.behaviours import choose, listen_and_obey
from tests.lab.callers import Behaviour, Line
from tests.lab.observe import Journey

DID: Final = "2125550100"
STRANGER: Final = "+16465550111"
ROBOT: Final = "+16465550122"
PERSON: Final = "+16465550133"
BLOCKED: Final = "+19005550144"
LATE: Final = "+16465550155"

POLICY: Final[Mapping[str, Any]] = {
    "bucket": {"capacity": 3, "refill_per_hour": 12},
    "lists": {"block": [{"number": "+1900*", "note": "premium rate"}]},
    "captcha": {"seconds": 3},
    "menu": {"options": [{"prompt": ["to-call-this-number"], "destination": "sales,s,1"}]},
}
"""What the demo changes about the policy that is shipped (and the mode: live)."""

CONTEXTS: Final = frozenset(f"screener-{treatment}" for treatment in Treatment)
"""The contexts of the treatments."""

TALK: Final = 0.3
"""Seconds that callers talk once somebody has picked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One call."""

    says: str
    """What happens, for the reader."""
    caller: str
    behaviour: Behaviour
    expected: str
    """The way through the PBX, as `way` words it."""
    withheld: bool = False
    without_daemon: bool = False
    """The daemon is killed before this call."""


async def robot(line: Line) -> None:
    """Press keys into whatever answers, and speak when told to."""
    await line.answered()
    await line.stay(1.0)
    await line.press("123")
    await line.hear_beep()
    await line.say("1234567")


def scenes() -> list[Scene]:
    """Return the calls in the order in which they are made."""
    talk = listen_and_obey(stay=TALK)
    free = "pass > agent answers"
    return [
        Scene(says="a first-time caller", caller=STRANGER, behaviour=talk, expected=free),
        *(
            Scene(says=f"a robocaller, call {n} of its burst", caller=ROBOT, behaviour=talk, expected=free)
            for n in (1, 2, 3)
        ),
        Scene(
            says="the robocaller again: too often; it guesses",
            caller=ROBOT,
            behaviour=robot,
            expected="captcha > voicemail > message in 900",
        ),
        *(
            Scene(says=f"a person in a hurry, call {n}", caller=PERSON, behaviour=talk, expected=free)
            for n in (1, 2, 3)
        ),
        Scene(
            says="the person again: listens, types what was spoken",
            caller=PERSON,
            behaviour=talk,
            expected="captcha > pass > agent answers",
        ),
        Scene(says="the person once more: trusted now", caller=PERSON, behaviour=talk, expected=free),
        Scene(
            says="a withheld number; presses the key that is named",
            caller="",
            behaviour=choose(0, stay=TALK),
            expected="menu > pass > sales answers",
            withheld=True,
        ),
        Scene(says="a blocked number", caller=BLOCKED, behaviour=talk, expected="reject > cause 21, never answered"),
        Scene(
            says="the daemon was killed; somebody calls",
            caller=LATE,
            behaviour=talk,
            expected=free,
            without_daemon=True,
        ),
    ]


def way(journey: Journey) -> str:
    """Say how a call went through the PBX, from what the PBX itself reported."""
    steps = [name.removeprefix("screener-") for name in journey.contexts if name in CONTEXTS]
    # A treatment calls the context that all of them begin with, and comes back.
    steps = [name for place, name in enumerate(steps) if place == 0 or name != steps[place - 1]]
    if journey.answered_by:
        end = f"{journey.answered_by} answers"
    elif journey.message is not None and journey.mailbox:
        end = f"message in {journey.mailbox.partition('@')[0]}"
    elif journey.up_at is None:
        end = f"cause {journey.cause}, never answered"
    else:
        end = f"cause {journey.cause}"
    return " > ".join([*steps, end])
