"""A telephone network in a directory: real Asterisks, SIP, RTP and DTMF on loopback, for tests and the demo."""
