"""Which training job comes next: of which definition, with which hyperparameters."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.local.moments import epoch_s
from sagedock.local.resources import Key
from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.document import SEED
from sagedock.local.tuning.names import trial_name
from sagedock.local.tuning.trial import Trial, tried
from sagedock.search import Apart, Search, Tried, search_of

__all__ = ["Proposals"]


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """A search for each definition. ``before`` is what the parents of a warm start tried."""

    definitions: Sequence[Definition]
    searches: Sequence[Search]
    before: Sequence[Tried]
    account: str

    @classmethod
    def of(
        cls,
        request: Mapping[str, Any],
        definitions: Sequence[Definition],
        before: Sequence[Tried],
        account: str,
    ) -> "Proposals":
        """Return what proposes the training jobs of a request."""
        strategy = request["HyperParameterTuningJobConfig"]["Strategy"]
        searches: list[Search] = [
            Apart(space=each.space, seed=request[SEED] + number)
            if strategy == "Bayesian"
            else search_of(strategy, each.space, request[SEED] + number)
            for number, each in enumerate(definitions)
        ]
        return cls(definitions=definitions, searches=searches, before=before, account=account)

    def close(self) -> None:
        """End the processes of the searches."""
        for each in self.searches:
            if isinstance(each, Apart):
                each.close()

    def next(self, job: Key, trials: Sequence[Trial]) -> Trial | None:
        """Return the next trial; None where no search has one. Definitions take turns (how AWS
        shares training jobs among them is not documented).
        """
        number = len(trials) + 1
        for offset in range(len(self.definitions)):
            index = (number - 1 + offset) % len(self.definitions)
            known = [*self.before, *tried(trials, self.definitions, index)]
            values = self.searches[index].propose(number, known)
            if values is not None:
                name = trial_name(job.name, number)
                return Trial(
                    number=number,
                    name=name,
                    arn=f"arn:aws:sagemaker:{job.region}:{self.account}:training-job/{name}",
                    definition=index,
                    values=dict(values),
                    created=epoch_s(time.time()),
                )
        return None
