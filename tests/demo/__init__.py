"""`make demo`: real calls to a real PBX with screener beside it, told as they happen."""
