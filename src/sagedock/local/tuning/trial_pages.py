"""ListTrainingJobsForHyperParameterTuningJob: order, filter and pages.

Source: API_ListTrainingJobsForHyperParameterTuningJob (by name, ascending, 10 at once, unless it is
said otherwise; by objective, those without one are left out).
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagedock.api import messages
from sagedock.local.refusal import Refused
from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.trial import Trial, summary

__all__ = ["page_of_trials"]

_DEFAULT_PAGE = 10
_MOST_DIGITS = 9
_PLACES: Mapping[str, Callable[[Trial], Any]] = {
    "Name": lambda trial: trial.name,
    "CreationTime": lambda trial: (trial.created, trial.number),
    "Status": lambda trial: (trial.status, trial.name),
    "FinalObjectiveMetricValue": lambda trial: (trial.objective, trial.name),
}


def page_of_trials(
    trials: Sequence[Trial], definitions: Sequence[Definition], request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the page that ``request`` asks for. Raises Refused for a token that was not given."""
    by = request.get("SortBy", "Name")
    status = request.get("StatusEquals")
    kept = [
        each
        for each in trials
        if status in (None, each.status)
        and (by != "FinalObjectiveMetricValue" or each.objective is not None)
    ]
    ordered = sorted(kept, key=_PLACES[by], reverse=request.get("SortOrder") == "Descending")
    first = _first(request.get("NextToken"))
    last = first + request.get("MaxResults", _DEFAULT_PAGE)
    answer: dict[str, Any] = {
        "TrainingJobSummaries": [
            summary(each, definitions[each.definition]) for each in ordered[first:last]
        ]
    }
    if last < len(ordered):
        answer["NextToken"] = base64.urlsafe_b64encode(f"{last}".encode()).decode()
    return answer


def _first(token: str | None) -> int:
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Refused(messages.invalid_pagination_token(token)) from error
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise Refused(messages.invalid_pagination_token(token))
    return int(text)
