"""Listed: what feeds say of a number."""

import dataclasses

from screener.policy.feeds import EntrySet, Feed, FeedKind, Feeds
from screener.policy.lists import Entry, NumberList
from screener.policy.remembered import STRANGER
from screener.policy.signals.listed import listed
from tests.policy.builders import ANOTHER_CALLER, CALLER, make_call, make_policy

NUMBERS = EntrySet(NumberList([Entry(number=CALLER)]))
FEEDS = Feeds(
    feeds=(
        Feed(name="complaints", kind=FeedKind.LISTED, numbers=NUMBERS, points=3),
        Feed(name="reports", kind=FeedKind.LISTED, numbers=NUMBERS, note="of last week", points=1.5),
        Feed(name="ours", kind=FeedKind.BLOCK, numbers=NUMBERS),
    )
)


def test_the_points_of_all_feeds_that_name_the_caller_are_added() -> None:
    policy = dataclasses.replace(make_policy(), feeds=FEEDS)

    assert listed(make_call(), STRANGER, policy, 0) == (
        4.5,
        f"the number is on complaints as {CALLER} and on reports (of last week) as {CALLER}",
    )


def test_of_a_caller_that_no_feed_names_there_is_nothing_to_say() -> None:
    policy = dataclasses.replace(make_policy(), feeds=FEEDS)

    assert listed(make_call(ANOTHER_CALLER), STRANGER, policy, 0) is None
    assert listed(make_call(), STRANGER, make_policy(), 0) is None
