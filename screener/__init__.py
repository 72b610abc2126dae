"""Screens inbound calls beside a self-hosted Asterisk PBX."""

__version__ = "0.1.0"
