"""Variables on their way to the dialplan: packed so that it unpacks what was meant, and nothing that means anything."""

import re

from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.carried import PART_LENGTH, PART_VARIABLES, PLACES, Carrier
from screener.asterisk.rest import Request
from tests.policy.builders import thorough

NAMES = st.from_regex(r"SCREENER_[A-Z]{1,10}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", exclude_characters='"\\', min_codepoint=32), max_size=600)


def globals_of(requests: list[Request]) -> dict[str, str]:
    assert {(request.method, request.path) for request in requests} == {("POST", "asterisk/variable")}
    return {request.body["variable"]: request.body["value"] for request in requests if request.body}


def unpacked(parts: list[str]) -> dict[str, str]:
    """What MSet() makes of its arguments, as main/app.c divides them."""
    found = {}
    for part in parts:
        for pair in re.split(r"(?<!\\),", part):
            name, _, value = pair.partition("=")
            found[name] = value.replace("\\", "")
    return found


def test_a_few_variables_take_one_request_and_the_call_knows_where_they_are() -> None:
    extension, requests = Carrier("screener").load({"SCREENER_TREATMENT": "pass", "SCREENER_WHY": "a (b), c"})
    _, place, tag = extension.split(".")
    assert re.fullmatch(r"screener_\d{1,3}", place)
    assert globals_of(requests) == {
        f"SCREENER_PLACE_{place}_1": f"{tag}:SCREENER_TREATMENT=pass,SCREENER_WHY=a \\(b\\)\\, c"
    }


def test_an_extension_fits_into_the_79_characters_that_asterisk_keeps() -> None:
    assert len(Carrier("x" * 64).load({})[0]) <= 79


@given(st.dictionaries(NAMES, VALUES, max_size=60))
@thorough
def test_what_is_packed_is_what_is_unpacked(variables: dict[str, str]) -> None:
    extension, requests = Carrier("screener").load(variables)
    tag, texts = extension[-6:], list(globals_of(requests).values())
    assert all(text.startswith(f"{tag}:") for text in texts)
    parts = [text.partition(":")[2] for text in texts]
    assert all(len(part) <= PART_LENGTH + 700 and part.count("=") >= 0 for part in parts)
    assert all(len(re.split(r"(?<!\\),", part)) <= PART_VARIABLES for part in parts)
    assert {name: value for name, value in unpacked(parts).items() if name} == variables


def test_places_are_used_in_turn_under_tags_that_are_drawn() -> None:
    carrier = Carrier("screener")
    extensions = [carrier.load({})[0] for _ in range(PLACES + 1)]
    assert extensions[0].split(".")[1] == extensions[-1].split(".")[1]
    assert extensions[0] != extensions[-1]
    assert len({extension.split(".")[1] for extension in extensions}) == PLACES


def test_the_secret_part_of_a_salt_is_not_among_what_asterisk_logs() -> None:
    _, requests = Carrier("screener", "5ec2e7").load({"SCREENER_SALT": "5ec2e7abcd"})
    carried = globals_of(requests)
    assert carried.pop("SCREENER_SECRET_screener") == "5ec2e7"
    (logged,) = carried.values()
    assert "5ec2e7" not in logged.partition(":")[2]
    assert "SCREENER_SALT=abcd,SCREENER_BY=screener" in logged


def test_calls_without_a_challenge_need_no_secret() -> None:
    _, requests = Carrier("screener", "5ec2e7").load({"SCREENER_TREATMENT": "pass"})
    assert len(requests) == 1
