"""The calls that people here want: one function for each class of them."""

import dataclasses

from tests.traffic import figures
from tests.traffic.business import Lines, Source
from tests.traffic.records import DAY, MONDAY, Kind, Label


def customers(lines: Lines) -> None:
    """Regulars, who know whom they call; new customers, who mostly call the main number; calls of ours that are
    returned."""
    rng, business = lines.rng, lines.business
    regulars = [lines.person(abroad=figures.FOREIGN) for _ in range(max(int(business.calls_a_day * 1.2), 12))]
    weights = [rng.lognormvariate(0, 1) for _ in regulars]
    favourites = [rng.sample(business.dids, min(2, len(business.dids))) for _ in regulars]
    for day in range(lines.days):
        calls = lines.count(business.calls_a_day * figures.WEEKDAY[day % 7])
        for _ in range(calls):
            start = lines.office_time(day)
            if rng.random() < business.new_share:
                new_customer(lines, start)
            else:
                who = rng.choices(range(len(regulars)), weights)[0]
                did = favourites[who][0] if rng.random() < 0.75 else favourites[who][-1]
                lines.redials(lines.wanted(start, regulars[who], did, Kind.REGULAR), regulars[who], did)
        for _ in range(lines.count(calls * 0.15)):
            call_back(lines, lines.office_time(day))
        for _ in range(lines.count(calls * 0.1)):
            who = rng.randrange(len(regulars))
            dial(lines, lines.office_time(day), regulars[who], rng.choice(business.dids))


def new_customer(lines: Lines, start: float) -> None:
    """Somebody calls for the first time, tries again if nobody answers, and perhaps comes again some day."""
    rng, business = lines.rng, lines.business
    source = lines.person(local=rng.random() < business.same_exchange, abroad=figures.FOREIGN)
    did = business.dids[0] if rng.random() < 0.7 else rng.choice(business.dids)
    lines.redials(lines.wanted(start, source, did, Kind.NEW), source, did)
    if rng.random() < figures.COMES_AGAIN:
        again = start + rng.expovariate(1 / (3 * DAY))
        lines.redials(lines.wanted(again, source, did, Kind.NEW), source, did)


def dial(lines: Lines, start: float, source: Source, did: str) -> None:
    """One of ours calls somebody."""
    talked = lines.talk() if lines.rng.random() < 0.5 else 0.0
    lines.write(start, source, did, Kind.OUTBOUND, talked=talked, label=Label.OUTBOUND)


def call_back(lines: Lines, start: float) -> None:
    """One of ours calls somebody whom we never heard of, who calls back: after minutes, or hours, or days."""
    rng, business = lines.rng, lines.business
    source, did = lines.person(local=rng.random() < business.same_exchange), rng.choice(business.dids)
    dial(lines, start, source, did)
    wait = 60 + lines.log_uniform((30, 4 * DAY))
    lines.redials(lines.wanted(start + wait, source, did, Kind.CALL_BACK), source, did)


def offices(lines: Lines) -> None:
    """Customers and suppliers whose people all show one number: many calls an hour, on some days, to several of
    ours."""
    rng, business = lines.rng, lines.business
    for _ in range(1 + lines.count(len(business.dids) / 60)):
        source = lines.person()
        ours = rng.sample(business.dids, min(len(business.dids), rng.randint(2, 9)))
        first = rng.choice((0, 0, lines.working_day()))
        for day in range(first, lines.days):
            if day % 7 > 4 or rng.random() < 0.4:
                continue
            an_hour = lines.log_uniform(figures.OFFICE_CALLS)
            for busy_hour in rng.sample((9, 10, 11, 13, 14, 15, 16), rng.randint(1, 3)):
                for _ in range(lines.count(an_hour)):
                    start = MONDAY + day * DAY + (busy_hour + rng.random()) * 3600
                    lines.wanted(start, source, rng.choice(ours), Kind.OFFICE)


def school(lines: Lines) -> None:
    """A school that some of our people have to do with calls now and then, and one day tells all of them something at
    once."""
    rng, business = lines.rng, lines.business
    source = lines.person()
    robot = dataclasses.replace(source, presses=False)
    ours = rng.sample(business.dids, max(2, int(len(business.dids) * rng.uniform(0.15, 0.6))))
    for day in range(lines.days):
        if day % 7 < 5 and rng.random() < 0.5:
            lines.wanted(lines.office_time(day), source, rng.choice(ours), Kind.SCHOOL)
        if day % 7 < 5 and rng.random() < 0.15:
            dial(lines, lines.office_time(day), source, rng.choice(ours))
    for _ in range(rng.randint(1, 3)):
        day = lines.working_day(first=min(3, lines.days - 1))
        start = MONDAY + day * DAY + rng.choice((6.2, 7.5, 12, 15.5, 17)) * 3600
        pace, message = lines.log_uniform(figures.SCHOOL_PACE), rng.uniform(*figures.SCHOOL_MESSAGE)
        missed = list(ours)
        for _ in range(1 + figures.SCHOOL_TRIES):
            rung, missed = missed, []
            for did in rung:
                start += pace * rng.uniform(0.7, 1.3)
                call = lines.wanted(start, robot, did, Kind.SCHOOL, talk=message + rng.uniform(-1, 3))
                if not call.talked:
                    missed.append(did)
            start += rng.choice((300, 600, 900))


def practice(lines: Lines) -> None:
    """A doctor's line at eight: everybody at once, nearly all find it busy, and they dial again."""
    rng, business = lines.rng, lines.business
    did, places = business.dids[-1], rng.randint(2, 6)
    patients = [lines.person() for _ in range(150)]
    new = rng.uniform(*figures.PRACTICE_NEW)
    callers = rng.randint(*figures.PRACTICE_CALLERS)
    for day in range(lines.days):
        opening = MONDAY + day * DAY + 8 * 3600
        waiting = []
        for _ in range(lines.count(callers * figures.PRACTICE_WEEKDAY[day % 7])):
            source = lines.person() if rng.random() < new else rng.choice(patients)
            waiting.append((opening + min(rng.expovariate(1 / 480), 1800), source, 1, lines.log_uniform((6, 120))))
        ends: list[float] = []
        while waiting:
            waiting.sort(key=lambda one: one[0])
            start, source, tries, patience = waiting.pop(0)
            ends = [end for end in ends if end > start]
            if len(ends) < places:
                talked = min(lines.talk(), 400)
                ends.append(start + talked + 8)
                lines.write(start, source, did, Kind.PRACTICE, talked=talked, ring=8)
                continue
            lines.write(start, source, did, Kind.PRACTICE, busy=True)
            if tries < figures.PRACTICE_REDIALS and rng.random() < figures.REDIAL_BUSY:
                # Some phones dial again by themselves, at even intervals; most people do not.
                wait = patience if rng.random() < 0.2 else patience * rng.uniform(0.5, 3)
                waiting.append((start + 2 + wait, source, tries + 1, patience))


def couriers(lines: Lines) -> None:
    """Short calls: "I am at your door". Often the same few seconds, sometimes two or three numbers of ours in a row."""
    rng, business = lines.rng, lines.business
    drivers = [lines.person() for _ in range(12)]
    for day in range(lines.days):
        for _ in range(lines.count(0.04 * business.calls_a_day * figures.WEEKDAY[day % 7])):
            source = rng.choice(drivers) if rng.random() < 0.6 else lines.person()
            start = lines.office_time(day)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                did = business.dids[0] if rng.random() < 0.5 else rng.choice(business.dids)
                call = lines.wanted(start, source, did, Kind.COURIER, talk=rng.uniform(*figures.COURIER_TALK))
                start += call.duration + rng.uniform(15, 240)


def results(lines: Lines) -> None:
    """A laboratory or a pharmacy: a robot that reads a message, always as long, and calls again when nobody answers."""
    rng, business = lines.rng, lines.business
    for _ in range(2):
        source, length = dataclasses.replace(lines.person(), presses=False), rng.uniform(*figures.RESULT_TALK)
        for day in range(lines.days):
            for _ in range(lines.count(0.25 + len(business.dids) / 300) if day % 7 < 5 else 0):
                start, did = lines.office_time(day), rng.choice(business.dids)
                for _ in range(3):
                    call = lines.wanted(start, source, did, Kind.RESULT, talk=length + rng.uniform(-0.5, 0.5))
                    if call.talked:
                        break
                    start += rng.choice((600, 1800, 3600)) + rng.random()


def storm(lines: Lines) -> None:
    """Somebody else's spam showed our number, and the people whom it reached call back."""
    rng, business = lines.rng, lines.business
    did, start = rng.choice(business.dids), MONDAY + lines.working_day(2) * DAY + rng.uniform(9, 15) * 3600
    for _ in range(int(lines.log_uniform(figures.STORM_CALLERS))):
        source = lines.person()
        at = start + min(rng.expovariate(1 / 2400), 4 * 3600)
        lines.redials(lines.wanted(at, source, did, Kind.STORM, talk=lines.rng.uniform(6, 60)), source, did, tries=2)


def hidden(lines: Lines) -> None:
    """Hospitals, the police, people who like their privacy. How many is assumed: 3 in 1,000."""
    rng, business = lines.rng, lines.business
    for day in range(lines.days):
        for _ in range(lines.count(0.003 * business.calls_a_day * figures.WEEKDAY[day % 7])):
            source = Source(number="", presses=rng.random() < figures.PRESSES)
            lines.wanted(lines.office_time(day), source, rng.choice(business.dids), Kind.HIDDEN)


AUTHORS = (customers, offices, school, practice, couriers, results, storm, hidden)
