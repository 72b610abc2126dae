"""What can go wrong between us and Asterisk; none of it ever costs a call.

AriError
    AriUnavailableError    no connection, or no answer in time: Asterisk's side
    AriRefusedError        Asterisk does not want us: the administrator's side (user, password, ARI switched off)
AmiError                   the same for the manager interface; on its own, an answer that cannot be read
    AmiUnavailableError    no connection, or no answer in time
    AmiRefusedError        Asterisk does not let us in, or refuses an action: rights, or something is not there
"""


class AriError(Exception):
    """A request or a connection to Asterisk failed."""


class AriUnavailableError(AriError):
    """Asterisk could not be reached, or did not answer before the deadline."""


class AriRefusedError(AriError):
    """Asterisk answered, and refuses the connection."""


class AmiError(Exception):
    """An action or a connection at the manager interface failed."""


class AmiUnavailableError(AmiError):
    """The manager interface could not be reached, or did not answer before the deadline."""


class AmiRefusedError(AmiError):
    """Asterisk answered, and refuses the connection or the action."""
