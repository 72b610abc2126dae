"""The settings of the signals: for each whether it counts, its points and its figures, with their units.

The defaults are those of the preset `balanced`; `presets.py` has what the others change.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from screener.policy.call import Attestation
from screener.policy.section import Section

Points = Annotated[float, Field(ge=-100, le=100)]
Minutes = Annotated[float, Field(gt=0, le=44_640)]


class RuleMode(StrEnum):
    """Whether a rule counts."""

    LIVE = "live"
    """Its points count."""
    SHADOW = "shadow"
    """It is shown with each verdict and its points do not count."""
    OFF = "off"
    """It is not looked at."""


def _off(value: Any) -> Any:
    """YAML makes a truth of the word off."""
    return RuleMode.OFF if value is False else value


WrittenMode = Annotated[RuleMode, BeforeValidator(_off)]


class SignalSettings(Section):
    """What every signal has."""

    mode: WrittenMode = RuleMode.LIVE
    """`live`, `shadow` (shown, not counted) or `off`."""
    canary: float = Field(default=1, ge=0, le=1)
    """Share of callers for whom it counts while it is live, always the same ones; for the others it is in shadow."""

    @model_validator(mode="before")
    @classmethod
    def _mode_alone(cls, data: Any) -> Any:
        """`rhythm: off` is short for `rhythm: {mode: off}`, and so with the other modes."""
        return {"mode": data} if data is False or isinstance(data, str) else data


class RateSettings(SignalSettings):
    """The caller calls too often."""

    points: Points = 5
    """The caller's bucket is empty."""


class NeighbourhoodSettings(SignalSettings):
    """Strangers from one block of numbers call one after another: a campaign that walks a block is one caller."""

    points: Points = 4
    """The bucket of the caller's block is empty."""
    thousand_capacity: int = Field(default=5, ge=1, le=1000)
    """Strangers that may call at once from one thousand block (all but the last three digits)."""
    thousand_per_hour: float = Field(default=1, ge=0.001, le=3600)
    """Strangers an hour that come back to that."""
    block_capacity: int = Field(default=12, ge=1, le=1000)
    """The same for a block (all but the last four digits: NPA-NXX in North America)."""
    block_per_hour: float = Field(default=3, ge=0.001, le=3600)
    """Strangers an hour that come back to that."""


class SweepSettings(SignalSettings):
    """One stranger, or strangers from one block, reach many of our DIDs."""

    points: Points = 4
    """Enough different DIDs were reached."""
    minutes: Minutes = 60
    """Minutes within which the DIDs are counted."""
    dids: int = Field(default=4, ge=2, le=8)
    """Different DIDs that one caller reaches."""
    dids_in_order: int = Field(default=3, ge=2, le=8)
    """Different DIDs that one caller reaches in numerical order."""
    block_dids: int = Field(default=6, ge=2, le=8)
    """Different DIDs that different callers of one thousand block reach."""
    run: int = Field(default=6, ge=3, le=50)
    """Neighbouring DIDs that strangers reach one after another in numerical order, whoever they are."""


class SurgeSettings(SignalSettings):
    """Far more callers that were never seen before than usual at this hour of the week: a flood, a campaign."""

    points: Points = 4
    """A stranger calls during a surge."""
    allowance: float = Field(default=2, ge=1, le=100)
    """Times the usual number of strangers that is still taken as normal."""
    heavy: float = Field(default=10, ge=1, le=1000)
    """Times the usual number beyond which a stranger is raised although its number is signed with an A, or comes from
    an area whose callers your people talk with; beyond `allowance` one of these two is enough."""
    heard_least: float = Field(default=0.12, ge=0, le=1)
    """Share of strangers whom somebody talks with below which it is as if so many came."""
    pbx_floor: float = Field(default=5, ge=0, le=100_000)
    """Strangers an hour to the whole PBX that are usual at the least."""
    did_floor: float = Field(default=6, ge=0, le=100_000)
    """The same for one DID."""
    margin: float = Field(default=10, ge=1, le=10_000)
    """Strangers beyond that who may come at once."""
    deviations: float = Field(default=1.5, ge=0, le=100)
    """More of them where many are usual: so many standard deviations of what is usual in ten minutes."""
    did_margin: float = Field(default=2, ge=1, le=100)
    """Times as many of both for a single DID, whose callers come less evenly than those of the whole PBX."""
    heard_margin: float = Field(default=0.5, ge=0, le=100)
    """Times as many more if somebody talks with all of them: those are customers. With half of them, half of it."""
    crowd: float = Field(default=5, gt=0, le=10_000)
    """Strangers within half an hour to one DID from which on each weighs half, and less and less, for the whole PBX."""
    calm_minutes: Minutes = 10
    """Minutes of calm after which a surge is over."""


class RhythmSettings(SignalSettings):
    """The caller keeps a beat that no person keeps."""

    points: Points = 4
    """Calls come at too regular a distance."""
    calls: int = Field(default=5, ge=4, le=8)
    """Calls that are looked at."""
    spread: float = Field(default=0.08, gt=0, le=1)
    """Standard deviation of the distances between them, as a share of their mean, below which they are a beat."""
    alike_points: Points = 3
    """As many calls lasted the same few seconds."""
    alike_seconds: float = Field(default=15, gt=0, le=120)
    """Seconds that such calls last at the most."""
    hang_up_points: Points = 3
    """The caller hung up in the prompt, as often as `hang_ups` says."""
    hang_ups: int = Field(default=2, ge=1, le=8)
    """Hang-ups in a challenge's prompt."""


class NumberSettings(SignalSettings):
    """What is wrong with the number or the name."""

    withheld: Points = 3
    """The caller hides the number."""
    malformed: Points = 4
    """The caller ID is not a number of any numbering plan."""
    foreign_script: Points = 4
    """The caller ID has digits or letters outside ASCII."""
    unassigned: Points = 4
    """The number lies in a range that belongs to nobody."""
    premium: Points = 4
    """Calling the number back costs extra."""
    own_number: Points = 6
    """The caller ID is one of our own DIDs: spoofed for certain."""
    neighbour: Points = 3
    """A stranger's number shares its block with the DID that it calls, and no attestation A shows that it is real."""
    country: Points = 3
    """The number belongs to a country that is not among `countries`."""
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """Countries (ISO 3166, two letters) that you are called from; none named: all."""
    warning: Points = 5
    """The caller's name carries a carrier's warning."""
    warnings: tuple[Annotated[str, Field(min_length=3, max_length=40)], ...] = (
        "SPAM", "SCAM", "FRAUD", "ROBOCALL", "TELEMARKET", "NUISANCE",
    )  # fmt: skip
    """Words of such warnings, anywhere in the name, in any case."""
    odd_name: Points = 2
    """The caller's name is a word of letters and many digits, as machines make them."""


class AttestationSignalSettings(SignalSettings):
    """What STIR/SHAKEN says of the caller ID."""

    points: dict[Attestation, Points] = Field(default={Attestation.FAILED: 3, Attestation.C: 1, Attestation.B: 1})
    """For each level: A, B, C, none, failed. A level that is not named adds 0. TransNexus counted robocalls among 37 %
    of the calls signed C, 27 % B, 7 % unsigned and 3 % A (August 2022)."""


class StrangerSettings(SignalSettings):
    """Nobody here knows the caller, and no attestation A shows that the number is real."""

    mode: WrittenMode = RuleMode.OFF
    """`live`, `shadow` or `off`; the preset `strict` has it live."""
    points: Points = 3
    """The caller is a stranger."""


class ChallengeFailedSettings(SignalSettings):
    """The caller failed earlier challenges."""

    points: Points = 3
    """For each failed challenge, three at the most."""
    hours: float = Field(default=24, gt=0, le=8760)
    """Hours after which a failed challenge no longer counts."""


class HistorySettings(SignalSettings):
    """What earlier calls showed, fading."""

    half_life_days: float = Field(default=30, gt=0, le=3650)
    """Days after which a memory weighs half."""
    talked: Points = -1
    """For each conversation of a minute or more."""
    passed: Points = -1
    """For each challenge that was passed."""
    recorded: Points = -0.5
    """For each voicemail that was left."""
    fine: Points = -6
    """For each time that a person marked the caller as fine."""
    spam: Points = 6
    """For each time that a person marked the caller as spam."""
    most: float = Field(default=8, ge=0, le=100)
    """Points that all of this adds or takes at the most."""


class GreylistSettings(SignalSettings):
    """A stranger's first call hears the busy tone once; who calls again within minutes is welcome."""

    mode: WrittenMode = RuleMode.OFF
    """`live`, `shadow` or `off`."""
    after_seconds: float = Field(default=10, ge=0, le=600)
    """Seconds before which a second call is still the first one, presented again by the network."""
    within_minutes: Minutes = 60
    """Minutes within which the caller must call again."""


class GroupSettings(SignalSettings):
    """Strangers that share a trunk, a signer, a name or a habit heat up together."""

    points: Points = 3
    """A stranger belongs to a group that is hot."""
    callers: int = Field(default=5, ge=2, le=1000)
    """Different strangers in half an hour, beyond what is usual for the group, from which it may be hot."""
    cold_share: float = Field(default=0.75, gt=0, le=1)
    """Share of their calls that ended like a robot's (nobody talked, or for a few seconds) from which it is."""
    cooling_minutes: Minutes = 15
    """Minutes for which it stays hot."""
    abandoned_seconds: float = Field(default=6, gt=0, le=60)
    """Seconds up to which a call that nobody answered was hung up at once (wangiri)."""
    short_seconds: float = Field(default=12, gt=0, le=60)
    """Seconds up to which a conversation is none."""


class ListedSettings(SignalSettings):
    """Strangers report the number: feeds that have `points` name it, and each adds its own."""


class SignalsSettings(Section):
    """What speaks for or against a call."""

    rate: RateSettings = RateSettings()
    neighbourhood: NeighbourhoodSettings = NeighbourhoodSettings()
    sweep: SweepSettings = SweepSettings()
    surge: SurgeSettings = SurgeSettings()
    rhythm: RhythmSettings = RhythmSettings()
    number: NumberSettings = NumberSettings()
    attestation: AttestationSignalSettings = AttestationSignalSettings()
    stranger: StrangerSettings = StrangerSettings()
    challenge_failed: ChallengeFailedSettings = ChallengeFailedSettings()
    history: HistorySettings = HistorySettings()
    listed: ListedSettings = ListedSettings()
    greylist: GreylistSettings = GreylistSettings()
    group: GroupSettings = GroupSettings()
