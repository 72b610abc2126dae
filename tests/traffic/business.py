"""A business and its telephone lines, drawn from a seed: how many, how busy, in which country, behind which carrier."""

import math
from dataclasses import dataclass
from random import Random

from screener.policy.call import Attestation
from tests.traffic import figures
from tests.traffic.numbers import BRITISH, FOREIGN_REGIONS, NANP, SWISS, Plan, foreign
from tests.traffic.records import DAY, MONDAY, WANTED, Kind, Label, Record

CARRIERS = tuple(f"cert.{name}.example" for name in ("bell", "river", "union", "delta", "prairie", "harbor", "summit"))
SHADY = tuple(f"sti.{name}.example" for name in ("cheapvoice", "fastroute", "globalterm", "ratecall", "dialpro"))
SURNAMES = (
    "SMITH",
    "JOHNSON",
    "BROWN",
    "GARCIA",
    "MILLER",
    "DAVIS",
    "LOPEZ",
    "WILSON",
    "LEE",
    "CLARK",
    "MEIER",
    "KELLER",
)
GIVEN = (
    "JAMES",
    "MARY",
    "JOHN",
    "LINDA",
    "ROBERT",
    "SUSAN",
    "DAVID",
    "KAREN",
    "ANNA",
    "PETER",
    "LAURA",
    "MARK",
    "NINA",
)
PLACES = (
    "NEW YORK NY",
    "CHICAGO IL",
    "DALLAS TX",
    "PHOENIX AZ",
    "SEATTLE WA",
    "MIAMI FL",
    "BOSTON MA",
    "DENVER CO",
    "ATLANTA GA",
)
COMPANIES = (
    "ACME PLUMBING",
    "CITY DENTAL",
    "HARBOR SUPPLY",
    "LAKE SCHOOL DIST",
    "NORTH CLINIC",
    "RAPID PARCEL",
    "STATE INSURANCE",
)
WARNINGS = ("SPAM LIKELY", "SCAM LIKELY", "Spam Risk", "TELEMARKETER", "SUSPECTED SPAM", "Robocaller")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Somebody who calls: what the trunk shows of it each time."""

    number: str
    """E.164, or what else stands in the caller ID; empty if withheld."""
    name: str = ""
    attestation: Attestation = Attestation.NONE
    signer: str = ""
    presses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """Whose calls these are."""

    seed: int
    plan: Plan
    dids: tuple[str, ...]
    """Our numbers, E.164, one after the other in one block."""
    style: str
    """How the trunk writes numbers."""
    calls_a_day: float
    """Wanted calls on an ordinary working day."""
    new_share: float
    same_exchange: float
    answered: float
    """Share of wanted calls that a person takes."""
    signed: float
    """Share of wanted calls that arrive signed."""
    town: bool
    """A small town: some strangers share our exchange."""

    @property
    def exchange(self) -> str:
        """What our own numbers and 10,000 others begin with."""
        return self.dids[0][:-4]

    @property
    def area(self) -> str | None:
        """Our area code, national form."""
        start = 1 + len(self.plan.code)
        return next((a for a in self.plan.areas if self.dids[0][start:].startswith(a)), None)

    @classmethod
    def draw(cls, seed: int) -> "Business":
        """Return the business of this seed: three sizes in turn; every sixth is Swiss or British and signs nothing."""
        rng = Random(f"business {seed}")
        size = (5, 40, 300)[seed % 3]
        plan = {4: SWISS, 5: BRITISH}.get(seed % 12, NANP)
        exchange = plan.exchange(rng)
        first = rng.randrange(0, 10_000 - size, 10 if size > 5 else 1)
        town = seed % 4 == 3
        low, high = figures.CALLS_A_DAY[size]
        return cls(
            seed=seed,
            plan=plan,
            dids=tuple(f"{exchange}{first + n:04}" for n in range(size)),
            style=rng.choice(("e164", "plain", "national")),
            calls_a_day=math.exp(rng.uniform(math.log(low), math.log(high))),
            new_share=rng.uniform(*figures.NEW_SHARE),
            same_exchange=rng.uniform(*(figures.SAME_EXCHANGE_TOWN if town else figures.SAME_EXCHANGE)),
            answered=rng.uniform(*figures.ANSWERED),
            signed=rng.uniform(*figures.SIGNED_WANTED) if plan.code == "1" else 0.0,
            town=town,
        )


class Lines:
    """Writes the calls of one business down. Each author of a class of traffic gets one with a random source of its
    own."""

    def __init__(self, business: Business, days: int, purpose: str, wanted_calls: int = 0) -> None:
        """`wanted_calls` is how many these days bring, for authors of spam to keep a measured proportion."""
        self.business = business
        self.wanted_calls = wanted_calls
        self.days = days
        self.rng = Random(f"{purpose} {business.seed}")
        self.records: list[Record] = []

    # --- who calls ---------------------------------------------------------------------------------------------------

    def person(self, *, local: bool = False, abroad: float = 0.0) -> Source:
        """Return somebody who may be called a customer; `local`: of our own exchange."""
        rng, plan = self.rng, self.business.plan
        if local:
            number = f"{self.business.exchange}{rng.randint(0, 9999):04}"
            while number in self.business.dids:
                number = f"{self.business.exchange}{rng.randint(0, 9999):04}"
        elif rng.random() < abroad:
            number = foreign(rng, FOREIGN_REGIONS)
        else:
            number = plan.stranger(rng, self.business.area if rng.random() < figures.SAME_AREA else None)
        level, signer = Attestation.NONE, ""
        if number.startswith("+1") and rng.random() < self.business.signed:
            level, signer = Attestation(self.choose(figures.WANTED_LEVELS)), rng.choice(CARRIERS)
        warned = rng.random() < figures.WRONGLY_WARNED
        name = rng.choice(WARNINGS) if warned else self.name(figures.NAMES, number)
        return Source(
            number=number, name=name, attestation=level, signer=signer, presses=rng.random() < figures.PRESSES
        )

    def spammer(self, number: str, *, spoofed: bool, name: str | None = None) -> Source:
        """Return a caller of this number whose call nobody wants."""
        level, signer = Attestation.NONE, ""
        if self.business.plan.code == "1" and number.startswith("+"):
            shares = figures.SPOOFED_LEVELS if spoofed else figures.SPAM_LEVELS
            level = Attestation(self.choose(shares))
            if level is not Attestation.NONE:
                signer = self.rng.choice(SHADY if self.rng.random() < 0.7 else CARRIERS)
        shown = self.name(figures.SPAM_NAMES, number) if name is None else name
        return Source(number=number, name=shown, attestation=level, signer=signer)

    def name(self, shares: dict[str, float], number: str) -> str:
        """Return what stands in a caller's name."""
        rng = self.rng
        kind = self.choose(shares)
        texts = {
            "person": f"{rng.choice(SURNAMES)} {rng.choice(GIVEN)}",
            "place": rng.choice(PLACES),
            "wireless": rng.choice(("WIRELESS CALLER", "CELL PHONE")),
            "company": rng.choice(COMPANIES),
            "number": number.lstrip("+"),
            "code": f"V{rng.randrange(10**13, 10**14)}",
            "warned": rng.choice(WARNINGS),
        }
        return texts.get(kind, "")

    def choose(self, shares: dict[str, float]) -> str:
        """Return one of the keys, with these chances."""
        return self.rng.choices(list(shares), list(shares.values()))[0]

    # --- when --------------------------------------------------------------------------------------------------------

    def count(self, mean: float) -> int:
        """Return a Poisson number."""
        total, limit = 0, self.rng.expovariate(1.0)
        while limit < mean:
            total, limit = total + 1, limit + self.rng.expovariate(1.0)
        return total

    def office_time(self, day: int) -> float:
        """Return a moment of this day when businesses call each other."""
        hour = self.rng.choices(range(24), figures.HOUR)[0]
        return MONDAY + day * DAY + hour * 3600 + self.rng.random() * 3600

    def working_day(self, first: int = 0) -> int:
        """Return a day from Monday to Friday, not before `first`."""
        days = [day for day in range(first, self.days) if day % 7 < 5]
        return self.rng.choice(days) if days else max(first, 0)

    def log_uniform(self, bounds: tuple[float, float]) -> float:
        """Return a value whose order of magnitude is as likely as any other between the bounds."""
        return math.exp(self.rng.uniform(math.log(bounds[0]), math.log(bounds[1])))

    # --- what becomes of it ------------------------------------------------------------------------------------------

    def talk(self) -> float:
        """Return the seconds of a conversation with a customer."""
        if self.rng.random() < figures.ABORTED:
            return self.rng.uniform(2, 10)
        return min(max(self.rng.lognormvariate(math.log(figures.TALK_MEDIAN), figures.TALK_SPREAD), 5), 5400)

    def wanted(
        self,
        start: float,
        source: Source,
        did: str,
        kind: Kind,
        *,
        talk: float | None = None,
        answered: float | None = None,
    ) -> Record:
        """Write down a call that somebody here would take; whether somebody does is chance."""
        chance = self.business.answered if answered is None else answered
        if self.rng.random() < chance:
            talked = self.talk() if talk is None else talk
            return self.write(start, source, did, kind, talked=talked)
        return self.write(start, source, did, kind)

    def spam(self, start: float, source: Source, did: str, kind: Kind, episode: str = "") -> Record:
        """Write down a call that nobody wants."""
        rng, talked = self.rng, 0.0
        if rng.random() < figures.SPAM_ANSWERED:
            if rng.random() < figures.SPAM_LONG:
                talked = rng.uniform(60, 400)
            elif rng.random() < figures.SPAM_SILENT:
                talked = rng.uniform(1, 6)
            else:
                talked = min(rng.lognormvariate(math.log(figures.SPAM_TALK), 0.6), 59)
        return self.write(start, source, did, kind, talked=talked, episode=episode)

    def write(
        self,
        start: float,
        source: Source,
        did: str,
        kind: Kind,
        *,
        talked: float = 0.0,
        ring: float | None = None,
        busy: bool = False,
        episode: str = "",
        label: Label | None = None,
    ) -> Record:
        """Write down exactly this call."""
        rng, style, plan = self.rng, self.business.style, self.business.plan
        if ring is None:
            ring = min(1 + rng.expovariate(1 / figures.RING_MEAN), 40) if talked else rng.uniform(*figures.RING_OUT)
        lost = source.signer and rng.random() < figures.SIGNATURE_LOST
        if label is None:
            label = Label.WANTED if kind in WANTED else Label.SPAM
        record = Record(
            start=start,
            number=plan.shown(source.number, style),
            name=source.name,
            did=plan.shown(did, style),
            attestation=Attestation.NONE if lost else source.attestation,
            signer="" if lost else source.signer,
            duration=0.5 if busy else ring + talked,
            talked=talked,
            busy=busy,
            label=label,
            kind=kind,
            episode=episode,
            presses=source.presses,
        )
        self.records.append(record)
        return record

    def redials(self, first: Record, source: Source, did: str, *, tries: int = 4, talk: float | None = None) -> None:
        """Let somebody whose call was not answered try again."""
        last = first
        for _ in range(tries - 1):
            if last.talked or self.rng.random() >= figures.REDIAL_NO_ANSWER:
                return
            wait = 5 + self.rng.expovariate(1 / figures.REDIAL_AFTER)
            last = self.wanted(last.start + last.duration + wait, source, did, first.kind, talk=talk)
