"""Results of steps that succeeded, kept for later executions of the same pipeline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.pipelines.caching import age_limit_s, fingerprint, is_cached
from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.names import MEMORY
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["Memory"]

_KEPT = ("Metadata", "_Job", "_Outputs")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What is kept for one pipeline: ``name`` is its own, and another for one created anew."""

    resources: Resources
    region: str
    name: str

    def recalled(self, step: Step, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the members of a record that come from an earlier result, or None."""
        if not is_cached(step):
            return None
        found = self.resources.get(self._key(step, arguments))
        limit_s = age_limit_s(step.members["CacheConfig"].get("ExpireAfter"))
        if found is None or (limit_s is not None and time.time() - found.modified > limit_s):
            return None
        return {
            **found.document["Record"],
            "CacheHitResult": {"SourcePipelineExecutionArn": found.document["Execution"]},
        }

    def keep(
        self, step: Step, arguments: Mapping[str, Any], record: Mapping[str, Any], execution: str
    ) -> None:
        """Keep the result of a step that succeeded; the latest counts."""
        now = time.time()
        kept = {name: record[name] for name in _KEPT if name in record}
        new = Resource(
            key=self._key(step, arguments),
            created=now,
            modified=now,
            status="Kept",
            document={"Execution": execution, "Record": kept},
            request={},
        )
        if not self.resources.add(new):
            self.resources.change(
                new.key, lambda old: replace(old, modified=now, document=new.document)
            )

    def _key(self, step: Step, arguments: Mapping[str, Any]) -> Key:
        name = f"{self.name}/{fingerprint(step, arguments)}"
        return Key(region=self.region, kind=MEMORY, name=name)
