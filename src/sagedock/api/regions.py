"""AWS's regions by name: the form of one, and those that the installed botocore knows.

Source of the form: ``regionRegex`` of botocore's partitions, put together: one word or several, and
a number. New regions have it too; a zone (``us-west-2a``) has not.
"""

import re
from difflib import get_close_matches
from functools import cache

from sagedock.errors import InvalidRequest

__all__ = ["known_regions", "refuse_region", "region_problem", "unknown_region"]

_FORM = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}")
_NEAREST = 3
_USUAL = ("us-east-1", "us-west-2", "eu-west-1")


@cache
def known_regions() -> frozenset[str]:
    """Return the regions of every partition."""
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    names = {region for each in partitions for region in each["regions"]}
    return frozenset(name for name in names if _FORM.fullmatch(name))  # and not aws-global


def region_problem(region: str, named: str) -> str | None:
    """Return what is wrong with the name of a region, or None; ``named`` is what gave it."""
    if _FORM.fullmatch(region):
        return None
    likely = region.strip().lower().replace("_", "-")
    near = get_close_matches(likely, sorted(known_regions()), n=_NEAREST, cutoff=0.6)
    return f"{named}: {region!r} is no name of a region: use one like {', '.join(near or _USUAL)}"


def refuse_region(region: str | None, named: str) -> None:
    """Raise InvalidRequest for what is given and cannot be the name of a region."""
    if region and (problem := region_problem(region, named)):
        raise InvalidRequest([problem])


def unknown_region(region: str) -> str | None:
    """Return a warning for a region that the installed botocore does not know; it may be new."""
    if region in known_regions():
        return None
    near = get_close_matches(region, sorted(known_regions()), n=1, cutoff=0.6)
    meant = f"; the nearest that it knows is {near[0]}" if near else ""
    return f"region: the installed botocore does not know {region!r}{meant}"
