"""Which hyperparameters to try next, and which tries to give up: pure, without any server.

``space``     ranges of hyperparameters, and their scales
``trials``    what is known of the tries so far
``strategy``  what proposes the next one: by chance, in a grid, or by a model of the objective
``hyperband`` and ``median``  which of those that run have no prospects
"""

from sagedock.local.tuning.search.hyperband import Hyperband
from sagedock.local.tuning.search.median import is_worse_than_median
from sagedock.local.tuning.search.space import Category, Numbers, Scaling, Space
from sagedock.local.tuning.search.strategy import Search, search_of
from sagedock.local.tuning.search.trials import Tried, Values

__all__ = [
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
