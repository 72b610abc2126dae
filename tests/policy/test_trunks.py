"""Whose word counts is said for each trunk, and by default only our own Asterisk's."""

import pytest
from pydantic import ValidationError

from screener.policy.trunks import AttestationSettings, Source


def test_by_default_asterisk_is_believed_on_every_trunk_and_no_provider_on_any() -> None:
    assert AttestationSettings().believed("carrier") == (Source.ASTERISK,)


def test_a_trunk_that_is_named_has_its_own_sources_and_the_others_keep_theirs() -> None:
    settings = AttestationSettings.model_validate({"trunks": {"carrier": ["verstat", "headers"], "lan": []}})
    assert settings.believed("carrier") == (Source.VERSTAT, Source.HEADERS)
    assert settings.believed("lan") == ()
    assert settings.believed("another") == (Source.ASTERISK,)


def test_the_others_can_be_set_too() -> None:
    assert AttestationSettings.model_validate({"trunks": {"*": ["headers"]}}).believed("any") == (Source.HEADERS,)


def test_a_source_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="asterisk"):
        AttestationSettings.model_validate({"trunks": {"*": ["everything"]}})
