"""Figures as a person says them."""

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units: `5 minutes`, `1 hour 30 minutes`."""
    left = max(round(seconds), 0)
    for position, (size, name) in enumerate(_UNITS):
        count, rest = divmod(left, size)
        if count:
            smaller = _UNITS[position + 1 : position + 2]
            more = [plural(rest // below, unit) for below, unit in smaller if rest >= below]
            return " ".join([plural(count, name), *more])
    return "0 seconds"


def every(seconds: float) -> str:
    """Return how often something comes: `every hour`, `every 5 minutes`."""
    said = duration(seconds)
    count, _, unit = said.partition(" ")
    return f"every {unit if count == '1' and ' ' not in unit else said}"


def plural(count: float, name: str) -> str:
    """Return `1 call`, `3 calls`."""
    # `g` would make 1e+06 of a million.
    return f"{count if isinstance(count, int) else f'{count:g}'} {name}{'' if count == 1 else 's'}"
