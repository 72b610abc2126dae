"""What holds for a called number, as an administrator writes it: for a DID, for a group, outside office hours."""

import itertools
from typing import Annotated

from pydantic import Field, field_validator

from screener.policy.section import Section
from screener.policy.treatments import Dial
from screener.policy.verdict import Mode, Treatment

Mailbox = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(@[A-Za-z0-9_.-]+)?$", max_length=80)]
CalendarName = Annotated[str, Field(min_length=1, max_length=80)]


class Rung(Section):
    """One step of the ladder."""

    score: float = Field(allow_inf_nan=False)
    """From this score on ..."""
    treatment: Treatment
    """... this treatment applies."""


Ladder = tuple[Rung, ...]

DEFAULT_LADDER: Ladder = (
    Rung(score=3, treatment=Treatment.MENU),
    Rung(score=5, treatment=Treatment.CAPTCHA),
    Rung(score=12, treatment=Treatment.VOICEMAIL),
)


def ascending(ladder: Ladder | None) -> Ladder | None:
    """Return the ladder. Raises ValueError if a step is not higher than the one before it."""
    scores = [rung.score for rung in ladder or ()]
    if any(low >= high for low, high in itertools.pairwise(scores)):
        raise ValueError("each step of a ladder needs a higher score than the one before it")
    return ladder


class ClosedSettings(Section):
    """What is different while the calendar is closed; what is left out is as while it is open."""

    mode: Mode | None = None
    """`shadow` or `live`."""
    ladder: Annotated[Ladder | None, Field(max_length=20)] = None
    """Another ladder."""
    mailbox: Mailbox | None = None
    """Another mailbox."""
    announce: Dial | None = None
    """Somebody else whom the treatment announce rings."""

    _check_ladder = field_validator("ladder")(ascending)


class DidSettings(ClosedSettings):
    """What is different for one called number; what is left out is as for its group, or for the whole policy."""

    mode: Mode | None = None
    """`shadow` or `live` for this DID."""
    ladder: Annotated[Ladder | None, Field(max_length=20)] = None
    """Another ladder for this DID."""
    mailbox: Mailbox | None = None
    """The mailbox of this DID."""
    announce: Dial | None = None
    """Whom the treatment announce rings for this DID."""
    calendar: CalendarName | None = None
    """The calendar of this DID, one of `calendars`."""
    closed: ClosedSettings = ClosedSettings()
    """What is different while the calendar is closed."""


class DidGroupSettings(DidSettings):
    """What is different for several called numbers; a DID's own settings come before those of its group."""

    dids: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=80)], ...], Field(min_length=1)]
    """The numbers; ending in `*`, a range of them in E.164: `+1212555*`."""
