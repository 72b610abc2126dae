"""Back-off, tasks and prompts: the small parts around a connection."""

import asyncio
import itertools
import logging
import os
from pathlib import Path

import pytest

from screener.asterisk.backoff import FIRST, LONGEST, delays
from screener.asterisk.prompts import COPIES, KEPT_SECONDS, PLAIN, conceal
from screener.asterisk.tasks import Tasks


def test_waits_double_to_a_limit_and_go_on_for_ever() -> None:
    waits = list(itertools.islice(delays(lambda: 0.0), 100))
    assert waits[:4] == [FIRST, FIRST * 2, FIRST * 4, FIRST * 8]
    assert waits[10:] == [LONGEST] * 90


def test_chance_shortens_a_wait_by_half_at_the_most() -> None:
    assert list(itertools.islice(delays(lambda: 1.0), 100)) == [
        wait / 2 for wait in itertools.islice(delays(lambda: 0.0), 100)
    ]


async def test_a_task_that_fails_is_logged_and_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    tasks, done = Tasks(), asyncio.Event()

    async def fail() -> None:
        done.set()
        raise RuntimeError("a fault of ours")

    tasks.start(fail())
    assert len(tasks) == 1
    await done.wait()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(tasks) == 0
    assert "a call's task failed: a fault of ours" in caplog.text


async def test_at_the_end_tasks_get_their_time_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    tasks, finished, gate = Tasks(), [], asyncio.Event()

    async def short() -> None:
        await gate.wait()
        finished.append("short")

    async def endless() -> None:
        await asyncio.Event().wait()

    tasks.start(short())
    tasks.start(endless())
    asyncio.get_running_loop().call_soon(gate.set)
    with caplog.at_level(logging.ERROR):
        await tasks.finish(0.2)
    assert finished == ["short"]
    assert len(tasks) == 0
    assert not caplog.records
    await tasks.finish(0.2)


def sounds(tmp_path: Path, *languages: str) -> Path:
    for language in languages:
        for digit in range(10):
            path = tmp_path / "sounds" / language / "digits" / f"{digit}.gsm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{language} {digit}".encode())
    return tmp_path / "sounds"


def test_without_copies_the_sounds_have_their_own_names() -> None:
    assert PLAIN.speak(["4", "plus", "7"], "de") == ["digits/4", "letters/plus", "digits/7"]


def test_copies_say_what_the_originals_say_under_names_that_mean_nothing(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    prompts = conceal(sounds(tmp_path, "en", "de"), copies, Path("/as/asterisk/sees"))
    for language, expected in (("en", "en 4"), ("de", "de 4"), ("de_AT", "de 4"), ("fr", "en 4")):
        (name,) = prompts.speak(["4"], language)
        assert name.startswith("/as/asterisk/sees/")
        assert (copies / f"{Path(name).name}.gsm").read_bytes() == expected.encode()
    assert len({tuple(prompts.speak(["4"], "en")) for _ in range(200)}) == COPIES


def test_a_word_without_a_sound_is_spoken_by_its_own_name(tmp_path: Path) -> None:
    prompts = conceal(sounds(tmp_path, "en"), tmp_path / "copies", tmp_path / "copies")
    assert prompts.speak(["plus"], "en") == ["letters/plus"]


def test_copies_of_an_earlier_start_live_as_long_as_a_captcha_may(tmp_path: Path) -> None:
    source, copies = sounds(tmp_path, "en"), tmp_path / "copies"
    starts: list[set[Path]] = []
    for hours in (30, 20, 10, 0):
        conceal(source, copies, copies)
        starts.append(set(copies.iterdir()).difference(*starts))
        for path in copies.iterdir():
            at = path.stat().st_mtime - hours * KEPT_SECONDS
            os.utime(path, (at, at))
    # The last start before this one ran until now, however long ago it began: a captcha may still use its copies.
    assert [all(path.exists() for path in made) for made in starts] == [False, False, True, True]
    assert set(copies.iterdir()) == starts[2] | starts[3]


def test_other_files_in_the_directory_of_the_copies_are_left_alone(tmp_path: Path) -> None:
    copies = tmp_path / "custom"
    copies.mkdir(mode=0o750)
    greeting = copies / "greeting.wav"
    greeting.write_text("not ours")
    os.utime(greeting, (0, 0))
    conceal(sounds(tmp_path, "en"), copies, copies)
    assert greeting.exists()
    assert copies.stat().st_mode & 0o777 == 0o750


def test_a_directory_that_cannot_be_written_is_an_error_to_the_caller(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        conceal(sounds(tmp_path, "en"), tmp_path / "file" / "copies", tmp_path)
