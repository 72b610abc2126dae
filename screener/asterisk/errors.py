"""What can go wrong between us and Asterisk; none of it ever costs a call.

AriError
    AriUnavailableError    no connection, or no answer in time: Asterisk's side
    AriRefusedError        Asterisk does not want us: the administrator's side (user, password, ARI switched off)
"""


class AriError(Exception):
    """A request or a connection to Asterisk failed."""


class AriUnavailableError(AriError):
    """Asterisk could not be reached, or did not answer before the deadline."""


class AriRefusedError(AriError):
    """Asterisk answered, and refuses the connection."""
