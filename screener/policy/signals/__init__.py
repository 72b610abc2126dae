"""What speaks for or against a call: each signal looks at one thing and says it in a sentence.

A signal is a function of a call, what is remembered, the policy and the time; its reason's code is its name in
CDRs and never changes. `SIGNALS` is their order, which is the order of the reasons in a verdict.
"""

from typing import Final

from screener.policy.signals.attestation import attestation
from screener.policy.signals.group import group
from screener.policy.signals.history import challenge_failed, history
from screener.policy.signals.listed import listed
from screener.policy.signals.name import odd_name, warning
from screener.policy.signals.neighbourhood import neighbourhood
from screener.policy.signals.number import (
    country,
    foreign_script,
    malformed,
    neighbour,
    own_number,
    premium,
    unassigned,
    withheld,
)
from screener.policy.signals.rate import rate
from screener.policy.signals.rhythm import alike, hang_up, rhythm
from screener.policy.signals.rule import Rule
from screener.policy.signals.stranger import greylist, stranger
from screener.policy.signals.surge import surge
from screener.policy.signals.sweep import sweep

SIGNALS: Final[tuple[Rule, ...]] = (
    Rule("rate", "rate", rate),
    Rule("neighbourhood", "neighbourhood", neighbourhood),
    Rule("sweep", "sweep", sweep),
    Rule("surge", "surge", surge),
    Rule("group", "group", group),
    Rule("rhythm", "rhythm", rhythm),
    Rule("alike", "rhythm", alike),
    Rule("hang-up", "rhythm", hang_up),
    Rule("withheld", "number", withheld),
    Rule("malformed", "number", malformed),
    Rule("foreign-script", "number", foreign_script),
    Rule("unassigned", "number", unassigned),
    Rule("premium", "number", premium),
    Rule("own-number", "number", own_number),
    Rule("neighbour", "number", neighbour),
    Rule("country", "number", country),
    Rule("name-warning", "number", warning),
    Rule("odd-name", "number", odd_name),
    Rule("attestation", "attestation", attestation),
    Rule("challenge-failed", "challenge_failed", challenge_failed),
    Rule("history", "history", history),
    Rule("listed", "listed", listed),
    Rule("stranger", "stranger", stranger),
    Rule("greylist", "greylist", greylist),
)

__all__ = ["SIGNALS", "Rule"]
