"""What is remembered of callers, in process, and the journal of verdicts on disk."""
