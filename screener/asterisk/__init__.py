"""The shell towards Asterisk: its events become calls, the policy's verdicts become channel variables."""
