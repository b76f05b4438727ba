"""Times as the service answers them."""

__all__ = ["epoch_s"]


def epoch_s(time_s: float) -> float:
    """Return a time in seconds, with milliseconds."""
    return round(time_s, 3)
