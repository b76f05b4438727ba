"""UpdateTrainingJob: that there is something to change."""

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule
from sagedock.api.rules.sources import GUIDE

__all__ = ["RULES"]

_CHANGES = ("ProfilerConfig", "ProfilerRuleConfigurations", "ResourceConfig", "RemoteDebugConfig")


def _changes_nothing(request: Request) -> Finding:
    given = any(request.get(name) is not None for name in _CHANGES)
    return None if given else BROKEN


RULES: tuple[Rule, ...] = (
    Rule(
        fields=_CHANGES,
        finding=_changes_nothing,
        message="Invalid UpdateTrainingJobRequest, the request cannot be empty",
        source=GUIDE + "sagemaker-python-sdk-troubleshooting.html",
        verified=True,
    ),
)
