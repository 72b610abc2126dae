"""Breaks real parts under load, and counts what became of every call."""
