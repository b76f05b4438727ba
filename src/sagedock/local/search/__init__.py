"""Search over everything that is stored.

``records`` makes records of resources, and is the table of kinds; ``properties`` finds values by
names; ``comparing`` is one filter, ``expression`` all of them; ``operations`` sorts and pages.
"""

from sagedock.local.search.operations import SearchOperations

__all__ = ["SearchOperations"]
