"""Where to ask, what to compute on, and how to keep going: pages to read, and a calculator."""


class GuideError(Exception):
    """What the guide cannot answer, and what would do."""
