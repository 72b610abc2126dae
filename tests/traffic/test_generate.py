"""The traffic is what its figures say, the same for the same seed, and counts from where a person could know."""

import itertools
import math
import statistics
from random import Random

import phonenumbers
import pytest

from screener.policy.call import Attestation
from tests.traffic import figures
from tests.traffic.business import Business
from tests.traffic.generate import HAMMER_KNOWN, knowable, traffic
from tests.traffic.numbers import BRITISH, NANP, SWISS, Plan, valid
from tests.traffic.records import MONDAY, SPAM, WANTED, WEEK, Kind, Label, Record

SEEDS = range(12)
ALL = {seed: traffic(seed) for seed in SEEDS}
EVERY = [record for records in ALL.values() for record in records]


def of(kind: Kind) -> list[Record]:
    return [record for record in EVERY if record.kind is kind]


def test_one_seed_is_one_traffic_and_another_another() -> None:
    assert traffic(3) == ALL[3]
    assert traffic(3) != traffic(15)


def test_calls_come_in_the_order_of_time_within_the_weeks() -> None:
    for records in ALL.values():
        assert all(one.start <= two.start for one, two in itertools.pairwise(records))
        assert MONDAY <= records[0].start <= records[-1].start < MONDAY + 4 * WEEK


@pytest.mark.parametrize("kind", [*WANTED, *SPAM])
def test_every_class_has_calls_and_its_label(kind: Kind) -> None:
    labels = {record.label for record in of(kind)}
    assert labels == {Label.WANTED if kind in WANTED else Label.SPAM}


def test_businesses_differ_in_size_country_and_carrier() -> None:
    businesses = [Business.draw(seed) for seed in range(24)]
    assert {len(business.dids) for business in businesses} == {5, 40, 300}
    assert {business.plan.region for business in businesses} == {"US", "CH", "GB"}
    assert {business.style for business in businesses} == {"e164", "plain", "national"}
    assert {business.town for business in businesses} == {True, False}
    assert all(valid(business.dids[0]) for business in businesses)


def test_conversations_last_as_long_as_at_the_bank() -> None:
    talks = [record.talked for record in [*of(Kind.REGULAR), *of(Kind.NEW)] if record.talked > 10]
    assert statistics.median(talks) == pytest.approx(figures.TALK_MEDIAN, rel=0.1)
    assert statistics.mean(talks) == pytest.approx(188, rel=0.1)
    assert statistics.stdev(map(math.log, talks)) == pytest.approx(figures.TALK_SPREAD, rel=0.1)


def test_most_signed_wanted_calls_are_fully_attested_and_spoofed_ones_hardly_ever() -> None:
    signed = [record for record in EVERY if record.label is Label.WANTED and record.attestation is not Attestation.NONE]
    assert statistics.mean(record.attestation is Attestation.A for record in signed) > 0.85
    neighbours = [record for record in of(Kind.NEIGHBOUR) if record.attestation is not Attestation.NONE]
    assert statistics.mean(record.attestation is Attestation.A for record in neighbours) < 0.2
    assert all(record.signer for record in signed)


def test_a_stripped_call_has_no_signature_left() -> None:
    signed = next(record for record in EVERY if record.signer)
    assert (signed.stripped().attestation, signed.stripped().signer) == (Attestation.NONE, "")


def test_a_school_reaches_many_of_our_numbers_within_minutes() -> None:
    for records in ALL.values():
        starts = [record.start for record in records if record.kind is Kind.SCHOOL]
        busiest = max(sum(start <= other < start + 600 for other in starts) for start in starts)
        assert busiest >= 2


def test_on_monday_at_eight_it_is_busy_and_people_dial_again() -> None:
    calls = of(Kind.PRACTICE)
    assert statistics.mean(record.busy for record in calls) > 0.3
    assert len({record.number for record in calls}) < len(calls) / 2


@pytest.mark.parametrize("plan", [NANP, SWISS, BRITISH])
def test_an_impossible_number_is_nobodys(plan: Plan) -> None:
    rng = Random(5)
    for _ in range(500):
        shown = plan.impossible(rng)
        try:
            read = phonenumbers.parse(shown, plan.region)
        except phonenumbers.NumberParseException:
            continue
        assert not phonenumbers.is_valid_number(read), shown


def test_a_hammering_number_counts_from_its_fourth_call_within_an_hour() -> None:
    records = [record for record in ALL[1] if record.kind is Kind.HAMMER]
    for record, known in zip(records, knowable(records), strict=True):
        same = [
            one for one in records if one.number == record.number and record.start - 3600 < one.start <= record.start
        ]
        assert known == (len(same) >= HAMMER_KNOWN)


@pytest.mark.parametrize(
    ("kind", "uncounted"), [(Kind.WALK, 5), (Kind.CAMPAIGN, 19), (Kind.NEIGHBOUR, 0), (Kind.WANGIRI, 0)]
)
def test_an_episode_counts_from_where_a_person_could_know_it(kind: Kind, uncounted: int) -> None:
    records = [record for record in ALL[2] if record.kind is kind]
    first = [record for record in records if record.episode == records[0].episode]
    assert knowable(first) == [False] * uncounted + [True] * (len(first) - uncounted)


def test_a_flood_counts_from_its_thirtieth_second() -> None:
    records = [record for record in ALL[7] if record.kind is Kind.FLOOD]
    assert knowable(records) == [record.start - records[0].start >= 30 for record in records]
