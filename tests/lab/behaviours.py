"""People and robots who call, and behave in known ways."""

from tests.lab.callers import Behaviour, Line
from tests.lab.ear import BEEP


async def stay_silent(line: Line) -> None:
    """Say and press nothing, and stay until the other side hangs up."""
    await line.ended()


def listen_and_obey(stay: float = 2.0, pause: float = 1.0) -> Behaviour:
    """A person: presses the digits that are spoken, as often as asked, and talks for `stay` seconds once connected.

    A person who is sent to voicemail speaks after the beep, for as long.
    """

    async def behave(line: Line) -> None:
        while (heard := await line.hear(pause)).isdigit():
            await line.press(heard)
        if heard == BEEP:
            await line.say("12")
        await line.stay(stay)

    return behave


def choose(option: int, stay: float = 2.0, pause: float = 1.0) -> Behaviour:
    """A person at a menu (`press four to ..., press seven to ...`), who listens to the end and presses one of them.

    `option` counts the digits spoken from 0. Once connected the person talks for `stay` seconds.
    """

    async def behave(line: Line) -> None:
        digits = await line.hear_digits(pause)
        await line.press(digits[option])
        await line.hear_who()
        await line.stay(stay)

    return behave


def guess(keys: str, after: float = 1.0) -> Behaviour:
    """A robot that presses the same keys whatever it hears, `after` seconds after the answer."""

    async def behave(line: Line) -> None:
        await line.answered()
        await line.stay(after)
        await line.press(keys)
        await line.ended()

    return behave


def hang_up_after(seconds: float) -> Behaviour:
    """One who gives up, `seconds` after dialling."""

    async def behave(line: Line) -> None:
        await line.stay(seconds)

    return behave


def leave_message(speech: str = "1234567890") -> Behaviour:
    """One who presses nothing, waits for a beep, speaks the digits of `speech` and hangs up."""

    async def behave(line: Line) -> None:
        await line.hear_beep()
        await line.say(speech)

    return behave
