"""Fixtures for all tests: the lab's real Asterisks."""

from tests.lab.fixtures import lab, world

__all__ = ["lab", "world"]
