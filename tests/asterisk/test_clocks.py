"""The clock by which calls are judged: no step of the system's clock moves it, but the one from never set to set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.asterisk.clocks import SteadyClock
from tests.policy.builders import brief

NOW = 1_800_000_000.0


class Machine:
    """A machine's two clocks."""

    def __init__(self, wall: float) -> None:
        self.monotonic, self.wall = 5.0, wall
        self.clock = SteadyClock(lambda: self.monotonic, lambda: self.wall)

    def passes(self, seconds: float, step: float = 0.0) -> float:
        """Let time pass, and the system's clock step besides; return what ours says."""
        self.monotonic += seconds
        self.wall += seconds + step
        return self.clock()


def test_it_begins_as_the_systems_clock_and_goes_at_its_own_pace() -> None:
    machine = Machine(NOW)
    assert machine.clock() == NOW
    assert machine.passes(60) == NOW + 60
    assert machine.passes(60, step=1) == NOW + 120  # slewed, not stepped


def test_a_machine_that_boots_in_the_past_is_followed_when_it_learns_the_time(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(60.0)
    assert machine.passes(10, step=NOW) == NOW + 70
    assert machine.passes(10) == NOW + 80
    assert "the system's clock was set 20833 days 8 hours ahead" in caplog.text


def test_a_step_back_is_not_followed_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(NOW)
    assert [machine.passes(10, step=-3600), machine.passes(10), machine.passes(10)] == [NOW + 10, NOW + 20, NOW + 30]
    assert caplog.text.count("the system's clock stepped 1 hour back") == 1
    assert machine.passes(3600, step=3600) == NOW + 3630  # mended
    machine.passes(10, step=-7200)
    assert "the system's clock stepped 2 hours back" in caplog.text


def test_a_step_ahead_frees_nobody_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(NOW)

    assert [machine.passes(10, step=3600), machine.passes(10)] == [NOW + 10, NOW + 20]
    assert caplog.text.count("the system's clock stepped 1 hour ahead") == 1


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e6, 1e6)), max_size=20))
@brief
def test_whatever_the_systems_clock_does_ours_goes_at_its_own_pace(steps: list[tuple[float, float]]) -> None:
    machine, passed = Machine(NOW), 0.0
    for seconds, step in steps:
        passed += seconds
        assert machine.passes(seconds, step) == pytest.approx(NOW + passed, abs=1e-3)
