"""How the treatments that take more than a question and a key behave: announce, tarpit, busy; and partners' codes."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator

from screener.policy.section import Section
from screener.policy.verdict import Treatment

Sound = Annotated[str, Field(pattern=r"^[A-Za-z0-9_/.-]+$", max_length=200)]
"""A sound as Asterisk's Playback() names it: below its sounds directory, or an absolute path; no ending."""
Sounds = Annotated[tuple[Sound, ...], Field(max_length=10)]
Spoken = Annotated[tuple[Sound, ...], Field(min_length=1, max_length=10)]
Next = Literal[Treatment.VOICEMAIL, Treatment.REJECT, Treatment.PASS]
Dial = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[A-Za-z0-9_.@/*#+-]+$", max_length=120)]
"""Whom to ring, as ARI wants it: `PJSIP/reception`, or a Local channel (`Local/100@phones`) for more than one phone."""
MusicClass = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=40)]

CODES: Final = 10
"""Partners' codes at the most: the dialplan compares what is typed with each of them."""
CODE_KEYS: Final = 12
"""Keys of a code at the most; the dialplan reads no further."""


class ReasonSounds(Section):
    """What the callee hears of why the call is announced, a word for each group of reasons."""

    unknown: Sounds = ("from-unknown-caller",)
    """Nothing speaks for the caller, or the number is withheld; also where no other group fits."""
    invalid: Sounds = ("privacy-incorrect",)
    """The number cannot be right."""
    often: Sounds = ("simul-call-limit-reached",)
    """Too many calls: of this caller, of its neighbours, or to this number."""


class AnnounceSettings(Section):
    """The caller says a name; the callee hears it and presses 1 to take the call, 2 to decline it, 3 to block."""

    dial: Dial | None = None
    """Whom to ring and to ask: `PJSIP/reception`, or `Local/100@phones` for what your dialplan does there. A DID's own
    `announce` comes before it. Where neither is set, a call for announce passes."""
    ring_seconds: float = Field(default=20, ge=3, le=120)
    """Seconds for which the callee's phone rings."""
    name_seconds: int = Field(default=5, ge=1, le=30)
    """Seconds that the caller's name may take; two seconds of silence end it."""
    key_seconds: float = Field(default=6, ge=1, le=30)
    """Seconds to wait for the callee's key; then the question is put once more."""
    music: MusicClass | None = None
    """A class of music on hold for the caller who waits; left out: the ringing tone."""
    then: Next = Treatment.VOICEMAIL
    """The treatment where the callee declines, does not answer, or presses nothing."""
    ask_name: Spoken = ("priv-recordintro",)
    """Sounds that ask the caller for a name; a beep follows."""
    hold: Sounds = ("priv-introsaved",)
    """Sounds that thank the caller and ask for patience."""
    call_from: Spoken = ("followme/call-from",)
    """Sounds before the name."""
    no_name: Spoken = ("followme/no-recording",)
    """Sounds instead of these where the caller said nothing."""
    options: Spoken = ("followme/options", "vm-press", "digits/3", "vm-for", "do-not-disturb")
    """Sounds that tell the callee the keys."""
    refusal: Sounds = ("goodbye",)
    """Sounds for a caller whom the callee blocks."""
    reasons: ReasonSounds = ReasonSounds()


class TarpitSettings(Section):
    """A hold that costs a robot its time and nobody else's."""

    seconds: int = Field(default=120, ge=1, le=3600)
    """Seconds for which a call is held; then it is ended."""
    calls: int = Field(default=20, ge=1, le=1000)
    """Calls held at once; one more hears the busy tone."""
    answer: bool = False
    """Answer the call: then the caller pays for it, and so may you. Without it the caller only hears ringing."""
    music: MusicClass | None = None
    """A class of music on hold to play, as early media where the call is not answered; left out: the ringing tone."""


class BusySettings(Section):
    """The busy tone: never answered."""

    cause: int = Field(default=17, ge=1, le=127)
    """Hangup cause (ITU-T Q.850): 17 busy, 34 no line is free, 42 congestion."""


class BypassCode(Section):
    """A code by which a partner passes the captcha and the menu: `*`, the code, `#`."""

    code: SecretStr
    """4 to 12 digits, your own choice, in quotes."""
    note: str = Field(default="", max_length=200)
    """Whose it is."""

    @field_validator("code")
    @classmethod
    def _digits(cls, code: SecretStr) -> SecretStr:
        typed = code.get_secret_value()
        if not (typed.isascii() and typed.isdigit() and 4 <= len(typed) <= CODE_KEYS):
            raise ValueError(f"expected 4 to {CODE_KEYS} digits")
        if len(set(typed)) == 1 or typed in "01234567890" or typed in "09876543210":
            raise ValueError("expected a code that is harder to guess than a row of digits")
        return code


Bypass = Annotated[tuple[BypassCode, ...], Field(max_length=CODES)]

GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("malformed", "foreign-script", "unassigned", "own-number"), "invalid"),
    **dict.fromkeys(("rate", "neighbourhood", "sweep", "surge", "group", "rhythm", "alike", "hang-up"), "often"),
}
"""Which word stands for which signal; for those that are not here: `unknown`."""


def reason_sounds(codes: tuple[str, ...], sounds: ReasonSounds) -> tuple[str, ...]:
    """Return the sounds for the first of these reason codes; they come with the weightiest first."""
    group = GROUPS.get(codes[0], "unknown") if codes else "unknown"
    return {"invalid": sounds.invalid, "often": sounds.often}.get(group, sounds.unknown)
