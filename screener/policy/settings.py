"""The policy as an administrator writes it: each setting with its meaning and its unit.

These models refuse an illegal value where it is written and unknown keys everywhere. They are the one place that
says what a setting means; the reference in the documentation is tested against them.
"""

from typing import Annotated, Any, Literal, Self

import phonenumbers
from pydantic import Field, field_validator, model_validator

from screener.policy.calendar_settings import CalendarSettings
from screener.policy.challenge import ChallengeKind
from screener.policy.feed_settings import FeedSettings
from screener.policy.line import Line, lines_of
from screener.policy.line_settings import (
    DEFAULT_LADDER,
    CalendarName,
    ClosedSettings,
    DidGroupSettings,
    DidSettings,
    Ladder,
    Mailbox,
    ascending,
)
from screener.policy.list_settings import ListSettings
from screener.policy.presets import Preset, with_preset
from screener.policy.section import Section
from screener.policy.signal_settings import SignalsSettings
from screener.policy.treatments import AnnounceSettings, BusySettings, Bypass, Next, Sound, TarpitSettings
from screener.policy.trunks import AttestationSettings
from screener.policy.verdict import Mode, Treatment

Destination = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+,[A-Za-z0-9_*#+-]+,[0-9]+$", max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class SustainedSettings(Section):
    """A second, slower bucket on the same caller, for who calls not fast but for hours."""

    capacity: int = Field(default=3, ge=1, le=1000)
    """Calls that one caller may make at once."""
    refill_per_hour: float = Field(default=1, ge=0.001, le=3600)
    """Calls an hour that come back to that."""


class BucketSettings(Section):
    """How often one caller ID may call before it is suspicious: a token bucket, or two."""

    capacity: int = Field(default=3, ge=1, le=1000)
    """Calls that one caller may make at once."""
    refill_per_hour: float = Field(default=12, ge=0.001, le=3600)
    """Calls an hour that come back to that; 12 is one more every 5 minutes."""
    sustained: SustainedSettings | Literal[False] = SustainedSettings()
    """The slower bucket; `false`: there is none."""
    rest: int = Field(default=2, ge=0, le=1000)
    """Calls by which a bucket may be overdrawn: who goes on calling while it is empty must rest longer. 0: a bucket
    counts only the calls that it admits."""


Days = Annotated[float, Field(ge=0, le=3650)]


class TrustSettings(Section):
    """What a caller earns, and for how long; 0 days: nothing."""

    days: Days = 30
    """Days for which the caller is not challenged again after it passed a challenge."""
    talked_days: Days = 60
    """Days after a conversation with one of your people."""
    talked_seconds: float = Field(default=60, ge=5, le=3600)
    """Seconds from which a conversation earns that."""
    talked_share: float = Field(default=0.125, ge=0, le=1)
    """Share of the caller's calls that must have been conversations for them to vouch for the others: one long call
    does not open the door for a hundred short ones. 0: one is enough."""
    dialled_days: Days = 45
    """Days after one of your people called the number."""
    hand_days: Days = 180
    """Days after a person marked the caller as fine."""
    blocked_days: Days = 180
    """Days for which a caller is rejected at a DID whose people, told who calls, chose to block it."""


class WindowSettings(Section):
    """Times in which nobody is challenged."""

    emergency_minutes: float = Field(default=120, ge=0, le=1440)
    """Minutes for which everybody gets in after one of your people called an emergency number; 0: no such window."""


class GuardSettings(Section):
    """How the policy guards itself: a rule that challenges whom it should not relaxes to shadow, and says so."""

    trusted_share: float = Field(default=0.05, gt=0, le=1)
    """Share of a day's trusted callers whom one rule would challenge if nobody knew them; beyond it, it relaxes."""
    trusted_callers: int = Field(default=20, ge=1, le=10_000)
    """Such callers at the least."""
    did_share: float = Field(default=0.9, gt=0, le=1)
    """Share of a DID's calls that are challenged, hour by hour, beyond which the rule that challenges most of them
    relaxes for this DID. 1: never. Of one caller one call an hour counts."""
    did_hours: int = Field(default=24, ge=1, le=168)
    """Hours with calls over which that is counted: an attack of some hours is no reason to let it in."""
    did_calls: int = Field(default=200, ge=1, le=100_000)
    """Calls in these hours at the least."""
    hours: float = Field(default=24, gt=0, le=8760)
    """Hours after which a relaxed rule is tried again."""


class NeverScreenSettings(Section):
    """Calls that are none of our business."""

    endpoints: tuple[Name, ...] = ()
    """Endpoints (the `alice` of PJSIP/alice-0000002a) of your own phones and door stations."""
    numbers: tuple[Name, ...] = ()
    """Callers such as an emergency service's call-back number; short numbers are fine."""


class CaptchaSettings(Section):
    """The DTMF captcha."""

    kind: ChallengeKind = ChallengeKind.DIGITS
    """`digits`: press what you hear; `sum`: press the sum of two digits."""
    digits: int = Field(default=2, ge=1, le=5)
    """How many digits are spoken (kind `digits`)."""
    attempts: int = Field(default=2, ge=1, le=5)
    """How many challenges, a new one each time."""
    seconds: float = Field(default=6, ge=1, le=30)
    """Seconds to wait for a key after the prompt; digits are accepted during it."""
    then: Next = Treatment.VOICEMAIL
    """The treatment after the last wrong or silent attempt."""
    prompt: tuple[Sound, ...] = ("vm-press",)
    """Sounds before the digits."""
    again: tuple[Sound, ...] = ("please-try-again",)
    """Sounds before a further attempt."""
    talking: Literal["voicemail", "none"] = "voicemail"
    """The treatment of a voice that pressed nothing and goes on talking, a recording perhaps that somebody waits for:
    `voicemail` where there is a mailbox; `none`: as for anybody else who pressed nothing."""


class MenuOption(Section):
    """One choice of the menu."""

    prompt: tuple[Sound, ...] = ("to-call-this-number",)
    """Sounds after "press N"."""
    destination: Destination | None = None
    """`context,extension,priority` to go on at; left out: the call goes on as if it had not been screened."""


class MenuSettings(Section):
    """The voice menu: "press N to ...", with N drawn for each call."""

    options: tuple[MenuOption, ...] = Field(default=(MenuOption(),), min_length=1, max_length=9)
    """The choices, in the order in which they are spoken."""
    press: tuple[Sound, ...] = ("vm-press",)
    """Sounds before each digit."""
    attempts: int = Field(default=2, ge=1, le=5)
    """How often the menu is spoken."""
    seconds: float = Field(default=5, ge=1, le=30)
    """Seconds to wait for a key after the prompt."""
    then: Next = Treatment.VOICEMAIL
    """The treatment after the last wrong or silent attempt."""


class VoicemailSettings(Section):
    """Where suspicious callers may leave a message."""

    mailbox: Mailbox | None = None
    """A quarantine mailbox for all DIDs; a DID's own `mailbox` comes before it. Where neither is set, a call
    for voicemail passes."""
    options: str = Field(default="u", pattern=r"^[a-zA-Z()0-9]*$", max_length=20)
    """Options of Asterisk's VoiceMail(): `u` plays the unavailable greeting, `s` skips the instructions."""


class RejectSettings(Section):
    """How a call is refused; it is never answered first."""

    cause: int = Field(default=21, ge=1, le=127)
    """Hangup cause (ITU-T Q.850): 21 call rejected, 17 busy, 1 unallocated number."""
    tone: bool = False
    """Play the special information tone (ITU-T E.180) as early media before hanging up."""
    announcement: Sound | None = None
    """A sound to play as early media before hanging up."""
    repeat_seconds: float = Field(default=30, ge=0, le=3600)
    """Seconds for which the same caller to the same DID is rejected again: providers present a rejected call
    a second time."""


class PolicySettings(Section):
    """Who may ring your people."""

    mode: Mode = Mode.SHADOW
    """`shadow` judges and changes nothing; `live` acts."""
    region: str
    """Your country (ISO 3166, two letters): its numbering plan reads numbers without a country code."""
    timezone: str = Field(default="UTC", min_length=1, max_length=60)
    """The time zone (IANA, such as America/New_York) of dates and hours that name no other."""
    preset: Preset = Preset.BALANCED
    """`gentle`, `balanced` or `strict`: what holds where this file says nothing."""
    own_numbers: tuple[Annotated[str, Field(min_length=2, max_length=40)], ...] = ()
    """Your own numbers, exact or as a prefix in E.164 (`+1212555*`), beside the DIDs that are called: a caller that
    shows one of them is spoofed."""
    bucket: BucketSettings = BucketSettings()
    signals: SignalsSettings = SignalsSettings()
    ladder: Annotated[Ladder, Field(max_length=20)] = DEFAULT_LADDER
    """From which score on which treatment applies; below the first step a call passes."""
    attestation: AttestationSettings = AttestationSettings()
    trust: TrustSettings = TrustSettings()
    windows: WindowSettings = WindowSettings()
    guard: GuardSettings = GuardSettings()
    lists: ListSettings = ListSettings()
    feeds: Annotated[tuple[FeedSettings, ...], Field(max_length=20)] = ()
    """Lists of numbers that others keep."""
    never_screen: NeverScreenSettings = NeverScreenSettings()
    captcha: CaptchaSettings = CaptchaSettings()
    menu: MenuSettings = MenuSettings()
    voicemail: VoicemailSettings = VoicemailSettings()
    reject: RejectSettings = RejectSettings()
    announce: AnnounceSettings = AnnounceSettings()
    tarpit: TarpitSettings = TarpitSettings()
    busy: BusySettings = BusySettings()
    bypass: Bypass = ()
    """Partners' codes: who types `*` and one of them at the captcha or the menu passes at once."""
    dids: dict[str, DidSettings] = Field(default={})
    """What is different for single DIDs, by number."""
    groups: Annotated[tuple[DidGroupSettings, ...], Field(max_length=1000)] = ()
    """What is different for groups of DIDs."""
    calendars: Annotated[dict[CalendarName, CalendarSettings], Field(max_length=1000)] = Field(default={})
    """Office hours, by name."""
    calendar: CalendarName | None = None
    """The calendar of all DIDs that name no other."""
    closed: ClosedSettings = ClosedSettings()
    """What is different while it is closed."""

    _check_ladder = field_validator("ladder")(ascending)

    @model_validator(mode="before")
    @classmethod
    def _beneath(cls, data: Any) -> Any:
        """Lay the preset beneath what is written."""
        if not isinstance(data, dict):
            return data
        try:
            preset = Preset(data.get("preset") or Preset.BALANCED)
        except (ValueError, TypeError):
            return data  # the field itself says what is wrong with it
        return with_preset(data, preset)

    @field_validator("region")
    @classmethod
    def _known_region(cls, region: str) -> str:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("expected a country's two letters in capitals, such as US, GB or CH")
        return region

    @model_validator(mode="after")
    def _voicemail_has_a_box(self) -> Self:
        whole, *others = lines_of(self)
        boxes = any(line.mailbox for written in others for line in written.lines)
        if not boxes and any(self._lacks_a_box(line) for line in whole.lines):
            raise ValueError(
                "the ladder sends calls to voicemail, at once or later, but no mailbox is set (voicemail.mailbox)"
            )
        for written in others:
            if any(self._lacks_a_box(line) for line in written.lines):
                number = written.path[1] if written.path[0] == "dids" else written.did
                raise ValueError(
                    f"the ladder sends calls to {number} to voicemail, now or later, but it has no mailbox"
                )
        return self

    @model_validator(mode="after")
    def _announce_has_a_callee(self) -> Self:
        whole, *others = lines_of(self)
        lines = [line for written in others for line in written.lines]
        if not any(line.announce for line in lines):
            lines += whole.lines
        for line in lines:
            announced = Treatment.ANNOUNCE in {rung.treatment for rung in line.ladder}
            if line.mode is Mode.LIVE and not line.announce and announced:
                raise ValueError("the ladder announces calls, but nobody is named to ring for them (announce.dial)")
        return self

    def _lacks_a_box(self, line: Line) -> bool:
        following = {
            Treatment.CAPTCHA: self.captcha.then,
            Treatment.MENU: self.menu.then,
            Treatment.ANNOUNCE: self.announce.then,
        }
        reached = {rung.treatment for rung in line.ladder}
        reached |= {then for treatment, then in following.items() if treatment in reached}
        return line.mode is Mode.LIVE and not line.mailbox and Treatment.VOICEMAIL in reached
