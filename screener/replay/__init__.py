"""Calls of the past, out of the PBX's own records, through the policy of today."""
