"""What a stranger wrote, made safe to show: no control, bidirectional or invisible character gets past here."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, each hidden one replaced by U+FFFD.

    Hidden means the Unicode categories control, format (which holds the bidirectional overrides), surrogate,
    private use, unassigned, line and paragraph separator: what could move a cursor, forge a log line or turn
    a name round. A caller's name holds them at will (a real Asterisk passes ESC, CR and LF on as they came).
    Markup is left as it is: each output that knows a markup escapes it itself.
    """
    return "".join(REPLACEMENT if unicodedata.category(c) in _HIDDEN else c for c in text[:limit])
