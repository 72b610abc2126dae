import random
from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np
import pytest
import pytest_asyncio

from tests.lab.ear import TONES
from tests.lab.lab import Lab
from tests.lab.recogniser import Hit, Recogniser
from tests.lab.sounds import DIGITS, RATE, Samples, ensure_digits

pytestmark = pytest.mark.pbx


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spoken(lab: Lab) -> AsyncIterator[Mapping[str, Samples]]:
    yield await ensure_digits(lab.root)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def tone(hertz: float, seconds: float) -> Samples:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def say(spoken: Mapping[str, Samples], digits: str) -> Samples:
    return np.concatenate([silence(0.3), *(spoken[digit] for digit in digits), silence(0.3)])


def through_a_telephone(samples: Samples) -> Samples:
    """Companded as G.711 mu-law does it: 8 bits on a logarithmic scale."""
    scaled = np.clip(samples / 32768, -1, 1)
    companded = np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256)
    rounded = np.round(companded * 127) / 127
    expanded: Samples = (np.sign(rounded) * ((256 ** np.abs(rounded)) - 1) / 255 * 32768).astype(np.float32)
    return expanded


def listen(spoken: Mapping[str, Samples], samples: Samples, packet: int = 160) -> Sequence[Hit]:
    recogniser = Recogniser(spoken, TONES)
    hits: list[Hit] = []
    for start in range(0, len(samples), packet):
        hits.extend(recogniser.feed(samples[start : start + packet]))
    hits.extend(recogniser.flush())
    return hits


def heard(hits: Sequence[Hit]) -> str:
    return "".join(hit.what for hit in hits)


@pytest.mark.parametrize("digits", [*DIGITS, "47", "1234567890", "0987654321", "33", "2323"])
def test_it_hears_the_digits_that_are_spoken_in_their_order(spoken: Mapping[str, Samples], digits: str) -> None:
    assert heard(listen(spoken, through_a_telephone(say(spoken, digits)))) == digits


def test_it_hears_two_hundred_random_digits_in_noise(spoken: Mapping[str, Samples]) -> None:
    digits = "".join(random.Random(7).choices(DIGITS, k=200))
    samples = through_a_telephone(say(spoken, digits))
    noise = np.random.default_rng(7).normal(0, 300, len(samples)).astype(np.float32)
    assert heard(listen(spoken, samples + noise)) == digits


@pytest.mark.parametrize("packet", [80, 160, 240, 1600, 100_000])
def test_it_does_not_matter_how_the_sound_is_cut_into_packets(spoken: Mapping[str, Samples], packet: int) -> None:
    assert heard(listen(spoken, say(spoken, "9078"), packet)) == "9078"


def test_it_does_not_matter_how_loud_the_line_is(spoken: Mapping[str, Samples]) -> None:
    assert heard(listen(spoken, say(spoken, "306") * np.float32(0.1))) == "306"


def test_a_digit_is_reported_at_most_a_fifth_of_a_second_after_it_ended(spoken: Mapping[str, Samples]) -> None:
    samples = say(spoken, "5")
    recogniser = Recogniser(spoken, TONES)
    for start in range(0, len(samples), 160):
        for hit in recogniser.feed(samples[start : start + 160]):
            assert start + 160 - hit.end <= RATE // 5
            return
    pytest.fail("not heard")


def test_noise_silence_and_speech_played_backwards_hold_no_digits(spoken: Mapping[str, Samples]) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 5 * RATE).astype(np.float32)
    backwards = np.concatenate([spoken[digit][::-1] for digit in DIGITS])
    assert listen(spoken, np.concatenate([noise, silence(1), backwards])) == []


@pytest.mark.parametrize(("name", "hertz"), TONES.items())
def test_it_knows_who_picked_up_by_the_tone(spoken: Mapping[str, Samples], name: str, hertz: float) -> None:
    burst = np.concatenate([silence(0.33), tone(hertz, 0.4), silence(0.6)])
    assert [hit.what for hit in listen(spoken, through_a_telephone(burst))] == [name]


def test_ringback_busy_and_dtmf_are_nobody(spoken: Mapping[str, Samples]) -> None:
    ringback = tone(440, 2) + tone(480, 2)
    busy = tone(480, 0.5) + tone(620, 0.5)
    key = tone(697, 0.5) + tone(1209, 0.5)
    assert listen(spoken, np.concatenate([ringback, silence(1), busy, silence(1), key])) == []
