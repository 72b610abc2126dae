"""The calls that nobody wants: one function for each class of them."""

from collections.abc import Iterator

from tests.traffic import figures
from tests.traffic.business import Lines, Source
from tests.traffic.numbers import WANGIRI_REGIONS, foreign
from tests.traffic.records import DAY, MONDAY, Kind


def somebody(lines: Lines) -> str:
    """Return a number that a spammer shows: valid, of our area or of anywhere."""
    business = lines.business
    return business.plan.stranger(lines.rng, business.area if lines.rng.random() < 0.25 else None)


def budget(lines: Lines, kind: Kind) -> float:
    """Return how many calls of a class the weeks bring, by `figures.SPAM_SHARE` of all calls."""
    return lines.wanted_calls * figures.SPAM_SHARE / (1 - figures.SPAM_SHARE) * figures.SPAM_MIX[kind]


def sizes(lines: Lines, kind: Kind, bounds: tuple[float, float]) -> Iterator[int]:
    """Yield the sizes of episodes, as many as fit the budget; the last one by the luck that makes the mean right."""
    left = budget(lines, kind)
    while left > 0:
        size = int(lines.log_uniform(bounds))
        if size > left and lines.rng.random() * size > left:
            return
        left -= size
        yield size


def hammers(lines: Lines) -> None:
    """One number again and again: evenly, at random, or in bursts; to one of ours, a few, or all."""
    rng, business = lines.rng, lines.business
    for number, calls in enumerate(sizes(lines, Kind.HAMMER, figures.HAMMER_CALLS)):
        source = lines.spammer(somebody(lines), spoofed=rng.random() < 0.3)
        ours = rng.sample(business.dids, min(len(business.dids), rng.choice((1, 1, 3, 20))))
        gap, manner = (
            3600 / lines.log_uniform(figures.HAMMER_PER_HOUR),
            rng.choice(("even", "jitter", "chance", "burst")),
        )
        start = MONDAY + lines.working_day() * DAY + rng.uniform(8, 14) * 3600
        for _ in range(calls):
            lines.spam(start, source, rng.choice(ours), Kind.HAMMER, f"hammer {number}")
            start += {
                "even": gap + rng.uniform(-0.5, 0.5),
                "jitter": gap * rng.uniform(0.6, 1.4),
                "chance": rng.expovariate(1 / gap),
                "burst": gap * (0.1 if rng.random() < 0.75 else 3.7),
            }[manner]


def walks(lines: Lines) -> None:
    """A block of numbers in order: each calls once or twice, the next is a little higher."""
    rng, business = lines.rng, lines.business
    for number, calls in enumerate(sizes(lines, Kind.WALK, figures.WALK_CALLS)):
        base = business.plan.exchange(rng, business.area if rng.random() < 0.4 else None)
        step, last = rng.choice((1, 1, 1, 2, 3, 7)), rng.randint(0, 9000)
        gap, to, spoofed = lines.log_uniform(figures.WALK_GAP), rng.randrange(len(business.dids)), rng.random() < 0.5
        each = rng.choice((1, 1, 2))
        in_order, name = rng.random() < 0.5, None if rng.random() < 0.5 else lines.name(figures.SPAM_NAMES, base)
        start = MONDAY + lines.working_day() * DAY + rng.uniform(8, 13) * 3600
        for call in range(calls):
            source = lines.spammer(f"{base}{(last + step * (call // each)) % 10_000:04}", spoofed=spoofed, name=name)
            did = business.dids[(to + call) % len(business.dids)] if in_order else rng.choice(business.dids)
            lines.spam(start, source, did, Kind.WALK, f"walk {number}")
            start += gap * rng.uniform(0.5, 1.5)


def campaigns(lines: Lines) -> None:
    """Many numbers, a few calls of each, through our DIDs in order or at random, within an hour or a day."""
    rng, business = lines.rng, lines.business
    for number, calls in enumerate(sizes(lines, Kind.CAMPAIGN, figures.CAMPAIGN_CALLS)):
        gap, each = lines.log_uniform(figures.CAMPAIGN_GAP), rng.randint(*figures.CAMPAIGN_PER_NUMBER)
        pool = rng.choice(("anywhere", "anywhere", "area", "exchanges"))
        exchanges = [business.plan.exchange(rng) for _ in range(4)]
        spoofed, in_order = rng.random() < 0.7, rng.random() < 0.5
        name = None if rng.random() < 0.6 else lines.name(figures.SPAM_NAMES, exchanges[0] + "0000")
        to, start = rng.randrange(len(business.dids)), MONDAY + lines.working_day() * DAY + rng.uniform(8, 12) * 3600
        source, left = lines.spammer(somebody(lines), spoofed=spoofed, name=name), 0
        for call in range(calls):
            if not left:
                shown = {
                    "anywhere": somebody(lines),
                    "area": business.plan.stranger(rng, business.area),
                    "exchanges": f"{rng.choice(exchanges)}{rng.randint(0, 9999):04}",
                }[pool]
                source, left = (
                    lines.spammer(shown, spoofed=spoofed, name=name),
                    max(1, round(each * rng.uniform(0.6, 1.4))),
                )
            left -= 1
            did = business.dids[(to + call) % len(business.dids)] if in_order else rng.choice(business.dids)
            lines.spam(start, source, did, Kind.CAMPAIGN, f"campaign {number}")
            start += rng.expovariate(1 / gap) if rng.random() < 0.7 else gap


def scattered(lines: Lines) -> None:
    """The daily rain: spoofed neighbours, impossible numbers, random ones, withheld ones."""
    rng, business = lines.rng, lines.business
    shares = {kind: figures.SPAM_MIX[kind] for kind in (Kind.NEIGHBOUR, Kind.IMPOSSIBLE, Kind.RANDOM, Kind.WITHHELD)}
    a_day = sum(budget(lines, kind) for kind in shares) / (lines.days * 6.2 / 7)
    for day in range(lines.days):
        for _ in range(lines.count(a_day * (1.0 if day % 7 < 5 else 0.4))):
            did, start = rng.choice(business.dids), lines.office_time(day)
            kind = rng.choices(list(shares), list(shares.values()))[0]
            if kind is Kind.NEIGHBOUR:
                shown = did if rng.random() < 0.1 else f"{business.exchange}{rng.randint(0, 9999):04}"
                source = lines.spammer(shown, spoofed=True)
            elif kind is Kind.IMPOSSIBLE:
                source = lines.spammer(business.plan.impossible(rng), spoofed=True)
            elif kind is Kind.WITHHELD:
                source = Source(number="")
            else:
                source = lines.spammer(somebody(lines), spoofed=True)
            lines.spam(start, source, did, kind)


def low_and_slow(lines: Lines) -> None:
    """Numbers that nobody sees twice in a day, each of them a few times in weeks."""
    rng, business = lines.rng, lines.business
    for _ in range(lines.count(budget(lines, Kind.LOW_SLOW) / 2)):
        source = lines.spammer(somebody(lines), spoofed=rng.random() < 0.5)
        start = lines.office_time(rng.randrange(lines.days))
        for _ in range(rng.randint(1, 3)):
            lines.spam(start, source, rng.choice(business.dids), Kind.LOW_SLOW)
            start += rng.uniform(0.8, 6) * DAY


def wangiri(lines: Lines) -> None:
    """One ring from a far country, to many of ours within minutes, from one number or two."""
    rng, business = lines.rng, lines.business
    for number, calls in enumerate(sizes(lines, Kind.WANGIRI, figures.WANGIRI_CALLS)):
        sources = [
            Source(number=foreign(rng, WANGIRI_REGIONS, premium=rng.random() < 0.3)) for _ in range(rng.randint(1, 3))
        ]
        start = MONDAY + lines.working_day() * DAY + rng.uniform(0, 23) * 3600
        reached = rng.sample(business.dids, min(calls, len(business.dids)))
        for did in sorted(reached) if rng.random() < 0.5 else reached:
            ring = rng.uniform(*figures.WANGIRI_RING)
            lines.write(start, rng.choice(sources), did, Kind.WANGIRI, ring=ring, episode=f"wangiri {number}")
            start += rng.expovariate(1 / 15)


def flood(lines: Lines) -> None:
    """A denial of service: a new number with every call, to one of ours or to all, held open where it is answered."""
    rng, business = lines.rng, lines.business
    hardest = business.seed % 8 == 7
    rate = figures.FLOOD_HARDEST if hardest else lines.log_uniform(figures.FLOOD_RATE)
    seconds = 50.0 if hardest else lines.log_uniform(figures.FLOOD_SECONDS)
    one, start = (rng.choice(business.dids) if rng.random() < 0.5 else None), MONDAY + lines.working_day(1) * DAY
    start += rng.uniform(8, 17) * 3600
    calls = min(int(rate * seconds), 15_000 if hardest else figures.FLOOD_CALLS)
    for _ in range(calls):
        source = lines.spammer(somebody(lines), spoofed=True)
        talked = rng.uniform(20, 300) if rng.random() < 0.05 else 0.0
        lines.write(start, source, one or rng.choice(business.dids), Kind.FLOOD, talked=talked, episode="flood")
        start += rng.expovariate(rate)


AUTHORS = (hammers, walks, campaigns, scattered, low_and_slow, wangiri, flood)
