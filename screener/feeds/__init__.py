"""Feeds: lists of numbers from files and addresses, kept up to date beside the calls.

Fetching and reading a list happens in a process of its own (`refresh`), because a million lines would keep the calls
waiting for the interpreter; what comes of it is a file of sorted numbers (`copy`) that is taken over whole. The same
file is the last good copy: it is there at the next start, and it stays when an address fails.
"""
