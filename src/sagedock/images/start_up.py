"""What an image's size costs: each instance downloads it before a job or an endpoint starts."""

from sagedock.contract.limits import IMAGE_DOWNLOAD_S

__all__ = ["added_seconds", "amount"]

_GB, _MB, _KB = 1_000_000_000, 1_000_000, 1_000


def added_seconds(packed: int) -> int:
    """Return what so many bytes, compressed, add to a start that has to download them."""
    return round(packed / _GB * int(IMAGE_DOWNLOAD_S))


def amount(size: int) -> str:
    """Return a size in bytes in words."""
    if size >= _GB:
        return f"{size / _GB:.2f} GB"
    if size >= _MB:
        return f"{size / _MB:.0f} MB"
    return f"{size / _KB:.0f} kB" if size >= _KB else f"{size} B"
