"""Recognises spoken digits and tones in a stream of samples, by comparing it with how the digits sound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.lab.sounds import RATE, Samples

HOP: Final = RATE // 5
"""Samples that are looked at together: 0.2 s is how late a digit may be recognised, at most."""
LIKENESS: Final = 0.75
"""Normalised correlation from which on it is that digit. The two digits most alike (2 and 3) reach 0.63, a telephone
line's own noise 0.2, and the right digit 0.99."""
QUIET: Final = 50.0
"""Root mean square, of 32768, below which nothing is looked for."""
LOUD: Final = 200.0
"""The same for tones, and for what a person would call sound."""
PURITY: Final = 0.8
"""Share of the power that a tone has at its own frequency."""
CHUNK: Final = RATE // 10
"""Samples in which a tone is looked for."""
TONE_CHUNKS: Final = 2
"""How many in a row must hold a tone; it is then reported once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something recognised."""

    what: str
    """A digit, or the name of a tone."""
    start: int
    """Samples since the beginning of the stream."""
    end: int
    likeness: float


class Recogniser:
    """Takes samples as they come, and yields what it recognises in them."""

    def __init__(self, digits: Mapping[str, Samples], tones: Mapping[str, float]) -> None:
        """`digits` is how each sounds, `tones` the frequency of each, in Hz."""
        self._names = list(digits)
        self._shapes = [_trimmed(digits[name]) for name in self._names]
        self._longest = max(len(shape) for shape in self._shapes)
        self._size = 1 << (self._longest + HOP - 1).bit_length()
        self._spectra = np.stack([np.conj(np.fft.rfft(shape, self._size)) for shape in self._shapes])
        self._norms = [float(np.sqrt(np.sum(np.square(shape, dtype=np.float64)))) for shape in self._shapes]
        self._waves = {name: np.exp(-2j * np.pi * hertz / RATE * np.arange(CHUNK)) for name, hertz in tones.items()}
        self.begin()

    def begin(self) -> None:
        """Forget what was heard: a new stream begins."""
        self._past: Samples = np.zeros(self._longest - 1, dtype=np.float32)
        self._waiting: list[Samples] = []
        self._position = 0  # of the first sample not looked at yet
        self._taken = 0  # up to where the stream belongs to digits recognised
        self._tone = ("", 0)  # the tone that sounds, and for how many chunks it has

    def feed(self, samples: Samples) -> Iterator[Hit]:
        """Take samples, and look at them whenever there are enough."""
        self._waiting.append(samples)
        if sum(map(len, self._waiting)) >= HOP:
            fresh = np.concatenate(self._waiting)
            whole = len(fresh) // HOP * HOP
            self._waiting = [fresh[whole:]]
            for start in range(0, whole, HOP):
                yield from self._look(fresh[start : start + HOP])

    def flush(self) -> Iterator[Hit]:
        """Look at what has come, however little: for when the line falls silent."""
        fresh = np.concatenate(self._waiting) if self._waiting else self._past[:0]
        self._waiting = []
        if len(fresh):
            yield from self._look(fresh)

    def _look(self, fresh: Samples) -> Iterator[Hit]:
        """Look for digits that end, and tones that sound, in `fresh`."""
        yield from self._tones(fresh)
        stretch = np.concatenate((self._past, fresh))
        if _rms(stretch) > QUIET:
            yield from sorted(self._digits(stretch, len(fresh)), key=lambda hit: hit.start)
        self._past = stretch[-(self._longest - 1) :]
        self._position += len(fresh)

    def _digits(self, stretch: Samples, fresh: int) -> Iterator[Hit]:
        products = np.fft.irfft(np.fft.rfft(stretch, self._size) * self._spectra, self._size)
        energy = np.concatenate(([0.0], np.cumsum(np.square(stretch, dtype=np.float64))))
        hits = [self._best(row, products[row], energy, fresh) for row in range(len(self._names))]
        # The likeliest first: another that overlaps it is an echo of it.
        for hit in sorted(hits, key=lambda hit: -hit.likeness):
            if hit.likeness >= LIKENESS and hit.start >= self._taken:
                self._taken = hit.end - (hit.end - hit.start) // 4
                yield hit

    def _best(self, row: int, product: NDArray[np.float64], energy: NDArray[np.float64], fresh: int) -> Hit:
        """Return where in the stretch this digit fits best, if it ends within the last `fresh` samples."""
        length = len(self._shapes[row])
        last = len(energy) - 1 - length
        starts = slice(max(0, last - fresh + 1), last + 1)
        windows = np.sqrt(np.maximum(energy[length:] - energy[:-length], QUIET**2 * length))[starts]
        likeness = product[starts] / (windows * self._norms[row])
        best = int(np.argmax(likeness))
        start = self._position - (self._longest - 1) + starts.start + best
        return Hit(what=self._names[row], start=start, end=start + length, likeness=float(likeness[best]))

    def _tones(self, fresh: Samples) -> Iterator[Hit]:
        for offset in range(0, len(fresh) - CHUNK + 1, CHUNK):
            tone = self._tone_in(fresh[offset : offset + CHUNK])
            before, chunks = self._tone
            self._tone = (tone, chunks + 1 if tone == before else 1)
            if tone and self._tone[1] == TONE_CHUNKS:
                end = self._position + offset + CHUNK
                yield Hit(what=tone, start=end - TONE_CHUNKS * CHUNK, end=end, likeness=1.0)

    def _tone_in(self, chunk: Samples) -> str:
        power = float(np.sum(np.square(chunk, dtype=np.float64)))
        if power < LOUD**2 * CHUNK:
            return ""
        for name, wave in self._waves.items():
            if 2 * abs(complex(np.dot(chunk, wave))) ** 2 / CHUNK > PURITY * power:
                return name
        return ""


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _trimmed(samples: Samples) -> Samples:
    """Leave out the silence before and after the word."""
    loud = np.nonzero(np.abs(samples) > 200)[0]
    return samples[loud[0] : loud[-1] + 1]
