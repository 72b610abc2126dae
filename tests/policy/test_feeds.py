"""What is looked up in feeds, and what being on one means for a call."""

import dataclasses
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from screener.policy.call import Attestation
from screener.policy.decide import decide, known
from screener.policy.feed_settings import FeedSettings
from screener.policy.feeds import NO_FEEDS, EntrySet, Feed, FeedKind, Feeds, NumberSet
from screener.policy.lists import Entry, NumberList
from screener.policy.policy import Policy
from screener.policy.remembered import STRANGER
from screener.policy.verdict import Treatment
from tests.policy.builders import ANOTHER_CALLER, CALLER, DID, brief, make_call, make_policy

NOW = 1_800_000_000.0


def numbers(*written: str) -> NumberSet:
    exact = sorted(int(number[1:]) for number in written if not number.endswith("*"))
    return NumberSet(array("Q", exact), [number[:-1] for number in written if number.endswith("*")])


def feed(kind: FeedKind, *written: str, name: str = "f", note: str = "", points: float = 0.0) -> Feed:
    return Feed(name=name, kind=kind, numbers=numbers(*written), note=note, points=points)


def policy_with(*feeds: Feed, **written: object) -> Policy:
    return dataclasses.replace(make_policy(**written), feeds=Feeds(feeds=feeds))


DIGITS = st.text("0123456789", min_size=1, max_size=14).map(lambda rest: f"+1{rest}")


@given(st.sets(DIGITS, max_size=20), st.sets(DIGITS.map("{}*".format), max_size=5), DIGITS)
@brief
def test_looking_up_finds_what_reading_the_whole_feed_would(exact: set[str], prefixes: set[str], number: str) -> None:
    naming = {number} & exact or {prefix for prefix in prefixes if number.startswith(prefix[:-1])}

    assert numbers(*exact, *prefixes).entry(number, NOW) == max(naming, key=len, default=None)
    assert len(numbers(*exact, *prefixes)) == len(exact) + len(prefixes)


@pytest.mark.parametrize("key", ["", "+", "withheld", "withheld:12015550123", "12015550123", "+1201555012x", "+\u0661"])
def test_what_is_no_number_is_on_no_feed(key: str) -> None:
    assert numbers(CALLER, "+1*").entry(key, NOW) is None


def test_nobody_is_on_no_feeds() -> None:
    assert NO_FEEDS.find(CALLER, FeedKind.BLOCK, NOW) is None


def test_the_first_feed_of_the_kind_is_named_with_its_note_and_the_entry() -> None:
    feeds = Feeds(
        feeds=(
            feed(FeedKind.BLOCK, ANOTHER_CALLER, name="other"),
            feed(FeedKind.LISTED, CALLER, name="points", points=2),
            feed(FeedKind.BLOCK, "+1201*", name="first", note="reported"),
            feed(FeedKind.BLOCK, CALLER, name="second"),
        )
    )
    hit = feeds.find(CALLER, FeedKind.BLOCK, NOW)

    assert hit is not None
    assert hit.label == "first (reported) as +1201*"
    assert [hit.feed for hit in feeds.hits(CALLER, FeedKind.BLOCK, NOW)] == ["first", "second"]
    assert [hit.points for hit in feeds.hits(CALLER, FeedKind.LISTED, NOW)] == [2]


def test_entries_of_another_program_keep_their_notes() -> None:
    entries = EntrySet(NumberList([Entry(number=CALLER, note="hammered us")]))

    assert entries.entry(CALLER, NOW) == f"{CALLER} (hammered us)"
    assert entries.entry(ANOTHER_CALLER, NOW) is None
    assert len(entries) == 1


@pytest.mark.parametrize(
    ("kind", "treatment", "code", "sentence"),
    [
        (FeedKind.BLOCK, Treatment.REJECT, "feed-blocked", f"{CALLER} is on the block feed f as {CALLER}"),
        (FeedKind.ALLOW, Treatment.PASS, "feed-allowed", f"{CALLER} is on the allow feed f as {CALLER}"),
        (FeedKind.CONTACT, Treatment.PASS, "contact", f"{CALLER} is a contact of f as {CALLER}"),
    ],
)
def test_being_on_a_feed_settles_the_call(kind: FeedKind, treatment: Treatment, code: str, sentence: str) -> None:
    verdict = decide(make_call(), STRANGER, policy_with(feed(kind, CALLER)), NOW)

    assert (verdict.treatment, verdict.reasons[0].code, verdict.decided_by) == (treatment, code, sentence)
    assert decide(make_call(ANOTHER_CALLER), STRANGER, policy_with(feed(kind, CALLER)), NOW).reasons == ()


@pytest.mark.parametrize(
    ("kinds", "lists", "code"),
    [
        ([FeedKind.BLOCK, FeedKind.ALLOW, FeedKind.CONTACT], {}, "feed-allowed"),
        ([FeedKind.BLOCK, FeedKind.CONTACT], {}, "contact"),
        ([FeedKind.BLOCK], {"allow": [CALLER]}, "allowed"),
        ([FeedKind.CONTACT], {"block": [CALLER]}, "contact"),
        ([FeedKind.ALLOW], {"block": [{"number": CALLER, "did": DID}]}, "blocked"),
        ([FeedKind.BLOCK], {"block": [CALLER]}, "blocked"),
    ],
)
def test_by_hand_comes_before_a_feed_and_a_feed_where_its_like_stands(
    kinds: list[FeedKind], lists: dict[str, object], code: str
) -> None:
    policy = policy_with(*(feed(kind, CALLER) for kind in kinds), lists=lists)

    assert decide(make_call(), STRANGER, policy, NOW).reasons[0].code == code


@pytest.mark.parametrize("attestation", Attestation)
def test_a_contact_whose_number_is_shown_to_be_false_is_none(attestation: Attestation) -> None:
    verdict = decide(make_call(attestation=attestation), STRANGER, policy_with(feed(FeedKind.CONTACT, CALLER)), NOW)

    assert ("contact" in {reason.code for reason in verdict.reasons}) is (attestation is not Attestation.FAILED)


def test_feeds_with_points_are_a_reason_and_no_block() -> None:
    feeds = (
        feed(FeedKind.LISTED, CALLER, name="complaints", note="reported", points=2),
        feed(FeedKind.LISTED, "+1201*", name="area", points=1.5),
    )
    verdict = decide(make_call(), STRANGER, policy_with(*feeds), NOW)
    (reason,) = [reason for reason in verdict.reasons if reason.code == "listed"]

    assert (reason.points, verdict.treatment) == (3.5, Treatment.MENU)
    assert reason.text == f"the number is on complaints (reported) as {CALLER} and on area as +1201*"
    assert "listed" not in {
        reason.code for reason in decide(make_call("+14155550199"), STRANGER, policy_with(*feeds), NOW).reasons
    }


@pytest.mark.parametrize(("mode", "score"), [("live", 2), ("shadow", 0), ("off", 0)])
def test_feeds_with_points_can_be_watched_before_they_count(mode: str, score: float) -> None:
    policy = policy_with(feed(FeedKind.LISTED, CALLER, points=2), signals={"listed": {"mode": mode}})

    assert decide(make_call(), STRANGER, policy, NOW).score == score


@pytest.mark.parametrize("kind", FeedKind)
def test_whoever_a_feed_lets_in_is_no_stranger(kind: FeedKind) -> None:
    assert known(make_call(), policy_with(feed(kind, CALLER)), NOW) is (kind in (FeedKind.ALLOW, FeedKind.CONTACT))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "a feed comes either from a url or from a file"),
        ({"file": "numbers.txt"}, "the file of a feed needs its whole path"),
        ({"file": "/a", "list": "allow", "points": 3}, "points are for a feed whose list is block"),
        ({"file": "/a", "format": "lines", "column": "number"}, "a feed of lines has no column"),
    ],
)
def test_a_feed_that_makes_no_sense_is_refused(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FeedSettings.model_validate({"name": "one", "list": "block", **written})
