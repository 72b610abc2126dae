"""What can be wrong with a feed."""


class FeedError(Exception):
    """A feed that cannot be taken over; the text is for the administrator, and names no address (it may hold a key)."""
