"""`make bench`: what screening costs a call, beside the same dialplan without it."""
