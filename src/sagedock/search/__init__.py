"""Which hyperparameters to try next, and which tries to give up: pure, without any server.

``space``     ranges of hyperparameters, and their scales
``trials``    what is known of the tries so far
``strategy``  what proposes the next one: by chance, in a grid, or by a model of the objective
``apart``     the latter in a process of its own
``hyperband`` and ``median``  which of those that run have no prospects
"""

from sagedock.search.apart import Apart
from sagedock.search.hyperband import Hyperband
from sagedock.search.median import is_worse_than_median
from sagedock.search.space import Category, Numbers, Scaling, Space
from sagedock.search.strategy import Search, search_of
from sagedock.search.trials import Tried, Values

__all__ = [
    "Apart",
    "Category",
    "Hyperband",
    "Numbers",
    "Scaling",
    "Search",
    "Space",
    "Tried",
    "Values",
    "is_worse_than_median",
    "search_of",
]
