"""What is remembered of callers, and where it ends."""
