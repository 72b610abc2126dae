"""The core judges: `decide(call, remembered, policy, now) -> Verdict`, a pure function of its arguments.

Nothing in this package reads a clock, draws a number, opens a file or writes a log line; the import contract
in setup.cfg holds it to that. Time is an argument in seconds. The same code serves live calls, `explain` and
the replay of old call records.
"""
